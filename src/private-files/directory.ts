import { mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { AuthsomeError, isStorageFull } from '../errors.ts';

/**
 * Makes a directory (0700) and what is missing above it; one that is there already stays as it is. Throws `StorageFull`
 * or `HomeNotUsable`.
 */
export function makePrivateDirectory(path: string): void {
  try {
    make(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (isStorageFull(code)) {
      throw new AuthsomeError('StorageFull', `no space left to make ${path}`, { cause: error });
    }
    const reason =
      code === 'ENOENT' ? 'its file system takes no new directories' : (code ?? 'unknown reason');
    throw new AuthsomeError('HomeNotUsable', `${path} cannot be made (${reason})`, {
      hint: 'Set AUTHSOME_HOME to a directory that you can write to.',
      cause: error,
    });
  }
}

/**
 * Goes up once and down once. Node's own way of making parents starts over for ever where a file system answers ENOENT
 * although the parent is there, as /proc does, and of a disk that is read-only it says ENOENT.
 */
function make(path: string): void {
  if (madeHere(path)) return;
  make(dirname(path));
  if (!madeHere(path)) throw Object.assign(new Error('no such directory'), { code: 'ENOENT' });
}

/** Whether the directory is there now; `false` where it has no parent to be in, or so the file system says. */
function madeHere(path: string): boolean {
  try {
    mkdirSync(path, { mode: 0o700 });
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // EEXIST of Linux; Windows has other words for a drive.
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) return true;
    if (code === 'ENOENT' && dirname(path) !== path) return false;
    throw error;
  }
}
