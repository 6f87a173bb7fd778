import type { Http2Stream } from 'node:http2';

/**
 * Resets a stream and lets go of it. A stream that was only reset may never close: not while the upstream allows no
 * further stream, nor once nghttp2 has given up the session.
 */
export function discard(stream: Http2Stream, code: number): void {
  stream.close(code);
  // Never in a frame's own callback: Node 22 crashes when the rest of the same read brings trailers for a stream that was
  // destroyed while its body was still arriving.
  setImmediate(() => stream.destroy());
}
