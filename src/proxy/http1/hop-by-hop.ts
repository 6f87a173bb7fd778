import { Field } from './fields.ts';

type Place = 'request' | 'response' | 'http2';

/**
 * Fields that concern one connection only, and so are not relayed (RFC 9110 §7.6.1), by where they are taken out:
 * HTTP/1 requests, HTTP/1 responses, HTTP/2 messages of both kinds. The places differ where the protocols do.
 */
const table: readonly (readonly [name: string, kind: number, places: readonly Place[]])[] = [
  ['connection', Field.connection, ['request', 'response', 'http2']],
  ['keep-alive', Field.keepAlive, ['request', 'response', 'http2']],
  ['proxy-connection', Field.proxyConnection, ['request', 'response', 'http2']],
  ['proxy-authenticate', Field.proxyAuthenticate, ['request', 'response', 'http2']],
  // These two mean something in requests alone. HTTP/2 has one list for both kinds of message.
  ['proxy-authorization', Field.proxyAuthorization, ['request', 'http2']],
  ['http2-settings', Field.http2Settings, ['request', 'http2']],
  // HTTP/2 allows `te: trailers` (RFC 9113 §8.2.2), so its requests look at the value.
  ['te', Field.te, ['request', 'response']],
  // Responses 101 and 426 keep theirs.
  ['upgrade', Field.upgrade, ['request', 'http2']],
  // HTTP/2 has frames, and `:authority` (RFC 9113 §8.2.2, §8.3.1); HTTP/1 relays the framing, and writes its own Host.
  ['transfer-encoding', Field.transferEncoding, ['http2']],
  ['host', Field.host, ['http2']],
];

/** 1 for the kinds of field that an HTTP/1 request loses. */
export const hopByHopInRequest = kindsIn('request');
/** 1 for the kinds of field that an HTTP/1 response loses. */
export const hopByHopInResponse = kindsIn('response');
/** Names, in lower case, that an HTTP/2 message loses. */
export const hopByHopInHttp2: ReadonlySet<string> = new Set(rowsIn('http2').map(([name]) => name));

function rowsIn(place: Place) {
  return table.filter(([, , places]) => places.includes(place));
}

function kindsIn(place: Place): Uint8Array {
  const kinds = new Uint8Array(Object.keys(Field).length);
  for (const [, kind] of rowsIn(place)) kinds[kind] = 1;
  return kinds;
}
