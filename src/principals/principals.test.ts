import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Verified } from '../identity/index.ts';
import { openStorage, type Storage } from '../storage/index.ts';
import { memoryStorage } from '../storage/test-memory-storage.ts';
import { type Caller, Principals } from './principals.ts';

const verified = (handle: string): Verified => ({ handle, did: `did:key:${handle}` });

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'authsome-principals-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

/** Two tables of the same rows, as two processes have them. */
type Opened = readonly Pick<Storage, 'principals'>[];

describe.each([
  [
    'SQLite',
    async () => {
      const path = join(directory, 'authsome.db');
      const storages = [await openStorage(path), await openStorage(path)];
      return { opened: storages as Opened, close: () => Promise.all(storages.map((one) => one.close())) };
    },
  ],
  [
    'a table in memory',
    async () => {
      const storage = memoryStorage();
      return { opened: [storage, storage] as Opened, close: async () => {} };
    },
  ],
] as const)('principals over %s', (_, openTables) => {
  let tables: Awaited<ReturnType<typeof openTables>>;
  let admitted: Caller[];
  let refused: string[];
  let now: number;
  beforeEach(async () => {
    tables = await openTables();
    admitted = [];
    refused = [];
    now = 1_000_000;
  });
  afterEach(async () => void (await tables.close()));

  const open = (process: 0 | 1 = 0): Principals => {
    const storage = tables.opened[process];
    if (storage === undefined) throw new TypeError('there are two');
    return new Principals({
      table: storage.principals,
      nowMs: () => now,
      randomBytes: (size) => crypto.getRandomValues(new Uint8Array(size)),
      onAdmitted: (caller) => admitted.push(caller),
      onRefused: ({ handle }) => refused.push(handle),
    });
  };

  it('give an empty database to exactly one of two first identities', async () => {
    const [one, other] = [open(0), open(1)];
    const winner = await one.admit(verified('first'), true);
    await expect(other.admit(verified('second'), true)).rejects.toMatchObject({ code: 'IdentityNotAllowed' });
    expect(refused).toEqual(['second']);
    expect(admitted).toEqual([winner]);
    expect(await other.all()).toEqual([winner.principal]);
  });

  it('give it to exactly one of two that come at the same moment', async () => {
    const attempts = await Promise.allSettled([
      open(0).admit(verified('first'), true),
      open(1).admit(verified('second'), true),
    ]);
    expect(attempts.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(admitted).toHaveLength(1);
    expect(await open().all()).toHaveLength(1);
  });

  it('admit the first identity once, even when its first two calls come at the same moment', async () => {
    const principals = open();
    const [one, other] = await Promise.all([
      principals.admit(verified('first'), true),
      principals.admit(verified('first'), true),
    ]);
    expect(other).toEqual(one);
    expect(admitted).toEqual([one]);
    expect(refused).toEqual([]);
  });

  it('know the owner again, under the name it was admitted with and wherever it calls from', async () => {
    const owner = await open(0).admit(verified('first'), true);
    expect(await open(1).admit({ ...verified('first'), handle: 'renamed' }, false)).toEqual(owner);
    expect(admitted).toEqual([owner]);
  });

  it('record one refused stranger a second, so that none can fill the disk', async () => {
    const principals = open();
    const refuse = (handle: string) =>
      expect(principals.admit(verified(handle), false)).rejects.toThrow('does not belong');
    for (const handle of ['a', 'b', 'c']) await refuse(handle);
    expect(refused).toEqual(['a']);
    now += 1_000;
    await refuse('d');
    expect(refused).toEqual(['a', 'd']);
    expect(admitted).toEqual([]);
    expect(await principals.all()).toEqual([]);
  });
});
