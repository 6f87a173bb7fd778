import { codingsOf } from '../coding/index.ts';

const formats = 'json|xml|yaml|javascript|ecmascript|typescript|graphql|toml|sql|csv|ndjson|jsonl|jwt|jose';
/**
 * Text, or a format of text in any family and with any ornament (`image/svg+xml`, `application/x-amz-json-1.1`), forms
 * and batches. Not gRPC in any form: its messages carry their length, which a replacement would break.
 */
const textual = new RegExp(
  `^(?:text/|message/|multipart/(?:mixed|form-data)|application/(?:x-www-form-urlencoded|http)\\b|(?!application/grpc)[^;]*[/.+-](?:${formats})(?:$|[;,\\s.+-]))`,
  'i',
);

const scripts =
  /^application\/x-(?:(?:ba|c|tc|z)?sh|perl|python|ruby|php|httpd-php|tcl|tex|latex)\s*(?:;|$)/i;
const mediaType = /^\s*[^\s/;,]+\/[^\s/;,]+\s*(?:[;,]|$)/;

/** Whether a body of this type is text. A missing or malformed type counts as text, to be safe. */
export function isTextual(contentType: string | undefined): boolean {
  if (contentType === undefined || !mediaType.test(contentType)) return true;
  return textual.test(contentType) || scripts.test(contentType);
}

const usual = ['application/json', 'text/'];

/** The same for the value between these positions, without making a string of the usual types. */
export function isTextualAt(bytes: Buffer, start: number, end: number): boolean {
  return (
    usual.some((type) => isType(bytes, start, end, type)) || isTextual(bytes.toString('latin1', start, end))
  );
}

function isType(bytes: Buffer, start: number, end: number, type: string): boolean {
  const { length } = type;
  if (end - start < length) return false;
  for (let index = 0; index < length; index += 1) {
    if (bytes[start + index] !== type.charCodeAt(index)) return false;
  }
  const next = bytes[start + length];
  return type.endsWith('/') || start + length === end || next === semicolon || next === space;
}

const semicolon = 0x3b;
const space = 0x20;

/**
 * Why a textual response with these fields cannot be searched; `undefined` where it can. Such a response is refused:
 * a service could return the secret in it unnoticed.
 */
export function unreadable(status: number, fields: BodyFields): string | undefined {
  if (!isTextual(fields.contentType)) return undefined;
  const codings = codingsOf(fields.contentEncoding);
  if (codings === undefined)
    return 'the response is in a content coding that was not asked for (RFC 9110 §8.4)';
  // The middle of a coded body cannot be decoded.
  if (status === 206 && codings.length > 0) return 'the response is a part of a coded body (RFC 9110 §14)';
  return undefined;
}

export interface BodyFields {
  readonly contentType: string | undefined;
  readonly contentEncoding: string | undefined;
}

/**
 * Fields about bytes that scrubbing may change: digests (RFC 9530, RFC 1864) and ranges (RFC 9110 §14.3). The head is sent
 * before a secret is found, so they are removed wherever the body is searched in passing. `ETag` stays: only the service
 * that made it compares it, and `If-Match` needs it strong.
 */
export const fieldsAboutBytes: readonly string[] = [
  'content-digest',
  'repr-digest',
  'digest',
  'content-md5',
  'accept-ranges',
];
