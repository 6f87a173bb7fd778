/**
 * What a person types and reads: one file per command, and the terminal's output. Commands are loaded only when
 * they are asked for.
 */
export { runCli } from './cli.ts';
export type { CliOptions } from './options.ts';
