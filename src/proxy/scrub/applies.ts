import { codingsOf } from '../coding/index.ts';

/**
 * The types whose bodies are not text. Every other body is searched: no list of textual types is complete, and a client
 * often chooses the type itself (`Accept`). Data that carries lengths is here only where it is compressed, or is gRPC.
 */
const binary = new RegExp(
  `^\\s*(?:${[
    // Pictures, sound and fonts, unless they are made of text (`image/svg+xml`, playlists, bitmaps in C).
    '(?:image|audio|video|font)/(?!svg\\b|x-xbitmap|x-xpixmap|x-portable-|vnd\\.dxf|(?:x-)?mpegurl|x-scpls)(?![^\\s;,]*\\+(?:xml|json))[^\\s;,]+',
    '(?:application|binary)/(?:x-)?octet-stream',
    'application/grpc[^\\s;,]*',
    // Archives and compressed data, also as a suffix (RFC 6839 §3.6).
    'application/(?:x-)?(?:zip|gzip|zstd|bzip2?|xz|lzma|lz4|compress|7z|rar|zip-compressed|7z-compressed|rar-compressed)',
    'application/[^\\s;,]+[.+](?:zip|gzip|zstd|bzip2?|xz|rar)',
    'application/(?:java-archive|vnd\\.android\\.package-archive|vnd\\.debian\\.binary-package|x-apple-diskimage|x-iso9660-image)',
    // Documents that are archives.
    'application/vnd\\.(?:openxmlformats-officedocument|oasis\\.opendocument)\\.(?![^\\s;,]*\\+xml)[^\\s;,]+',
    'application/(?:pdf|wasm|vnd\\.ms-fontobject|(?:x-)?font-[^\\s;,]+|x-git-(?:upload-pack-result|packed-objects))',
    'model/gltf-binary',
  ].join('|')})\\s*(?:;(?![^,]*charset\\s*=)[^,]*)?$`,
  'i',
);

/** Whether a body of this type is searched. A type that says its charset is text, whatever its name. */
export function isTextual(contentType: string | undefined): boolean {
  return contentType === undefined || !binary.test(contentType);
}

/**
 * The charsets that spell ASCII in other bytes and are not searched: UTF-7, the Unicode compressions, and EBCDIC.
 * UTF-16 and UTF-32 are searched in every body. In all others the bytes of ASCII are those of ASCII.
 */
const otherAscii =
  /charset\s*=\s*["']?(?:(?:[\w-]*-)?utf-?7|(?:cs)?scsu|(?:cs)?bocu-?1|[\w-]*ebcdic[\w-]*|utf-ebcdic|(?:x-)?(?:cs)?(?:ibm|cp|ccsid)[-_]?0*(?:37|27[378]|28[0-57]|290|297|42[0-4]|500|83[38]|87[015]|880|905|918|924|93[035-79]|1025|1026|1047|1097|1112|112[23]|11[34]\d|1364|1371|1388|1390|1399))(?![a-z0-9])/i;

/** Whether the value between these positions names a charset that needs a closer look. Nearly all are UTF-8, or none. */
export function mayHideText(bytes: Buffer, start: number, end: number): boolean {
  let at = start;
  while (at < end && bytes[at] !== semicolon) at += 1;
  return at < end && !isType(bytes, end - utf8.length, end, utf8);
}

const utf8 = 'charset=utf-8';

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
    if (lowerCased(bytes[start + index] as number) !== type.charCodeAt(index)) return false;
  }
  const next = bytes[start + length];
  return type.endsWith('/') || start + length === end || next === semicolon || next === space;
}

function lowerCased(byte: number): number {
  return byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte;
}

const semicolon = 0x3b;
const space = 0x20;

/**
 * Why a textual response with these fields cannot be searched; `undefined` where it can. Such a response is refused:
 * a service could return the secret in it unnoticed.
 */
export function unreadable(status: number, fields: BodyFields): string | undefined {
  if (!isTextual(fields.contentType)) return undefined;
  if (fields.contentType !== undefined && otherAscii.test(fields.contentType))
    return 'the response is in a charset that cannot be searched';
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
