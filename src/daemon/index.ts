/**
 * The daemon: the one process that opens the vaults, serves the API and the pages, and runs the proxy. This room is its
 * life, from start to graceful stop.
 */
export { forgetKeychain, type ServeOptions, serveDaemon } from './serve.ts';
