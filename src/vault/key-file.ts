import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  linkSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { AuthsomeError } from '../errors.ts';
import { makePrivateDirectory } from '../private-files/index.ts';
import { encodeKey, parseKey } from './key-text.ts';
import type { RandomBytes } from './seal.ts';

// Windows has neither of these flags nor modes that mean anything.
const noFollow = constants.O_NOFOLLOW ?? 0;
const nonBlocking = constants.O_NONBLOCK ?? 0;

/**
 * The key in a private file, `undefined` when there is no such file. Throws `HomeNotUsable` for a symbolic link
 * and for a file that others can read, `WrongMasterKey` when the content is not a key.
 */
export function readKeyFile(path: string): Uint8Array | undefined {
  const file = openForReading(path);
  if (file === undefined) return undefined;
  try {
    // The open file is judged, not the name: nobody can swap it between the check and the read.
    const found = fstatSync(file);
    if (!found.isFile()) throw refused(path, 'is not a regular file', 'Put the key into a regular file.');
    if (process.platform !== 'win32' && (found.mode & 0o077) !== 0) {
      const mode = (found.mode & 0o777).toString(8).padStart(4, '0');
      throw refused(path, `is open to other users (mode ${mode})`, `Run: chmod 600 ${quoted(path)}`);
    }
    return parseKey(readFileSync(file, 'utf8'), path);
  } finally {
    closeSync(file);
  }
}

/**
 * Writes `key` to a new private file and returns the key that the file holds: of two processes that create it at
 * once, both get the one that came first.
 */
export function createKeyFile(path: string, key: Uint8Array, randomBytes: RandomBytes): Uint8Array {
  const draft = `${path}.${Buffer.from(randomBytes(8)).toString('hex')}.new`;
  makePrivateDirectory(dirname(path));
  try {
    writeSynced(draft, `${encodeKey(key)}\n`);
    try {
      linkSync(draft, path);
      syncDirectory(dirname(path));
    } catch (error) {
      if (systemCode(error) !== 'EEXIST') throw error;
    }
  } catch (error) {
    throw failed(error, 'create', path);
  } finally {
    rmSync(draft, { force: true });
  }
  const stored = readKeyFile(path);
  if (stored === undefined) throw refused(path, 'vanished while it was made', 'Run the command again.');
  return stored;
}

function openForReading(path: string): number | undefined {
  try {
    return openSync(path, constants.O_RDONLY | noFollow | nonBlocking);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    if (systemCode(error) === 'ELOOP') {
      throw refused(path, 'is a symbolic link', 'Put the key into a regular file with mode 0600.');
    }
    throw failed(error, 'read', path);
  }
}

function writeSynced(path: string, text: string): void {
  const file = openSync(path, 'wx', 0o600);
  try {
    writeFileSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function syncDirectory(path: string): void {
  if (process.platform === 'win32') return;
  const directory = openSync(path, constants.O_RDONLY);
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}

function refused(path: string, why: string, hint: string): AuthsomeError {
  return new AuthsomeError('HomeNotUsable', `the key file ${why}: ${path}`, { hint });
}

function failed(error: unknown, doing: string, path: string): AuthsomeError {
  const code = systemCode(error) ?? 'unknown reason';
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new AuthsomeError('StorageFull', `no space left on the disk that holds ${path}`, { cause: error });
  }
  return new AuthsomeError('HomeNotUsable', `cannot ${doing} the key file ${path} (${code})`, {
    hint: 'Make the file and its directory accessible for you, or set AUTHSOME_MASTER_KEY.',
    cause: error,
  });
}

function systemCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined;
}

function quoted(path: string): string {
  return /^[\w@%+=:,./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}
