import type { Command } from 'commander';
import type { Client, DaemonOptions } from '../client/index.ts';
import type { Environment } from '../environment.ts';
import type { Settings } from '../settings.ts';
import type { Questions } from './questions.ts';
import type { Terminal } from './terminal.ts';

/** What every command gets: where to write, what it was started with, and how to reach the daemon. */
export interface CommandContext {
  readonly terminal: Terminal;
  /** `undefined` where nobody can answer. */
  readonly questions: Questions | undefined;
  readonly environment: Environment;
  readonly platform: NodeJS.Platform;
  readonly version: string;
  readonly packageName: string;
  /** Absolute path of the folder with the manual. */
  readonly docs: string;
  /** File with the bundled providers' names as a JSON list, which the build writes for completion. */
  readonly bundledNames: string;
  /** File with what the bundled definitions say about keys, which the build writes for daemons on other machines. */
  readonly bundledKeys: string;
  /** Parsed on first use, so that help works in any environment. Throws `Usage`. */
  settings(): Settings;
  /** Connects on first call. Starts the daemon if it is this machine's own. */
  client(): Promise<Client>;
  daemon(): Promise<DaemonOptions>;
  /** Every command with its options: for completion and `help <command>`. */
  fullProgram(): Promise<Command>;
  readonly now: () => number;
}

/** The exit code of a command that did not throw; `undefined` means 0. */
// biome-ignore lint/suspicious/noConfusingVoidType: a command that only prints returns nothing at all.
export type Outcome = number | void;
