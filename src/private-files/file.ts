import { randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  linkSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { shellWord } from '../command-line.ts';
import { AuthsomeError, isStorageFull, systemReason } from '../errors.ts';
import { requirePrivateStats } from './entry.ts';

// Windows has neither of these flags.
const noFollow = constants.O_NOFOLLOW ?? 0;
const nonBlocking = constants.O_NONBLOCK ?? 0;

/**
 * The text of a private file; `undefined` when there is none. Throws `HomeNotUsable` for a symbolic link, for anything but
 * a file, and for one that others own or can read. `anybody` may own one that a person named.
 */
export function readPrivateFile(path: string, owner: 'us' | 'anybody' = 'us'): string | undefined {
  let descriptor: number;
  try {
    descriptor = openSync(path, constants.O_RDONLY | noFollow | nonBlocking);
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(codeOf(error))) return undefined;
    throw fileFailure(path, 'read', error);
  }
  try {
    // The open file is checked, not the name: nobody can swap it between the check and the read.
    requirePrivateStats(path, fstatSync(descriptor), 'file', owner);
    return readFileSync(descriptor, 'utf8');
  } finally {
    closeSync(descriptor);
  }
}

/** Writes a file, or replaces it, atomically. It is 0600 from its first byte. */
export function writePrivateFile(path: string, text: string): void {
  withDraft(path, text, (draft) => renameSync(draft, path));
}

/**
 * Creates a file and returns its text: `text`, or what another process wrote first. A hard link makes the whole content
 * appear at once and, unlike a rename, never replaces a key that is already in use.
 */
export function createPrivateFile(path: string, text: string): string {
  let isOurs = true;
  withDraft(path, text, (draft) => {
    try {
      linkSync(draft, path);
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error;
      isOurs = false;
    }
  });
  if (isOurs) return text;
  const stored = readPrivateFile(path);
  if (stored !== undefined) return stored;
  throw new AuthsomeError('HomeNotUsable', `${path} was deleted while it was being created`, {
    hint: 'Run the command again.',
  });
}

/** Removes a file, so that no crash brings it back; nothing when there is none. */
export function removePrivateFile(path: string): void {
  try {
    rmSync(path, { force: true });
    syncDirectory(dirname(path));
  } catch (error) {
    throw fileFailure(path, 'written', error);
  }
}

/** Writes `text` to disk beside `path`, under a name that `publish` then replaces. */
function withDraft(path: string, text: string, publish: (draft: string) => void): void {
  const draft = `${path}.${randomBytes(6).toString('hex')}.new`;
  try {
    const descriptor = openSync(draft, 'wx', 0o600);
    try {
      writeFileSync(descriptor, text);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    publish(draft);
    syncDirectory(dirname(path));
  } catch (error) {
    throw fileFailure(path, 'written', error);
  } finally {
    rmSync(draft, { force: true });
  }
}

/** Brings the names in a directory to the disk, too. */
function syncDirectory(path: string): void {
  if (process.platform === 'win32') return;
  const directory = openSync(path, constants.O_RDONLY);
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}

/** The AuthsomeError for a failed file-system call on a file of the home. */
export function fileFailure(path: string, what: 'read' | 'written', error: unknown): AuthsomeError {
  const code = codeOf(error);
  // ENXIO: a pipe that nobody reads from.
  if (code === 'ELOOP' || code === 'ENXIO') {
    const kind = code === 'ELOOP' ? 'a symbolic link' : 'not a file';
    return new AuthsomeError('HomeNotUsable', `${path} is ${kind}`, {
      hint: `Check what it is, and move it away: ls -ld ${shellWord(path)}`,
    });
  }
  if (isStorageFull(code)) {
    return new AuthsomeError('StorageFull', `no space left to write ${path}`, { cause: error });
  }
  return new AuthsomeError('HomeNotUsable', `${path} cannot be ${what}: ${systemReason(error)}`, {
    hint: `Check it: ls -ld ${shellWord(what === 'read' ? path : dirname(path))}; or use another home: AUTHSOME_HOME`,
    cause: error,
  });
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? 'unknown reason';
}
