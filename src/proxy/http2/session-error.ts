import { constants } from 'node:http2';

const libraryError = 'ERR_HTTP2_ERROR';
/** The peer sent a GOAWAY with an error code. */
const endedByPeer = 'ERR_HTTP2_SESSION_ERROR';

/** nghttp2's own error numbers, and their names in RFC 9113 §7. */
const found: Readonly<Record<string, readonly [code: number, name: string]>> = {
  '-505': [constants.NGHTTP2_PROTOCOL_ERROR, 'PROTOCOL_ERROR'],
  '-510': [constants.NGHTTP2_STREAM_CLOSED, 'STREAM_CLOSED'],
  '-522': [constants.NGHTTP2_FRAME_SIZE_ERROR, 'FRAME_SIZE_ERROR'],
  '-523': [constants.NGHTTP2_COMPRESSION_ERROR, 'COMPRESSION_ERROR'],
  '-524': [constants.NGHTTP2_FLOW_CONTROL_ERROR, 'FLOW_CONTROL_ERROR'],
  '-903': [constants.NGHTTP2_PROTOCOL_ERROR, 'PROTOCOL_ERROR'],
  '-904': [constants.NGHTTP2_ENHANCE_YOUR_CALM, 'a flood of frames that demand replies'],
  '-905': [constants.NGHTTP2_ENHANCE_YOUR_CALM, 'a flood of CONTINUATION frames'],
};

interface Coded {
  readonly code?: unknown;
  readonly errno?: unknown;
}

/** The error code for the GOAWAY; `undefined` if Node's own is the best. */
export function codeFor(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  const { code, errno } = error as Coded;
  if (code === libraryError) return found[String(errno)]?.[0];
  return limits.has(String(code)) ? constants.NGHTTP2_ENHANCE_YOUR_CALM : undefined;
}

/** Limits of Node's own. */
const limits = new Set(['ERR_HTTP2_TOO_MANY_INVALID_FRAMES', 'ERR_HTTP2_TOO_MANY_CUSTOM_SETTINGS']);

/** The name of the client's HTTP/2 error, for the record; `undefined` if the client ended the connection, or it broke. */
export function nameOf(error: unknown): string | undefined {
  const { code, errno } = error as Coded;
  if (typeof code !== 'string' || !code.startsWith('ERR_HTTP2_') || code === endedByPeer) return undefined;
  return code === libraryError ? (found[String(errno)]?.[1] ?? `${code} ${errno}`) : code;
}
