import { join } from 'node:path';
import { shellWord } from '../command-line.ts';
import { AuthsomeError } from '../errors.ts';
import {
  createPrivateFile,
  makePrivateDirectory,
  readPrivateFile,
  requirePrivate,
} from '../private-files/index.ts';
import type { Identity } from './identity.ts';
import { identityOf, isHandle, keyFromSeed, parsePrivateKey, seedLength } from './key.ts';

const fallbackHandle = 'default';

export interface LoadIdentityOptions {
  /** `identities/` of the home. */
  readonly directory: string;
  /** `AUTHSOME_IDENTITY`: which identity. Without it, the one in use, or a first one that is created. */
  readonly handle?: string | undefined;
  /** `AUTHSOME_IDENTITY_KEY`: the private key itself, so that no file is read or written. */
  readonly key?: string | undefined;
  /** A name for the first identity, such as `user@host`; any text, made to fit. */
  readonly suggestedHandle?: string | undefined;
  readonly randomBytes: (size: number) => Uint8Array;
}

/**
 * The identity that calls: from the environment's key, or from `<directory>/<handle>.key`, which is created on first
 * use (0600, atomically; two processes that create it at once get the same one).
 * Throws `HomeNotUsable` for a file that others can read, a symlink or a broken key; `Usage` for a bad handle.
 */
export function loadIdentity(options: LoadIdentityOptions): Identity {
  const { directory, key } = options;
  const named = options.handle === undefined ? undefined : checkedHandle(options.handle);
  if (key !== undefined) {
    const hint = 'Set AUTHSOME_IDENTITY_KEY to 32 bytes in base64 or a PKCS #8 PEM, or unset it.';
    return identityOf(named ?? fallbackHandle, parsePrivateKey(key, 'AUTHSOME_IDENTITY_KEY', hint));
  }
  const exists = requirePrivate(directory, 'directory');
  const currentFile = join(directory, 'current');
  const current = named === undefined && exists ? readCurrent(currentFile) : undefined;
  const handle = named ?? current ?? handleFrom(options.suggestedHandle);
  const file = join(directory, `${handle}.key`);
  const found = exists ? readPrivateFile(file) : undefined;
  if (found === undefined && current !== undefined) {
    throw new AuthsomeError('HomeNotUsable', `the key of the identity in use is missing: ${file}`, {
      hint: `Restore that file, or start with a new identity: rm ${shellWord(currentFile)}`,
    });
  }
  const text = found ?? createKey(directory, file, options.randomBytes);
  if (named === undefined && current === undefined) {
    createPrivateFile(currentFile, `${handle}\n`);
  }
  const hint = `Restore ${file} from a backup, or move it away to start with a new identity.`;
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
  return createPrivateFile(file, text);
}

function readCurrent(file: string): string | undefined {
  const handle = readPrivateFile(file)?.trim();
  if (handle === undefined || isHandle(handle)) return handle;
  throw new AuthsomeError('HomeNotUsable', `${file} does not name an identity`, {
    hint: `Run: rm ${shellWord(file)}`,
  });
}
