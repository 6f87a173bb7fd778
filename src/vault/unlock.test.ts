import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Database, openTestStorage, sqliteStorage } from '../storage/test-storage.ts';
import { type Keychain, unlockVault } from './index.ts';
import type { UnlockOptions } from './unlock.ts';

let directory: string;
let keyFile: string;
let database: Database;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'authsome-unlock-'));
  keyFile = join(directory, 'master.key');
  ({ database } = await openTestStorage(join(directory, 'authsome.db')));
});

afterEach(() => {
  database.close();
  rmSync(directory, { recursive: true });
});

const unlock = (options: Partial<UnlockOptions> = {}) =>
  unlockVault({
    storage: sqliteStorage(database),
    vaultId: 'vault-1',
    masterKey: undefined,
    masterKeyFile: undefined,
    serverDirectory: directory,
    keychain: undefined,
    randomBytes,
    nowMs: Date.now,
    ...options,
  });

const record = {
  kind: 'connection',
  name: 'github/default',
  fields: {},
  secrets: { access_token: 'gho_1' },
} as const;

describe('unlockVault', () => {
  it('makes key and vault at the first start and finds both at the second', async () => {
    const first = await unlock();
    await first.vault.write(record, 0);
    const second = await unlock();
    expect([first.keySource, second.keySource]).toEqual(['file', 'file']);
    expect(await second.vault.read('connection', 'github/default')).toMatchObject({
      secrets: record.secrets,
    });
  });

  it('makes no second key when the first is lost', async () => {
    await (await unlock()).vault.write(record, 0);
    rmSync(keyFile);
    await expect(unlock()).rejects.toMatchObject({
      code: 'WrongMasterKey',
      message: expect.stringContaining('missing'),
    });
    expect(existsSync(keyFile)).toBe(false);
  });

  it("names a key from the environment that is not the vault's", async () => {
    await unlock();
    const other = { masterKey: randomBytes(32).toString('base64') };
    await expect(unlock(other)).rejects.toMatchObject({ code: 'WrongMasterKey' });
    expect((await unlock()).keySource).toBe('file');
  });

  it('makes no vault under a second key beside one that exists', async () => {
    await unlock();
    const other = { vaultId: 'vault-2', masterKey: randomBytes(32).toString('base64') };
    await expect(unlock(other)).rejects.toMatchObject({ code: 'WrongMasterKey' });
    expect(database.all('SELECT id FROM vaults')).toEqual([{ id: 'vault-1' }]);
  });

  it('ignores a key that reached the keychain too late', async () => {
    const late: Keychain = {
      entry: 'authsome (/home)',
      read: async () => randomBytes(32),
      store: async () => {},
      remove: async () => false,
    };
    await unlock();
    expect((await unlock({ keychain: late })).keySource).toBe('file');
    rmSync(keyFile);
    await expect(unlock({ keychain: late })).rejects.toMatchObject({ code: 'WrongMasterKey' });
  });
});
