import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  linkSync,
  lstatSync,
  openSync,
  readFileSync,
  type Stats,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { AuthsomeError } from '../errors.ts';
import { makePrivateDirectory } from '../private-files/index.ts';
import type { Identity } from './identity.ts';
import { identityOf, isHandle, keyFromSeed, parsePrivateKey, seedLength } from './key.ts';

const { O_RDONLY, O_WRONLY, O_CREAT, O_EXCL } = constants;
/** Not defined on Windows, where there are no modes to check either. */
const O_NOFOLLOW = constants.O_NOFOLLOW ?? 0;
const hasModes = process.platform !== 'win32';
const fallbackHandle = 'default';

export interface LoadIdentityOptions {
  /** `identities/` of the home. */
  readonly directory: string;
  /** `AUTHSOME_IDENTITY`: which identity; otherwise the one in use, or the first one is made. */
  readonly handle?: string | undefined;
  /** `AUTHSOME_IDENTITY_KEY`: the private key itself, so that no file is read or written. */
  readonly key?: string | undefined;
  /** A name for the first identity, such as `user@host`; any text, made to fit. */
  readonly suggestedHandle?: string | undefined;
  readonly randomBytes: (size: number) => Uint8Array;
}

/**
 * The identity that asks: from the environment's key, or from `<directory>/<handle>.key`, which is made on first
 * use (0600, whole or not at all; of two processes that make it at once, both get the same one).
 * Throws `HomeNotUsable` for a file that others can read, a symlink or a broken key; `Usage` for a bad handle.
 */
export function loadIdentity(options: LoadIdentityOptions): Identity {
  const { directory, key } = options;
  const named = options.handle === undefined ? undefined : checkedHandle(options.handle);
  if (key !== undefined) {
    const hint = 'Set AUTHSOME_IDENTITY_KEY to 32 bytes in base64 or a PKCS #8 PEM, or unset it.';
    return identityOf(named ?? fallbackHandle, parsePrivateKey(key, 'AUTHSOME_IDENTITY_KEY', hint));
  }
  const exists = checkDirectory(directory);
  const currentFile = join(directory, 'current');
  const current = named === undefined && exists ? readCurrent(currentFile) : undefined;
  const handle = named ?? current ?? handleFrom(options.suggestedHandle);
  const file = join(directory, `${handle}.key`);
  const found = exists ? readPrivate(file) : undefined;
  if (found === undefined && current !== undefined) {
    throw new AuthsomeError('HomeNotUsable', `the key of the identity in use is missing: ${file}`, {
      hint: `Restore that file, or begin with a new identity: rm ${currentFile}`,
    });
  }
  const text = found ?? createKey(directory, file, options.randomBytes);
  if (named === undefined && current === undefined) {
    publish(directory, currentFile, `${handle}\n`, options.randomBytes);
  }
  const hint = `Restore ${file} from a backup, or move it away to begin with a new identity.`;
  return identityOf(handle, parsePrivateKey(text, file, hint));
}

function checkedHandle(text: string): string {
  if (isHandle(text)) return text;
  throw new AuthsomeError('Usage', `AUTHSOME_IDENTITY is not a handle: ${JSON.stringify(text)}`, {
    hint: 'Use lower-case letters, digits and . _ @ - (64 at most, a letter or digit first).',
  });
}

/** `text` as a handle: lower case, what does not fit becomes `-`. */
export function handleFrom(text: string | undefined): string {
  const slug = (text ?? '')
    .toLowerCase()
    .replace(/[^a-z0-9._@-]+/g, '-')
    .replace(/^[^a-z0-9]+/, '')
    .slice(0, 64)
    .replace(/[^a-z0-9]+$/, '');
  return isHandle(slug) ? slug : fallbackHandle;
}

function createKey(directory: string, file: string, randomBytes: LoadIdentityOptions['randomBytes']): string {
  const text = keyFromSeed(randomBytes(seedLength)).export({ format: 'pem', type: 'pkcs8' }).toString();
  makePrivateDirectory(directory);
  return publish(directory, file, text, randomBytes);
}

/**
 * What `file` holds afterwards: `text`, or what another process put there first. A hard link makes the whole
 * content appear at once and, unlike a rename, never replaces a key that is already in use.
 */
function publish(
  directory: string,
  file: string,
  text: string,
  randomBytes: LoadIdentityOptions['randomBytes'],
): string {
  const temporary = join(directory, `.${Buffer.from(randomBytes(8)).toString('hex')}.tmp`);
  let descriptor: number;
  try {
    descriptor = openSync(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
  } catch (error) {
    throw unusable(file, error);
  }
  try {
    try {
      writeSync(descriptor, text);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    linkSync(temporary, file);
    return text;
  } catch (error) {
    const winner = codeOf(error) === 'EEXIST' ? readPrivate(file) : undefined;
    if (winner === undefined) throw unusable(file, error);
    return winner;
  } finally {
    unlinkSync(temporary);
  }
}

function readCurrent(file: string): string | undefined {
  const handle = readPrivate(file)?.trim();
  if (handle === undefined || isHandle(handle)) return handle;
  throw new AuthsomeError('HomeNotUsable', `${file} does not name an identity`, { hint: `Run: rm ${file}` });
}

/** What a private file holds; `undefined` when there is none. */
function readPrivate(file: string): string | undefined {
  let descriptor: number;
  try {
    descriptor = openSync(file, O_RDONLY | O_NOFOLLOW);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw unusable(file, error);
  }
  try {
    const stats = fstatSync(descriptor);
    if (!stats.isFile()) throw notOurs(file, 'is not a regular file');
    checkMode(file, stats, '600');
    return readFileSync(descriptor, 'utf8');
  } finally {
    closeSync(descriptor);
  }
}

/** Whether the directory is there; throws when others could change what is in it. */
function checkDirectory(directory: string): boolean {
  let stats: Stats | undefined;
  try {
    stats = lstatSync(directory, { throwIfNoEntry: false });
  } catch (error) {
    throw unusable(directory, error);
  }
  if (stats === undefined) return false;
  if (!stats.isDirectory()) {
    throw notOurs(directory, stats.isSymbolicLink() ? 'is a symbolic link' : 'is not a directory');
  }
  checkMode(directory, stats, '700');
  return true;
}

function checkMode(path: string, stats: Stats, mode: '600' | '700'): void {
  if (!hasModes) return;
  const owner = process.getuid?.();
  if (owner !== undefined && stats.uid !== owner) throw notOurs(path, 'belongs to another user');
  if ((stats.mode & 0o077) === 0) return;
  throw new AuthsomeError('HomeNotUsable', `others can read or change ${path}`, {
    hint: `Run: chmod ${mode} ${path}`,
  });
}

function notOurs(path: string, what: string): AuthsomeError {
  return new AuthsomeError('HomeNotUsable', `${path} ${what}`, {
    hint: `Look at it and move it away: ls -ld ${path}`,
  });
}

function unusable(path: string, error: unknown): AuthsomeError {
  const code = codeOf(error);
  if (code === 'ELOOP') return notOurs(path, 'is a symbolic link');
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new AuthsomeError('StorageFull', `no space left to write ${path}`, { cause: error });
  }
  return new AuthsomeError('HomeNotUsable', `${path} cannot be used (${code ?? 'unknown reason'})`, {
    hint: `Look at it: ls -ld ${path}; or use another home: AUTHSOME_HOME`,
    cause: error,
  });
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
}
