/**
 * The daemon's API as its callers see it: wire types, the typed and signed client, and finding or starting the
 * daemon of a home.
 */

export { type Client, createClient } from './client.ts';
export {
  addressInUse,
  ensureDaemon,
  findDaemon,
  forgetKeychain,
  restartDaemon,
  stopDaemon,
} from './daemon.ts';
export { environmentToServe, isInsideRun } from './daemon-environment.ts';
export type { DaemonOptions } from './daemon-options.ts';
export type { RunLease } from './run-lease.ts';
export type * from './wire.ts';
export type * from './wire-previews.ts';
export type * from './wire-runs.ts';
