import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { AuthsomeError } from '../../errors.ts';
import { countOption } from '../arguments.ts';
import type { CommandModule } from '../command-table.ts';
import type { CommandContext } from '../context.ts';
import { addExamples } from '../help-text.ts';
import { exitCodeOf, isInForeground, startForwarding } from '../run/signals.ts';
import { restart, start, status, stop } from './daemon/life.ts';
import { showLogFile } from './daemon/log-file.ts';

export const build: CommandModule['build'] = (command, context, finish) => {
  const sub = (name: string, description: string) => command.command(name).description(description);

  addExamples(sub('start', 'start it in the background, unless it runs'), [
    ['authsome daemon start', ''],
  ]).action(() => finish(start(context)));
  addExamples(sub('stop', 'stop it').option('--when-idle', 'only when its last run has ended', false), [
    ['authsome daemon stop', ''],
  ]).action(({ whenIdle }: { whenIdle: boolean }) => finish(stop(context, { whenIdle })));
  addExamples(sub('restart', 'stop it and start it again, runs or no runs'), [
    ['authsome daemon restart', ''],
  ]).action(() => finish(restart(context)));
  addExamples(sub('status', 'tell whether it runs, and where'), [
    ['authsome daemon status --json', ''],
  ]).action(() => finish(status(context)));
  addExamples(
    sub('logs', 'show what it wrote')
      .option('-n, --lines <count>', 'how many lines', countOption(1), 50)
      .option('-f, --follow', 'go on as it writes', false),
    [['authsome daemon logs --follow', '']],
  ).action(({ lines, follow }: { lines: number; follow: boolean }) =>
    finish(
      showLogFile(context, { file: join(context.settings().home, 'logs', 'daemon.log'), lines, follow }),
    ),
  );
  addExamples(sub('serve', 'be the daemon, in the foreground'), [
    ['authsome daemon serve', 'in a container'],
  ]).action(() => finish(serve(context)));
  addExamples(command, [
    ['authsome daemon status', ''],
    ['authsome daemon logs --follow', ''],
  ]);
};

/**
 * Reached only when global flags stand around `daemon serve`: the process then starts the plain one, since this side
 * never loads the daemon.
 */
async function serve(context: CommandContext): Promise<number> {
  const { launch } = await context.daemon();
  const child = startForwarding(
    () => spawn(launch.execPath, [launch.entry, 'daemon', 'serve'], { stdio: 'inherit' }),
    isInForeground,
  );
  return new Promise((resolve, reject) => {
    child.once('error', (error) =>
      reject(new AuthsomeError('DaemonUnavailable', 'the daemon could not be started', { cause: error })),
    );
    child.once('exit', (code, signal) => resolve(exitCodeOf(code, signal)));
  });
}
