import { constants, type IncomingHttpHeaders, type OutgoingHttpHeaders, sensitiveHeaders } from 'node:http2';
import { foldHeaderName } from '../../providers/index.ts';
import type { CredentialUse } from '../authorize/index.ts';
import { type Coding, codingsOf, readableCodings } from '../coding/index.ts';
import type { Filled } from '../content/index.ts';
import { type Refusal, refuse } from '../decide/index.ts';
import {
  type Authority,
  hopByHopInHttp2,
  isForbiddenTrailer,
  isMethodOverride,
  isPathOverride,
  parseAuthority,
} from '../http1/index.ts';
import { type ForwardTarget, type InjectedFields, type Injection, writtenTarget } from '../inject/index.ts';
import type { Needles } from '../needles/index.ts';
import { fieldsAboutBytes, isTextual } from '../scrub/index.ts';

const visible = /^[\x21\x22\x24-\x7e]+$/;

export interface Http2Request extends ForwardTarget {
  readonly headers: IncomingHttpHeaders;
  /** Its HEADERS frame ended the stream. */
  readonly bodyless: boolean;
  /** The protocol of an extended CONNECT (RFC 8441). */
  readonly protocol: string | undefined;
  /** The methods that method-override headers ask for, as a list. */
  readonly methodOverride: string | undefined;
  /** The path that a path-override header asks for. */
  readonly pathOverride: string | undefined;
}

/**
 * A request in a tunnel to `authority`, or the refusal: its target must be there (RFC 9113 §8.3.1). `hostField` is the
 * usual spelling of the authority.
 */
export function readHttp2Request(
  headers: IncomingHttpHeaders,
  bodyless: boolean,
  authority: Authority,
  hostField: string,
): Http2Request | Refusal {
  const method = headers[':method'];
  const path = headers[':path'];
  const named = headers[':authority'] ?? headers.host;
  const protocol = headers[':protocol'];
  if (typeof method !== 'string' || typeof named !== 'string') {
    return refuse('MalformedRequest', 'a request lacks :method or :authority (RFC 9113 §8.3.1)');
  }
  if (method === 'CONNECT' && protocol === undefined) {
    return refuse('MalformedRequest', 'CONNECT cannot be used inside a tunnel');
  }
  if (typeof path !== 'string' || !isPath(method, path)) {
    return refuse(
      'MalformedRequest',
      'the :path is empty, or contains a character that has to be percent-encoded (RFC 9113 §8.3.1)',
    );
  }
  if (headers[':scheme'] !== 'https') {
    return refuse('PlainHttpRefused', 'an http:// target was requested inside an https tunnel');
  }
  for (const name of [named, headers.host ?? named]) {
    if (name === hostField) continue;
    const target = parseAuthority(name, 443);
    if (target === undefined) return refuse('MalformedRequest', 'the :authority is not a host and a port');
    if (target.host !== authority.host || target.port !== authority.port) {
      return refuse('TargetMismatch', ':authority names a different host than the tunnel was opened for');
    }
  }
  const question = path.indexOf('?');
  return {
    headers,
    bodyless,
    method,
    path: question === -1 ? path : path.slice(0, question),
    query: question === -1 ? '' : path.slice(question),
    host: hostField,
    protocol: typeof protocol === 'string' ? protocol : undefined,
    methodOverride: overrideIn(headers, isMethodOverride),
    pathOverride: overrideIn(headers, isPathOverride),
  };
}

function overrideIn(headers: IncomingHttpHeaders, isOne: (name: string) => boolean): string | undefined {
  let asked: string | undefined;
  for (const name in headers) {
    // Every one of their names begins so.
    if (name.charCodeAt(0) !== 0x78 || !isOne(name)) continue;
    asked = asked === undefined ? String(headers[name]) : `${asked}, ${headers[name]}`;
  }
  return asked;
}

function isPath(method: string, path: string): boolean {
  if (path === '*') return method === 'OPTIONS';
  return path.startsWith('/') && visible.test(path);
}

/** The header fields for the upstream. The credential replaces what the agent put in its places. */
export function requestHeaders(target: Http2Request, injection: Injection | undefined): OutgoingHttpHeaders {
  const { headers } = target;
  const injected = injection?.fieldsFor(target);
  const out: OutgoingHttpHeaders = {
    ':method': target.method,
    ':scheme': 'https',
    ':authority': target.host,
    ':path': writtenTarget(target, injected),
  };
  if (target.protocol !== undefined) out[':protocol'] = target.protocol;
  for (const name in headers) {
    if (
      name.startsWith(':') ||
      hopByHopInHttp2.has(name) ||
      injection?.names.includes(foldHeaderName(name)) === true
    )
      continue;
    if (name === 'te') {
      if (/(?:^|,)\s*trailers\s*(?:,|$)/i.test(String(headers.te))) out.te = 'trailers';
      continue;
    }
    out[name] = headers[name];
  }
  if (injection === undefined || injected === undefined) return out;
  const accepted = headers['accept-encoding'];
  const readable = injection.scrubbed && typeof accepted === 'string' ? readableCodings(accepted) : undefined;
  if (readable !== undefined) out['accept-encoding'] = readable;
  const { fields, added, names } = inLowerCase(injected);
  for (const [name, value] of fields) out[name] = value;
  for (const [name, value] of added) out[name] = out[name] === undefined ? value : `${out[name]}, ${value}`;
  // RFC 7541 §7.1.3: a credential is never put in a compression table.
  return Object.assign(out, { [sensitiveHeaders]: names });
}

/** The body with the credential in it, where it goes there; the header fields are made to fit. */
export function filledBody(
  { bytes, values }: { readonly bytes: Buffer; readonly values: readonly Filled[] },
  headers: OutgoingHttpHeaders,
  injection: Injection | undefined,
): Buffer {
  delete headers.expect;
  if (values.length === 0 || injection?.fill === undefined) return bytes;
  const filled = injection.fill(bytes, values);
  if (headers['content-length'] !== undefined) headers['content-length'] = filled.length;
  for (const name of fieldsAboutBytes) delete headers[name];
  return filled;
}

interface LowerCaseFields {
  readonly fields: readonly (readonly [name: string, value: string])[];
  readonly added: readonly (readonly [name: string, value: string])[];
  readonly names: string[];
}

const lowerCase = new WeakMap<InjectedFields, LowerCaseFields>();

/** The fields as HTTP/2 has them (RFC 9113 §8.2), made once for those that never change. */
function inLowerCase(injected: InjectedFields): LowerCaseFields {
  const known = lowerCase.get(injected);
  if (known !== undefined) return known;
  const pairs = (list: InjectedFields['fields']) =>
    list.map(({ name, value }) => [name.toLowerCase(), value] as const);
  const fields = pairs(injected.fields);
  const names = fields.map(([name]) => name);
  if (injected.path !== undefined || injected.parameters.length > 0) names.push(':path');
  const made = { fields, added: pairs(injected.added), names };
  lowerCase.set(injected, made);
  return made;
}

/** Whether the response's status is in the 2xx class. */
export function isSuccess(headers: IncomingHttpHeaders): boolean {
  return Math.floor(Number(headers[':status']) / 100) === 2;
}

/** The header fields for the client. */
export function responseHeaders(headers: IncomingHttpHeaders): OutgoingHttpHeaders {
  const out: OutgoingHttpHeaders = {};
  for (const name in headers) {
    // An agent may act on our own fields, so an upstream must not set them.
    if (hopByHopInHttp2.has(name) || name.startsWith('authsome-')) continue;
    if (name === constants.HTTP2_HEADER_STATUS || !name.startsWith(':')) out[name] = headers[name];
  }
  return out;
}

/** Trailers without hop-by-hop fields, at which Node throws, and without those that frame, route or authorize. */
export function relayedTrailers(trailers: IncomingHttpHeaders): OutgoingHttpHeaders {
  const out: OutgoingHttpHeaders = {};
  for (const name in trailers) {
    if (!hopByHopInHttp2.has(name) && !isForbiddenTrailer(name)) out[name] = trailers[name];
  }
  return out;
}

/** The fields that are added to an upstream's 401 or 403. */
export function refusalHeaders(
  headers: IncomingHttpHeaders,
  decision: string,
  advise: CredentialUse['advise'],
): OutgoingHttpHeaders {
  const status = Number(headers[':status']);
  if (status !== 401 && status !== 403) return {};
  const advice = advise(status, (name) => headers[name]?.toString());
  return { 'authsome-decision': decision, ...(advice === undefined ? {} : { 'authsome-hint': advice }) };
}

/** The content codings of a body that must be searched; `undefined` if it passes unchanged. */
export function codingsToScrub(
  headers: IncomingHttpHeaders,
  needles: Needles,
): readonly Coding[] | undefined {
  if (needles.isEmpty || !isTextual(headers['content-type'])) return undefined;
  return codingsOf(headers['content-encoding']);
}

const framing: ReadonlySet<string> = new Set(['content-length', 'content-encoding']);

/** The fields without secrets and, if the body changes in passing, without those that no longer apply to it. */
export function scrubHeaders(
  headers: OutgoingHttpHeaders,
  needles: Needles,
  changesBody: boolean,
): OutgoingHttpHeaders {
  if (needles.isEmpty) return headers;
  if (isClean(headers, needles)) return changesBody ? withoutFraming(headers) : headers;
  const scrub = (text: string): string => {
    const bytes = Buffer.from(text, 'latin1');
    const clean = needles.replaceIn(bytes);
    return clean === bytes ? text : clean.toString('latin1');
  };
  const out: OutgoingHttpHeaders = {};
  for (const [name, value] of Object.entries(changesBody ? withoutFraming(headers) : headers)) {
    if (typeof value === 'string') out[name] = scrub(value);
    else out[name] = Array.isArray(value) ? value.map(scrub) : value;
  }
  return out;
}

/** Searches all values at once: a search looks for many spellings, and most responses contain none. */
function isClean(headers: OutgoingHttpHeaders, needles: Needles): boolean {
  let values = '';
  for (const name in headers) {
    const value = headers[name];
    values += `${Array.isArray(value) ? value.join('\n') : value}\n`;
  }
  const bytes = Buffer.from(values, 'latin1');
  return needles.indexIn(bytes, 0, bytes.length) === -1;
}

function withoutFraming(headers: OutgoingHttpHeaders): OutgoingHttpHeaders {
  const out: OutgoingHttpHeaders = {};
  for (const name in headers) {
    if (!framing.has(name) && !fieldsAboutBytes.includes(name)) out[name] = headers[name];
  }
  return out;
}
