import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Database, migrate, openDatabase } from '../storage/index.ts';
import { openVault, vaultMigrations } from './index.ts';
import type { RecordKind, Vault } from './record.ts';

let directory: string;
let database: Database;
const masterKey = randomBytes(32);

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'authsome-vault-'));
  database = await openDatabase(join(directory, 'authsome.db'));
  migrate(database, vaultMigrations);
});

afterEach(() => {
  database.close();
  rmSync(directory, { recursive: true });
});

const open = (key: Uint8Array = masterKey, vaultId = 'vault-1'): Promise<Vault> =>
  openVault({ database, masterKey: key, vaultId, randomBytes, nowMs: Date.now });

const github = {
  kind: 'connection',
  name: 'github/default',
  fields: { base_url: 'https://api.github.com', scopes: ['repo'] },
  secrets: { access_token: 'gho_first', refresh_token: 'ghr_first' },
} as const;

function flippedAt(bytes: Uint8Array | undefined, index: number): Uint8Array {
  return Uint8Array.from(bytes ?? [], (byte, at) => (at === index ? byte ^ 1 : byte));
}

describe('a vault', () => {
  test('gives back what was written, also when opened again', async () => {
    await (await open()).write(github, 0);
    expect(await (await open()).read('connection', 'github/default')).toEqual({ ...github, version: 1 });
  });

  test('knows nothing of a record that was never written', async () => {
    expect(await (await open()).read('connection', 'github/default')).toBeUndefined();
    expect(await (await open()).remove('connection', 'github/default')).toBe(false);
  });

  test('counts versions, and a write that expects an old one changes nothing', async () => {
    const vault = await open();
    expect((await vault.write(github, 0))?.version).toBe(1);
    const second = { ...github, secrets: { access_token: 'gho_second' } };
    expect((await vault.write(second, 1))?.version).toBe(2);
    expect(await vault.write(github, 0)).toBeUndefined();
    expect(await vault.write(github, 1)).toBeUndefined();
    expect(await vault.write(github, 3)).toBeUndefined();
    expect(await vault.read('connection', 'github/default')).toEqual({ ...second, version: 2 });
  });

  test('lists metadata by name, of that kind and that vault only', async () => {
    const vault = await open();
    await vault.write({ ...github, name: 'slack/work' }, 0);
    await vault.write(github, 0);
    await vault.write({ ...github, kind: 'client', name: 'github' }, 0);
    await (await open(masterKey, 'vault-2')).write({ ...github, name: 'other/default' }, 0);
    const listed = await vault.list('connection');
    expect(listed.map((record) => record.name)).toEqual(['github/default', 'slack/work']);
    expect(listed[0]).toEqual({
      kind: 'connection',
      name: 'github/default',
      version: 1,
      fields: github.fields,
    });
  });

  test('forgets a removed record with its secrets', async () => {
    const vault = await open();
    await vault.write(github, 0);
    expect(await vault.remove('connection', 'github/default')).toBe(true);
    expect(await vault.read('connection', 'github/default')).toBeUndefined();
    expect(database.one('SELECT 1 FROM secrets')).toBeUndefined();
  });
});

describe('a wrong master key', () => {
  test('is told as such, and makes no second key', async () => {
    await (await open()).write(github, 0);
    const before = database.all('SELECT * FROM vaults');
    await expect(open(randomBytes(32))).rejects.toMatchObject({ code: 'WrongMasterKey' });
    expect(database.all('SELECT * FROM vaults')).toEqual(before);
    expect(await (await open()).read('connection', 'github/default')).toMatchObject({ version: 1 });
  });

  test('is not blamed for a wrapped key that was altered', async () => {
    await open();
    const { wrapped_key } = database.one<{ wrapped_key: Uint8Array }>('SELECT wrapped_key FROM vaults') ?? {
      wrapped_key: undefined,
    };
    database.run('UPDATE vaults SET wrapped_key = ?', flippedAt(wrapped_key, 30));
    await expect(open()).rejects.toMatchObject({ code: 'DatabaseCorrupt' });
  });
});

describe('a database edited by a stranger', () => {
  const edits: readonly (readonly [string, string])[] = [
    [
      'a readable field was changed',
      `UPDATE records SET fields = replace(fields, 'api.github.com', 'evil.example') WHERE kind = 'connection'`,
    ],
    ['a secret was dropped', `DELETE FROM secrets WHERE field = 'refresh_token' AND kind = 'connection'`],
    [
      'two secrets of a record were swapped',
      `UPDATE secrets SET sealed = (SELECT sealed FROM secrets AS o WHERE o.kind = secrets.kind AND o.name = secrets.name AND o.field <> secrets.field)`,
    ],
    [
      'the secret of another record was put in',
      `UPDATE secrets SET sealed = (SELECT sealed FROM secrets WHERE name = 'slack/default' AND field = 'access_token') WHERE name = 'github/default' AND field = 'access_token'`,
    ],
    ['a whole row was renamed', `UPDATE records SET name = 'github/work' WHERE name = 'github/default'`],
    ['the version was set back', `UPDATE records SET version = version - 1`],
    ['a secret was cut short', `UPDATE secrets SET sealed = substr(sealed, 1, 12)`],
  ];

  test.each(edits)('is found out: %s', async (_, sql) => {
    const vault = await open();
    await vault.write(github, 0);
    await vault.write({ ...github, fields: { ...github.fields, account: 'octocat' } }, 1);
    await vault.write({ ...github, name: 'slack/default' }, 0);
    database.run('PRAGMA foreign_keys = OFF');
    expect(database.run(sql)).toBeGreaterThan(0);
    const kind: RecordKind = 'connection';
    const readAll = async (): Promise<unknown[]> => {
      const names = database.all<{ name: string }>('SELECT name FROM records ORDER BY name');
      return Promise.all(names.map(({ name }) => vault.read(kind, name)));
    };
    await expect(readAll()).rejects.toMatchObject({ code: 'DatabaseCorrupt' });
  });
});
