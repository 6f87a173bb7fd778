import { existsSync } from 'node:fs';
import { AuthsomeError, systemReason } from '../../errors.ts';

/** The error for a command that the system does not start. */
export function notStarted(command: string, error: Pick<NodeJS.ErrnoException, 'code'>): AuthsomeError {
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
