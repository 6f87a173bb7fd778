/**
 * Who may use the proxy: one token a run, compared in constant time, and what is open on a run's behalf, so that a
 * revocation or its end reaches it at once.
 */
export { type Live, LiveRun } from './live-run.ts';
export { proxyUrl, TokenRegistry } from './token.ts';
