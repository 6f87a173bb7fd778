import { flagsMeant, readHead } from './global-flags.ts';
import type { CliOptions } from './options.ts';
import { runCommand } from './run/command.ts';
import type { Terminal } from './terminal.ts';

/**
 * The exit code of the command in `args`. `run` has a path of its own, since agents start through it all day: no option
 * parser, no output streams, only the client.
 */
export async function runCli(options: CliOptions): Promise<number> {
  try {
    const head = readHead(options.args);
    if (head.command === 'run' && !head.flags.help && !head.flags.version) {
      const outcome = await runCommand({ ...options, args: head.rest, flags: head.flags });
      // At once: everything is printed, and the kernel closes what is open.
      if (outcome !== 'help') process.exit(outcome);
    }
    const { runProgram } = await import('./program.ts');
    return await runProgram(options);
  } catch (error) {
    const [{ showFailure, withTypedCommand }, { processTerminal }] = await Promise.all([
      import('./failure.ts'),
      import('./terminal.ts'),
    ]);
    const flags = flagsMeant(options.args);
    let terminal: Terminal;
    try {
      terminal = processTerminal(flags, options.environment);
    } catch {
      // It is the log file that cannot be written.
      terminal = processTerminal({ ...flags, logFile: undefined }, options.environment);
    }
    return showFailure(terminal, withTypedCommand(error, options.args));
  }
}
