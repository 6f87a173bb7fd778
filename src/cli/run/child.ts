import { spawn } from 'node:child_process';
import { inheritedStreams } from './descriptors.ts';
import { notStarted } from './not-started.ts';
import { exitCodeOf, isInForeground, startForwarding } from './signals.ts';

/**
 * The exit code of `command`, 128+n for a signal, once it has ended: it has the streams, the terminal and the process
 * group of this process. Rejects with `CommandNotFound` or `CommandNotExecutable` when it could not be started.
 */
export function runChild(
  command: string,
  commandArguments: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<number> {
  const child = startForwarding(
    () => spawn(command, commandArguments, { stdio: inheritedStreams(), env }),
    isInForeground,
  );
  return new Promise((resolve, reject) => {
    child.once('error', (error: NodeJS.ErrnoException) => reject(notStarted(child.spawnfile, error)));
    child.once('exit', (code, signal) => resolve(exitCodeOf(code, signal)));
  });
}
