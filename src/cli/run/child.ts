import { spawn } from 'node:child_process';
import { inheritedStreams } from './descriptors.ts';
import { notStarted } from './not-started.ts';
import { exitCodeOf, isInForeground, startForwarding } from './signals.ts';

/** How long a command that is ended may take for its own end. */
const graceMs = 5_000;

/**
 * The exit code of `command`, 128+n for a signal, once it has ended: it has the streams, the terminal and the process
 * group of this process. Once `stop` resolves, the command is ended. Rejects with `CommandNotFound` or `CommandNotExecutable` when it could not be started.
 */
export function runChild(
  command: string,
  commandArguments: readonly string[],
  env: Readonly<Record<string, string>>,
  stop: Promise<unknown>,
): Promise<number> {
  const child = startForwarding(
    () => spawn(command, commandArguments, { stdio: inheritedStreams(), env }),
    isInForeground,
  );
  void stop.then(() => {
    child.kill('SIGTERM');
    setTimeout(() => child.kill('SIGKILL'), graceMs).unref();
  });
  return new Promise((resolve, reject) => {
    child.once('error', (error: NodeJS.ErrnoException) => reject(notStarted(child.spawnfile, error)));
    child.once('exit', (code, signal) => resolve(exitCodeOf(code, signal)));
  });
}
