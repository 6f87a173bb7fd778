/**
 * The process that owns the vault, the sign-ins, the proxy and the pages: its HTTP routes, who may call them,
 * and its life from start to graceful stop.
 */
export { type ServeOptions, serveDaemon } from './serve.ts';
