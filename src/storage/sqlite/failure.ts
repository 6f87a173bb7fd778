import { shellWord } from '../../command-line.ts';
import { AuthsomeError, isStorageFull, systemReason } from '../../errors.ts';

// Primary result codes, https://sqlite.org/rescode.html
const busy = 5;
const readonly = 8;
const ioError = 10;
const corrupt = 11;
const full = 13;
const cannotOpen = 14;
const notADatabase = 26;
const sharedMemorySize = 4874;

/** The packaged SQLite sometimes reports only the message of a code. SQLite never changes these messages. */
const codeOfMessage: ReadonlyMap<string, number> = new Map([
  ['database is locked', busy],
  ['attempt to write a readonly database', readonly],
  ['disk I/O error', ioError],
  ['database disk image is malformed', corrupt],
  ['database or disk is full', full],
  ['unable to open database file', cannotOpen],
  ['file is not a database', notADatabase],
]);

/** Whether another process has the database locked right now. */
export function isBusy(error: unknown): boolean {
  return primaryCode(error) === busy;
}

/** The AuthsomeError for what SQLite reported about `path`; any other error is returned unchanged. */
export function sqliteFailure(error: unknown, path: string): unknown {
  if (extendedCode(error) === sharedMemorySize) return storageFull(path, error);
  switch (primaryCode(error)) {
    case corrupt:
    case notADatabase:
      return new AuthsomeError('DatabaseCorrupt', `the database is damaged or is not a database: ${path}`, {
        hint: `Restore its directory from a backup while no daemon is running. Without a backup, start over: mv ${shellWord(path)} ${shellWord(`${path}.damaged`)}`,
        cause: error,
      });
    case full:
      return storageFull(path, error);
    case busy:
      return new AuthsomeError('HomeNotUsable', `another process has locked the database: ${path}`, {
        hint: 'Run the command again. If it happens again: authsome daemon restart',
        cause: error,
      });
    case readonly:
      return new AuthsomeError('HomeNotUsable', `the database cannot be written: ${path}`, {
        hint: 'Make the file and its directory writable for you, or set AUTHSOME_HOME to a directory that is.',
        cause: error,
      });
    case cannotOpen:
      return new AuthsomeError('HomeNotUsable', `the database cannot be opened: ${path}`, {
        hint: 'Make the file and its directory readable and writable for you, or set AUTHSOME_HOME to another one.',
        cause: error,
      });
    case ioError:
      return new AuthsomeError('HomeNotUsable', `reading or writing failed on the disk holding ${path}`, {
        hint: 'Check the disk (space, quota, mount), then run: authsome daemon restart',
        cause: error,
      });
    default:
      return error;
  }
}

/** The AuthsomeError for a failed file-system call on `path`. */
export function fileFailure(error: unknown, doing: string, path: string): AuthsomeError {
  if (isStorageFull((error as NodeJS.ErrnoException).code)) return storageFull(path, error);
  return new AuthsomeError('HomeNotUsable', `cannot ${doing} ${path}: ${systemReason(error)}`, {
    hint: 'Make its directory writable for you, or set AUTHSOME_HOME to a directory that is.',
    cause: error,
  });
}

function storageFull(path: string, cause: unknown): AuthsomeError {
  return new AuthsomeError('StorageFull', `no space left on the disk holding ${path}`, { cause });
}

function primaryCode(error: unknown): number | undefined {
  const code = extendedCode(error);
  return code === undefined ? undefined : code & 0xff;
}

function extendedCode(error: unknown): number | undefined {
  if (!(error instanceof Error)) return undefined;
  if ('errcode' in error && typeof error.errcode === 'number') return error.errcode;
  return codeOfMessage.get(error.message);
}
