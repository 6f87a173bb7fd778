/**
 * Headers that frame, address or hop (RFC 9110 §7.6.1), or say how to read the body: a secret there would break or
 * redirect the request. Definitions are refused for them, and the proxy checks again before it writes a secret.
 */
const reserved = new Set([
  'connection',
  'content-encoding',
  'content-length',
  'content-type',
  'expect',
  'forwarded',
  'host',
  'http2-settings',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'via',
]);

/** Whether no credential can go into the header of this name, in whatever case, `_` for `-` included. */
export function isReservedHeader(name: string): boolean {
  const folded = foldHeaderName(name);
  return reserved.has(folded) || folded.startsWith('proxy-');
}

/** A header name as servers that take `_` for `-` see it. */
export function foldHeaderName(name: string): string {
  return name.toLowerCase().replaceAll('_', '-');
}
