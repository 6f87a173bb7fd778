/**
 * Who may use the proxy: one token a run, compared in constant time; what is open on a run's behalf, so that a revocation
 * or the run's end reaches it at once; and the watch for what has fallen silent.
 */
export { IdleMonitor, type Monitored } from './idle-monitor.ts';
export { type Live, LiveRun } from './live-run.ts';
export { proxyUrl, TokenRegistry } from './token.ts';
