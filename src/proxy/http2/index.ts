/**
 * HTTP/2 on node:http2, for clients and upstreams that support nothing else, such as gRPC. Streams are relayed one to
 * one, with flow control, trailers and resets from end to end (RFC 9113), and extended CONNECT for WebSocket (RFC 8441).
 * Loaded only when needed.
 */
export { serveHttp2 } from './serve.ts';
export { sessionPoolOf } from './sessions.ts';
