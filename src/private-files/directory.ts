import { mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { AuthsomeError, isStorageFull, systemReason } from '../errors.ts';

const reasons: ReadonlyMap<string | undefined, string> = new Map([
  ['ENOENT', 'its file system does not allow new directories'],
  ['EEXIST', 'a file is in its place'],
  ['ENOTDIR', 'a file is in the place of a parent'],
]);

/**
 * Creates a directory (0700) and its missing parents; one that exists stays as it is. Throws `StorageFull`
 * or `HomeNotUsable`.
 */
export function makePrivateDirectory(path: string): void {
  try {
    make(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (isStorageFull(code)) {
      throw new AuthsomeError('StorageFull', `no space left to create ${path}`, { cause: error });
    }
    const reason = reasons.get(code) ?? systemReason(error);
    throw new AuthsomeError('HomeNotUsable', `${path} cannot be created (${reason})`, {
      hint: 'Set AUTHSOME_HOME to a directory that you can write to.',
      cause: error,
    });
  }
}

/**
 * Goes up once and down once. Node's own recursive option loops forever where a file system reports ENOENT although the
 * parent exists, as /proc does, and it reports ENOENT for a read-only disk.
 */
function make(path: string): void {
  if (madeHere(path)) return;
  make(dirname(path));
  if (!madeHere(path)) throw Object.assign(new Error('no such directory'), { code: 'ENOENT' });
}

/** Whether the directory exists now; `false` where the file system reports that its parent does not. */
function madeHere(path: string): boolean {
  try {
    mkdirSync(path, { mode: 0o700 });
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // EEXIST on Linux; Windows has other codes for a drive.
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) return true;
    if (code === 'ENOENT' && dirname(path) !== path) return false;
    throw error;
  }
}
