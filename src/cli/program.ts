import { AuthsomeError } from '../errors.ts';
import type { CliOptions } from './cli.ts';

/** The exit code of any command but `run`. */
export async function runProgram(options: CliOptions): Promise<number> {
  throw new AuthsomeError('Usage', `unknown command: ${options.args[0] ?? ''}`);
}
