import type { Environment } from '../environment.ts';

/** What the process was started with. */
export interface CliOptions {
  readonly args: readonly string[];
  /** Path of the running program: what to start as `<node> <entry> daemon serve`. */
  readonly entry: string;
  readonly environment: Environment;
  readonly version: string;
  /** As npm knows it. */
  readonly packageName: string;
}
