import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Database } from './database.ts';
import { openDatabase } from './open.ts';

let directory: string;
let path: string;
let opened: Database[];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'authsome-database-'));
  path = join(directory, 'server', 'authsome.db');
  opened = [];
});

afterEach(() => {
  for (const database of opened) database.close();
  rmSync(directory, { recursive: true });
});

async function open(): Promise<Database> {
  const database = await openDatabase(path);
  opened.push(database);
  return database;
}

async function withRows(count: number): Promise<Database> {
  const database = await open();
  database.script('CREATE TABLE numbers (n INTEGER PRIMARY KEY, text TEXT)');
  database.transaction(() => {
    for (let n = 1; n <= count; n++) database.run('INSERT INTO numbers VALUES (?, ?)', n, 'x'.repeat(100));
  });
  return database;
}

const modeOf = (file: string): number => statSync(file).mode & 0o777;

describe('a database', () => {
  it('keeps what it is given, of every type', async () => {
    const database = await open();
    database.script('CREATE TABLE t (a, b, c, d); CREATE TABLE u (a)');
    expect(database.run('INSERT INTO t VALUES (?, ?, ?, ?)', 'ä', 1.5, Uint8Array.of(1, 2), null)).toBe(1);
    expect(database.one('SELECT * FROM t')).toEqual({ a: 'ä', b: 1.5, c: Uint8Array.of(1, 2), d: null });
    expect(database.all('SELECT * FROM u')).toEqual([]);
    expect(database.one('SELECT * FROM u')).toBeUndefined();
  });

  it('undoes a transaction that throws, and takes the next', async () => {
    const database = await withRows(1);
    const attempt = (): never =>
      database.transaction(() => {
        database.run('DELETE FROM numbers');
        throw new RangeError('half way');
      });
    expect(attempt).toThrow(RangeError);
    expect(database.transaction(() => database.all('SELECT n FROM numbers'))).toEqual([{ n: 1 }]);
  });

  it('takes no transaction inside another, and none that would outlive its call', async () => {
    const database = await withRows(1);
    expect(() => database.transaction(() => database.transaction(() => 1))).toThrow(TypeError);
    expect(() => database.unsyncedTransaction(() => database.unsyncedTransaction(() => 1))).toThrow(
      TypeError,
    );
    expect(() => database.transaction(async () => database.run('DELETE FROM numbers'))).toThrow(TypeError);
    expect(database.all('SELECT n FROM numbers')).toHaveLength(1);
    expect(database.one('PRAGMA synchronous')).toEqual({ synchronous: 2 });
  });

  it('goes back to synced commits after an unsynced one that throws', async () => {
    const database = await withRows(1);
    expect(() =>
      database.unsyncedTransaction(() => {
        throw new RangeError('half way');
      }),
    ).toThrow(RangeError);
    expect(database.one('PRAGMA synchronous')).toEqual({ synchronous: 2 });
    expect(database.one('PRAGMA journal_mode')).toEqual({ journal_mode: 'wal' });
  });

  it('answers with more statements than it keeps prepared', async () => {
    const database = await withRows(1);
    for (let n = 0; n < 500; n++) expect(database.one(`SELECT ${n} AS n`)).toEqual({ n });
  });
});

describe.skipIf(process.platform === 'win32')('the file', () => {
  it('is private from the start, whatever the umask, with its companions', async () => {
    const before = process.umask(0);
    try {
      await withRows(1);
    } finally {
      process.umask(before);
    }
    expect(modeOf(join(directory, 'server'))).toBe(0o700);
    for (const file of [path, `${path}-wal`, `${path}-shm`]) expect(modeOf(file)).toBe(0o600);
  });

  it('is refused when others can read it, with the command that fixes it', async () => {
    (await withRows(1)).close();
    opened = [];
    chmodSync(path, 0o644);
    await expect(open()).rejects.toMatchObject({ code: 'HomeNotUsable', hint: `Run: chmod 600 ${path}` });
    expect(modeOf(path)).toBe(0o644);
  });

  it('is not followed through a symbolic link, nor are its companions', async () => {
    mkdirSync(join(directory, 'server'));
    const target = join(directory, 'target');
    symlinkSync(target, path);
    await expect(open()).rejects.toMatchObject({
      code: 'HomeNotUsable',
      message: expect.stringContaining('symbolic link'),
    });
    expect(existsSync(target)).toBe(false);
    rmSync(path);
    writeFileSync(path, '', { mode: 0o600 });
    symlinkSync(target, `${path}-wal`);
    await expect(open()).rejects.toMatchObject({ code: 'HomeNotUsable' });
    expect(existsSync(target)).toBe(false);
  });

  it('may not be a directory', async () => {
    mkdirSync(path, { recursive: true });
    await expect(open()).rejects.toMatchObject({ code: 'HomeNotUsable' });
  });

  it('whose directory cannot be created is reported with its path', async () => {
    writeFileSync(join(directory, 'server'), '');
    await expect(open()).rejects.toMatchObject({
      code: 'HomeNotUsable',
      message: expect.stringContaining(join(directory, 'server')),
    });
  });
});

describe('a damaged database', () => {
  it('that is no database at all is reported and left unchanged', async () => {
    mkdirSync(join(directory, 'server'));
    writeFileSync(path, 'these are not the bytes you are looking for\n'.repeat(200), { mode: 0o600 });
    const before = readFileSync(path);
    await expect(open()).rejects.toMatchObject({
      code: 'DatabaseCorrupt',
      message: expect.stringContaining(path),
      hint: expect.stringContaining('.damaged'),
    });
    expect(readFileSync(path)).toEqual(before);
  });

  it('with overwritten pages is reported when they are read', async () => {
    (await withRows(5_000)).close();
    opened = [];
    const bytes = readFileSync(path);
    writeFileSync(path, bytes.fill(0x5a, 8_192, bytes.length - 4_096));
    await expect(open().then((database) => database.all('SELECT * FROM numbers'))).rejects.toMatchObject({
      code: 'DatabaseCorrupt',
    });
  });

  it('that was truncated is reported when the lost part is read', async () => {
    (await withRows(5_000)).close();
    opened = [];
    truncateSync(path, 16_384);
    await expect(open().then((database) => database.all('SELECT * FROM numbers'))).rejects.toMatchObject({
      code: 'DatabaseCorrupt',
    });
  });
});
