/**
 * HTTP/2 on node:http2, where client or upstream speak nothing else (gRPC does): streams relayed one to one, with flow control,
 * trailers and resets from end to end (RFC 9113), and extended CONNECT for WebSocket (RFC 8441). Loaded when needed.
 */
export { serveHttp2 } from './serve.ts';
export { sessionPoolOf } from './sessions.ts';
