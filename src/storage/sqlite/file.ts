import { closeSync, constants, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { makePrivateDirectory, requirePrivate } from '../../private-files/index.ts';
import { fileFailure } from './failure.ts';

// Windows has no such flag.
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
  for (const file of [path, `${path}-wal`, `${path}-shm`]) requirePrivate(file, 'file');
}
