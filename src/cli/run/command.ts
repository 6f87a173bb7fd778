import { AuthsomeError } from '../../errors.ts';
import type { CliOptions } from '../cli.ts';
import type { GlobalFlags } from '../global-flags.ts';
import { readRunArguments } from './arguments.ts';

/** The exit code of the child, or `help` when that was asked for instead. */
export async function runCommand(
  options: CliOptions & { readonly flags: GlobalFlags },
): Promise<number | 'help'> {
  const told = readRunArguments(options.args, options.flags);
  if (told.flags.help) return 'help';
  throw new AuthsomeError('DaemonUnavailable', 'the daemon does not answer');
}
