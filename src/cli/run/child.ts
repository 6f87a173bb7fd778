import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { AuthsomeError, systemReason } from '../../errors.ts';
import { inheritedStreams } from './descriptors.ts';
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

function notStarted(command: string, error: NodeJS.ErrnoException): AuthsomeError {
  if (error.code !== 'ENOENT') {
    const reason = error.code === 'EACCES' ? 'it is not executable' : systemReason(error);
    return new AuthsomeError('CommandNotExecutable', `cannot run ${command}: ${reason}`, {
      hint: `Check its mode: ls -ld ${command}`,
      cause: error,
    });
  }
  if (command.includes('/') && existsSync(command)) {
    return new AuthsomeError(
      'CommandNotExecutable',
      `cannot run ${command}: the interpreter that its first line names does not exist`,
      { hint: `Check it: head -n 1 ${command}`, cause: error },
    );
  }
  return new AuthsomeError('CommandNotFound', `command not found: ${command}`, { cause: error });
}
