import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { memoryStorage } from '../storage/test-memory-storage.ts';
import { type Database, openTestStorage, sqliteStorage } from '../storage/test-storage.ts';
import { openVault } from './index.ts';
import type { RecordKind, Vault } from './record.ts';
import type { VaultStorage } from './sealed-vault.ts';

let directory: string;
let database: Database;
let storage: VaultStorage;
const masterKey = randomBytes(32);

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'authsome-vault-'));
  ({ database, storage } = await openTestStorage(join(directory, 'authsome.db')));
});

afterEach(() => {
  database.close();
  rmSync(directory, { recursive: true });
});

const open = (key: Uint8Array = masterKey, vaultId = 'vault-1'): Promise<Vault> =>
  openVault({ storage, masterKey: key, vaultId, randomBytes, nowMs: Date.now });

const github = {
  kind: 'connection',
  name: 'github/default',
  fields: { base_url: 'https://api.github.com', scopes: ['repo'] },
  secrets: { access_token: 'gho_first', refresh_token: 'ghr_first' },
} as const;

function flippedAt(bytes: Uint8Array | undefined, index: number): Uint8Array {
  return Uint8Array.from(bytes ?? [], (byte, at) => (at === index ? byte ^ 1 : byte));
}

describe.each([
  ['SQLite', () => sqliteStorage(database)],
  ['tables in memory', memoryStorage],
] as const)('a vault over %s', (_, openTables) => {
  beforeEach(() => {
    storage = openTables();
  });

  it('gives back what was written, also when opened again', async () => {
    await (await open()).write(github, 0);
    expect(await (await open()).read('connection', 'github/default')).toEqual({ ...github, version: 1 });
  });

  it('knows nothing of a record that was never written', async () => {
    expect(await (await open()).read('connection', 'github/default')).toBeUndefined();
    expect(await (await open()).remove('connection', 'github/default')).toBe(false);
  });

  it('counts versions, and a write that expects an old one changes nothing', async () => {
    const vault = await open();
    expect((await vault.write(github, 0))?.version).toBe(1);
    const second = { ...github, secrets: { access_token: 'gho_second' } };
    expect((await vault.write(second, 1))?.version).toBe(2);
    expect(await vault.write(github, 0)).toBeUndefined();
    expect(await vault.write(github, 1)).toBeUndefined();
    expect(await vault.write(github, 3)).toBeUndefined();
    expect(await vault.read('connection', 'github/default')).toEqual({ ...second, version: 2 });
  });

  it('lists metadata by name, of that kind and that vault only', async () => {
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

  it('forgets a removed record with its secrets', async () => {
    const vault = await open();
    await vault.write(github, 0);
    expect(await vault.remove('connection', 'github/default')).toBe(true);
    expect(await vault.read('connection', 'github/default')).toBeUndefined();
    expect(await vault.write({ ...github, secrets: {} }, 0)).toMatchObject({ version: 1 });
    expect(await vault.read('connection', 'github/default')).toMatchObject({ secrets: {} });
  });

  it('lets one of two writers win, and the other one learns it', async () => {
    const [one, other] = [await open(), await open()];
    await one.write(github, 0);
    const writes = await Promise.all([
      one.write({ ...github, secrets: { access_token: 'gho_one' } }, 1),
      other.write({ ...github, secrets: { access_token: 'gho_other' } }, 1),
    ]);
    const [winner, ...losers] = [...writes].sort((a) => (a === undefined ? 1 : -1));
    expect(losers).toEqual([undefined]);
    expect(await other.read('connection', 'github/default')).toEqual(winner);
  });

  it('gets one data key, however many make it at once', async () => {
    const [one, other] = await Promise.all([open(), open()]);
    await one.write(github, 0);
    expect(await other.read('connection', 'github/default')).toMatchObject({ secrets: github.secrets });
    expect(await storage.vaults.all()).toHaveLength(1);
  });

  it('stores no secret in the clear', async () => {
    await (await open()).write(github, 0);
    const row = await storage.records.read({ vault: 'vault-1', kind: 'connection', name: 'github/default' });
    expect(row?.secrets.map(({ field }) => field).sort()).toEqual(['access_token', 'refresh_token']);
    for (const { sealed } of row?.secrets ?? []) {
      expect(Buffer.from(sealed).includes('gho_first')).toBe(false);
      expect(Buffer.from(sealed).includes('ghr_first')).toBe(false);
    }
  });

  it('refuses a secret that was moved to another record', async () => {
    const vault = await open();
    await vault.write(github, 0);
    await vault.write({ ...github, name: 'slack/default' }, 0);
    const key = { vault: 'vault-1', kind: 'connection' };
    const github1 = await storage.records.read({ ...key, name: 'github/default' });
    const slack = await storage.records.read({ ...key, name: 'slack/default' });
    if (github1 === undefined || slack === undefined) throw new Error('not written');
    await storage.records.write({ ...github1, version: 2, secrets: slack.secrets });
    await expect(vault.read('connection', 'github/default')).rejects.toMatchObject({
      code: 'DatabaseCorrupt',
    });
  });

  it('lets one vault at a time do its exclusive work', async () => {
    const vaults = [await open(), await open()];
    let count = 0;
    let inside = 0;
    await Promise.all(
      [0, 1, 0, 1].map((index) =>
        vaults[index]?.exclusively('refresh', 60_000, async () => {
          inside += 1;
          expect(inside).toBe(1);
          const seen = count;
          await new Promise(setImmediate);
          count = seen + 1;
          inside -= 1;
        }),
      ),
    );
    expect(count).toBe(4);
    expect(await storage.leases.find({ scope: 'vault-1', name: 'refresh' })).toBeUndefined();
  });

  it('makes no second key for a wrong master key', async () => {
    await (await open()).write(github, 0);
    const before = await storage.vaults.all();
    await expect(open(randomBytes(32))).rejects.toMatchObject({ code: 'WrongMasterKey' });
    await expect(open(randomBytes(32), 'vault-2')).rejects.toMatchObject({ code: 'WrongMasterKey' });
    expect(await storage.vaults.all()).toEqual(before);
    expect(await (await open()).read('connection', 'github/default')).toMatchObject({ version: 1 });
  });
});

it('leaves no secret of a removed record in the database', async () => {
  const vault = await open();
  await vault.write(github, 0);
  await vault.remove('connection', 'github/default');
  expect(database.one('SELECT 1 FROM secrets')).toBeUndefined();
});

describe('a wrong master key', () => {
  it('is not blamed for a wrapped key that was altered', async () => {
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

  it.each(edits)('is detected: %s', async (_, sql) => {
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
