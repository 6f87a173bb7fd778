/**
 * The runs that may use the proxy: each run's token, compared in constant time; what is open for the run, so that a
 * revocation or the run's end reaches it at once; and the monitor that ends what is idle.
 */
export { IdleMonitor, type Monitored } from './idle-monitor.ts';
export { type CompiledRoute, type Live, LiveRun } from './live-run.ts';
export { proxyUrl, TokenRegistry } from './token.ts';
