import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { AuthsomeError } from '../../errors.ts';
import type { CommandModule } from '../command-table.ts';
import type { CommandContext } from '../context.ts';
import { countOption } from '../count-option.ts';
import { addExamples } from '../help-text.ts';
import { exitCodeOf, isInForeground, startForwarding } from '../run/signals.ts';
import { restart, start, status, stop } from './daemon/life.ts';
import { showLogFile } from './daemon/log-file.ts';

export const build: CommandModule['build'] = (command, context, finish) => {
  const sub = (name: string, description: string) => command.command(name).description(description);

  addExamples(sub('start', 'start the daemon in the background, unless it is running'), [
    ['authsome daemon start', ''],
  ]).action(() => finish(start(context)));
  addExamples(sub('stop', 'stop the daemon').option('--when-idle', 'stop after the last run ends', false), [
    ['authsome daemon stop', ''],
  ]).action(({ whenIdle }: { whenIdle: boolean }) => finish(stop(context, { whenIdle })));
  addExamples(sub('restart', 'restart the daemon, even while runs are active'), [
    ['authsome daemon restart', ''],
  ]).action(() => finish(restart(context)));
  addExamples(sub('status', 'show whether the daemon is running, and where'), [
    ['authsome daemon status --json', ''],
  ]).action(() => finish(status(context)));
  addExamples(
    sub('logs', "show the daemon's log")
      .option('-n, --lines <count>', 'how many lines', countOption(1), 50)
      .option('-f, --follow', 'keep printing new lines', false),
    [['authsome daemon logs --follow', '']],
  ).action(({ lines, follow }: { lines: number; follow: boolean }) =>
    finish(
      showLogFile(context, { file: join(context.settings().home, 'logs', 'daemon.log'), lines, follow }),
    ),
  );
  addExamples(sub('serve', 'run the daemon in the foreground'), [
    ['authsome daemon serve', 'in a container'],
  ]).action(() => finish(serve(context)));
  addExamples(command, [
    ['authsome daemon status', ''],
    ['authsome daemon logs --follow', ''],
  ]);
};

/**
 * Reached only when there are global flags around `daemon serve`. This process then starts a plain `daemon serve`, since
 * the command line never loads the daemon.
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
