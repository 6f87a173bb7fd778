import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Keychain, resolveMasterKey } from './index.ts';
import { createKeyFile } from './key-file.ts';
import { encodeKey } from './key-text.ts';
import type { MasterKeyOptions } from './master-key.ts';

let directory: string;
let keyFile: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'authsome-key-'));
  keyFile = join(directory, 'master.key');
});

afterEach(() => rmSync(directory, { recursive: true }));

const [one, two, three] = [randomBytes(32), randomBytes(32), randomBytes(32)];

function keychainWith(
  stored?: Uint8Array,
  failing: 'read' | 'store' | 'nothing' = 'nothing',
): Keychain & { stored: Uint8Array | undefined } {
  const keychain = {
    entry: 'authsome (/home)',
    stored,
    async read() {
      if (failing === 'read') throw new Error('silent');
      return keychain.stored;
    },
    async store(key: Uint8Array) {
      if (failing !== 'nothing') throw new Error('locked');
      keychain.stored = key;
    },
    remove: async () => false,
  };
  return keychain;
}

const resolve = (options: Partial<MasterKeyOptions> = {}) =>
  resolveMasterKey({
    masterKey: undefined,
    masterKeyFile: undefined,
    serverDirectory: directory,
    vaultExists: false,
    keychain: undefined,
    randomBytes,
    ...options,
  });

function writeKey(path: string, key: Uint8Array, mode = 0o600): void {
  writeFileSync(path, `${encodeKey(key)}\n`, { mode });
  chmodSync(path, mode);
}

describe('the master key', () => {
  it('comes from the environment before anything else', async () => {
    writeKey(keyFile, two);
    const keychain = keychainWith(three);
    expect(await resolve({ masterKey: encodeKey(one), masterKeyFile: keyFile, keychain })).toEqual({
      key: one,
      source: 'env',
    });
  });

  it('then from the file that the environment names, then the keychain, then server/master.key', async () => {
    const named = join(directory, 'named');
    writeKey(named, one);
    writeKey(keyFile, two);
    expect(await resolve({ masterKeyFile: named, keychain: keychainWith(three) })).toEqual({
      key: one,
      source: 'env_file',
    });
    expect(await resolve({ keychain: keychainWith(three) })).toEqual({ key: three, source: 'keychain' });
    expect(await resolve({ keychain: keychainWith() })).toEqual({ key: two, source: 'file' });
    expect(await resolve({ keychain: keychainWith(undefined, 'read') })).toEqual({
      key: two,
      source: 'file',
    });
  });

  it('is made in the keychain where there is one, and no file is written', async () => {
    const keychain = keychainWith();
    const made = await resolve({ keychain });
    expect(made).toEqual({ key: keychain.stored, source: 'keychain' });
    expect(made.key).toHaveLength(32);
    expect(readdirSync(directory)).toEqual([]);
  });

  it.each([
    ['absent', undefined],
    ['silent', keychainWith(undefined, 'read')],
    ['locked', keychainWith(undefined, 'store')],
  ])('is made in a private file when the keychain is %s', async (_, keychain) => {
    const made = await resolve({ keychain });
    expect(made.source).toBe('file');
    expect(statSync(keyFile).mode & 0o777).toBe(0o600);
    expect(readdirSync(directory)).toEqual(['master.key']);
    expect(readFileSync(keyFile, 'utf8')).toBe(`${encodeKey(made.key)}\n`);
    expect(await resolve({ keychain, vaultExists: true })).toEqual(made);
  });

  it.each([
    ['absent', undefined, /missing/],
    ['empty', keychainWith(), /missing/],
    ['silent', keychainWith(undefined, 'read'), /did not respond/],
  ])('is never made when a vault exists and the keychain is %s', async (_, keychain, message) => {
    const lost = expect(resolve({ keychain, vaultExists: true })).rejects;
    await lost.toMatchObject({
      code: 'WrongMasterKey',
      message: expect.stringMatching(message),
      hint: expect.stringContaining('AUTHSOME_MASTER_KEY'),
    });
    expect(existsSync(keyFile)).toBe(false);
    expect(keychain?.stored).toBeUndefined();
  });

  it('is the one of two stored keys that opens the vault', async () => {
    writeKey(keyFile, two);
    const opensVault = (key: Uint8Array): boolean => Buffer.compare(key, two) === 0;
    const found = await resolve({ keychain: keychainWith(three), vaultExists: true, opensVault });
    expect(found).toEqual({ key: two, source: 'file' });
  });

  it.each([
    ['not base64 at all!'],
    [''],
    [encodeKey(one.subarray(1))],
    [`${encodeKey(one)}AAAA`],
    [one.toString('hex')],
  ])('is refused, unquoted, when it is not 32 bytes in base64 (%#)', async (text) => {
    const error: unknown = await resolve({ masterKey: text }).catch((reason: unknown) => reason);
    expect(error).toMatchObject({
      code: 'WrongMasterKey',
      message: expect.stringContaining('AUTHSOME_MASTER_KEY'),
    });
    if (text !== '') expect(String(error)).not.toContain(text);
  });
});

describe('a key file', () => {
  it.each([0o640, 0o604, 0o644, 0o620, 0o601])(
    'with mode %o is refused with the command that fixes it',
    async (mode) => {
      writeKey(keyFile, one, mode);
      await expect(resolve()).rejects.toMatchObject({
        code: 'HomeNotUsable',
        hint: `Run: chmod 600 ${keyFile}`,
      });
      await expect(resolve({ masterKeyFile: keyFile })).rejects.toMatchObject({ code: 'HomeNotUsable' });
    },
  );

  it('may be read-only', async () => {
    writeKey(keyFile, one, 0o400);
    expect(await resolve()).toEqual({ key: one, source: 'file' });
  });

  it('is not followed through a symbolic link, even a dangling one', async () => {
    const target = join(directory, 'target');
    symlinkSync(target, keyFile);
    await expect(resolve()).rejects.toMatchObject({
      code: 'HomeNotUsable',
      message: expect.stringContaining('symbolic link'),
    });
    expect(existsSync(target)).toBe(false);
    writeKey(target, one);
    await expect(resolve()).rejects.toMatchObject({ code: 'HomeNotUsable' });
  });

  it('that the environment names must exist', async () => {
    const missing = join(directory, 'missing');
    await expect(resolve({ masterKeyFile: missing })).rejects.toMatchObject({
      code: 'WrongMasterKey',
      message: expect.stringContaining(missing),
    });
    expect(existsSync(missing)).toBe(false);
  });

  it('must be a file', async () => {
    await expect(resolve({ masterKeyFile: directory })).rejects.toMatchObject({ code: 'HomeNotUsable' });
  });

  it('that another process created first is used', () => {
    writeKey(keyFile, one);
    expect(createKeyFile(keyFile, two)).toEqual(one);
    expect(readdirSync(directory)).toEqual(['master.key']);
  });
});
