import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Database, openTestStorage, sqliteStorage } from '../storage/test-storage.ts';
import {
  type Keychain,
  type PassphraseKey,
  passphraseKey,
  removePassphrase,
  setPassphrase,
  unlockVault,
} from './index.ts';
import type { KeyOptions } from './unlock.ts';

const passphrase = 'correct horse battery';
const record = { kind: 'connection', name: 'a/b', fields: {}, secrets: { key: 's3cret' } } as const;

let directory: string;
let keyFile: string;
let database: Database;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'authsome-passphrase-'));
  keyFile = join(directory, 'master.key');
  ({ database } = await openTestStorage(join(directory, 'authsome.db')));
  await (await unlock()).vault.write(record, 0);
});
afterEach(() => {
  database.close();
  rmSync(directory, { recursive: true });
});

type Changes = Partial<KeyOptions> & { readonly typed?: string };

function keyOptions({ typed, ...changes }: Changes = {}): KeyOptions & {
  readonly passphrase: PassphraseKey;
} {
  return {
    storage: sqliteStorage(database),
    masterKey: undefined,
    masterKeyFile: undefined,
    serverDirectory: directory,
    keychain: undefined,
    randomBytes,
    passphrase: passphraseKey({ typed, file: undefined }),
    ...changes,
  };
}

/** A start of the daemon: what opens the vault, and what is in it. */
async function unlock(changes: Changes = {}) {
  return unlockVault({ ...keyOptions(changes), vaultId: 'vault-1', nowMs: Date.now });
}

async function opensWith(changes: Changes = {}): Promise<string> {
  const { vault, keySource } = await unlock(changes);
  expect((await vault.read('connection', 'a/b'))?.secrets).toEqual(record.secrets);
  return keySource;
}

describe('a passphrase that is set', () => {
  it('takes the place of the key beside the vault, and opens it at the next start', async () => {
    expect(await setPassphrase(keyOptions(), passphrase)).toEqual(['passphrase']);
    expect(existsSync(keyFile)).toBe(false);
    expect(await opensWith({ typed: passphrase })).toBe('passphrase');
  });

  it('is needed, and the right one', async () => {
    await setPassphrase(keyOptions(), passphrase);
    await expect(unlock()).rejects.toMatchObject({ code: 'PassphraseNeeded' });
    await expect(unlock({ typed: `${passphrase}!` })).rejects.toMatchObject({ code: 'WrongPassphrase' });
    await expect(unlock({ typed: '' })).rejects.toMatchObject({ code: 'WrongPassphrase' });
    // No other key was made in its place.
    expect(existsSync(keyFile)).toBe(false);
  });

  it('is the same passphrase from a keyboard that composes letters in another way', async () => {
    await setPassphrase(keyOptions(), 'passphrase é ü 12');
    expect(await opensWith({ typed: 'passphrase e\u0301 u\u0308 12' })).toBe('passphrase');
  });

  it('leaves the running process with the key: it opens another vault without a question', async () => {
    const options = keyOptions();
    await setPassphrase(options, passphrase);
    const { keySource } = await unlockVault({ ...options, vaultId: 'vault-2', nowMs: Date.now });
    expect(keySource).toBe('passphrase');
    expect(existsSync(keyFile)).toBe(false);
  });

  it('can be changed, and then only the new one opens', async () => {
    await setPassphrase(keyOptions(), passphrase);
    await setPassphrase(keyOptions({ typed: passphrase }), 'another good one');
    await expect(unlock({ typed: passphrase })).rejects.toMatchObject({ code: 'WrongPassphrase' });
    expect(await opensWith({ typed: 'another good one' })).toBe('passphrase');
  });

  it.each([
    ['', 'the passphrase is empty'],
    ['eleven char', 'the passphrase has fewer than 12 characters'],
    ['correct horse\nbattery', 'the passphrase contains a line break or another control character'],
    ['x'.repeat(1_025), 'the passphrase has more than 1024 bytes'],
  ])('is refused as %j, and nothing changes', async (text, message) => {
    await expect(setPassphrase(keyOptions(), text)).rejects.toMatchObject({ code: 'Usage', message });
    expect(await opensWith()).toBe('file');
    expect(database.all('SELECT * FROM key_wrappings')).toEqual([]);
  });

  it('stands beside a keychain, which still opens the vault', async () => {
    const key = Buffer.from(readFileSync(keyFile, 'utf8'), 'base64');
    const keychain: Keychain = {
      entry: 'authsome (/home)',
      read: async () => key,
      store: async () => {},
      remove: async () => false,
    };
    expect(await setPassphrase(keyOptions({ keychain }), passphrase)).toEqual(['keychain', 'passphrase']);
    expect(existsSync(keyFile)).toBe(false);
    expect(await opensWith({ keychain })).toBe('keychain');
    expect(await opensWith({ typed: passphrase })).toBe('passphrase');
  });
});

describe('a crash', () => {
  /** Storage that dies as soon as `method` has done its work, or before it. */
  const dyingAt = (method: 'putWrapping' | 'removeWrapping', when: 'before' | 'after'): Changes => {
    const storage = sqliteStorage(database);
    const vaults = new Proxy(storage.vaults, {
      get(target, name) {
        const value = Reflect.get(target, name, target) as unknown;
        if (typeof value !== 'function') return value;
        const call = value.bind(target) as (...values: unknown[]) => unknown;
        if (name !== method) return call;
        return async (...values: unknown[]) => {
          if (when === 'after') await call(...values);
          throw new Error('killed');
        };
      },
    });
    return { storage: { ...storage, vaults } };
  };

  it.each(['before', 'after'] as const)(
    '%s the passphrase is stored leaves the key file, which opens the vault',
    async (when) => {
      await expect(setPassphrase(keyOptions(dyingAt('putWrapping', when)), passphrase)).rejects.toThrow(
        'killed',
      );
      expect(await opensWith()).toBe('file');
      if (when === 'before') return;
      // Both open it, and setting it again finishes the work.
      rmSync(keyFile);
      expect(await opensWith({ typed: passphrase })).toBe('passphrase');
    },
  );

  it.each(['before', 'after'] as const)('%s the passphrase is removed leaves a key file', async (when) => {
    await setPassphrase(keyOptions(), passphrase);
    const options = keyOptions({ typed: passphrase, ...dyingAt('removeWrapping', when) });
    await expect(removePassphrase(options)).rejects.toThrow('killed');
    expect(await opensWith()).toBe('file');
  });
});

describe('a passphrase that is removed', () => {
  it('gives the key back to the file, or to a keychain that has none', async () => {
    await setPassphrase(keyOptions(), passphrase);
    expect(await removePassphrase(keyOptions({ typed: passphrase }))).toEqual(['file']);
    expect(await opensWith()).toBe('file');

    await setPassphrase(keyOptions(), passphrase);
    let stored: Uint8Array | undefined;
    const keychain: Keychain = {
      entry: 'authsome (/home)',
      read: async () => stored,
      store: async (key) => {
        stored = key;
      },
      remove: async () => false,
    };
    expect(await removePassphrase(keyOptions({ typed: passphrase, keychain }))).toEqual(['keychain']);
    expect(existsSync(keyFile)).toBe(false);
    expect(await opensWith({ keychain })).toBe('keychain');
  });

  it('was there before', async () => {
    await expect(removePassphrase(keyOptions())).rejects.toMatchObject({ code: 'OperationNotAllowed' });
    expect(await opensWith()).toBe('file');
  });

  it('stays where the key cannot be stored: another key is in the way', async () => {
    await setPassphrase(keyOptions(), passphrase);
    const { createKeyFile } = await import('./key-file.ts');
    createKeyFile(keyFile, randomBytes(32));
    await expect(removePassphrase(keyOptions({ typed: passphrase }))).rejects.toMatchObject({
      code: 'HomeNotUsable',
      hint: expect.stringContaining('was not removed'),
    });
    expect(await opensWith({ typed: passphrase })).toBe('passphrase');
  });
});
