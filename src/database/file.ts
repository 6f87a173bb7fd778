import { closeSync, constants, lstatSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { shellWord } from '../command-line.ts';
import { AuthsomeError } from '../errors.ts';
import { makePrivateDirectory } from '../private-files/index.ts';
import { fileFailure } from './failure.ts';

// Windows has neither symbolic modes nor this flag; access there is governed by the home's ACL.
const noFollow = constants.O_NOFOLLOW ?? 0;

/**
 * Makes sure that `path` is a private regular file before SQLite sees it: created empty with mode 0600 when it is
 * missing (SQLite alone would obey the umask; it copies this mode to `-wal` and `-shm`), refused when it is a
 * symbolic link or when others can read it.
 */
export function prepareDatabaseFile(path: string): void {
  makePrivateDirectory(dirname(path));
  try {
    closeSync(openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | noFollow, 0o600));
    return;
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) {
      throw fileFailure(error, 'create', path);
    }
  }
  for (const file of [path, `${path}-wal`, `${path}-shm`]) refuseUnsafe(file);
}

function refuseUnsafe(path: string): void {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (found.isSymbolicLink()) {
    throw new AuthsomeError('HomeNotUsable', `the database must not be a symbolic link: ${path}`, {
      hint: `Remove the link: rm ${shellWord(path)}. To keep the data elsewhere, set AUTHSOME_HOME.`,
    });
  }
  if (!found.isFile()) {
    throw new AuthsomeError('HomeNotUsable', `the database must be a regular file: ${path}`, {
      hint: 'Move it away, or set AUTHSOME_HOME to another directory.',
    });
  }
  if (process.platform !== 'win32' && (found.mode & 0o077) !== 0) {
    const mode = (found.mode & 0o777).toString(8).padStart(4, '0');
    throw new AuthsomeError('HomeNotUsable', `the database is open to other users (mode ${mode}): ${path}`, {
      hint: `Run: chmod 600 ${shellWord(path)}`,
    });
  }
}
