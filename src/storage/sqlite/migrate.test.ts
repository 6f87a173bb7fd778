import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Database, Migration } from './database.ts';
import { migrate } from './migrate.ts';
import { openDatabase } from './open.ts';

let directory: string;
let database: Database;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'authsome-migrate-'));
  database = await openDatabase(join(directory, 'authsome.db'));
});

afterEach(() => {
  database.close();
  rmSync(directory, { recursive: true });
});

const first: Migration = {
  room: 'attic',
  version: 1,
  sql: 'CREATE TABLE boxes (n INTEGER); INSERT INTO boxes VALUES (1)',
};
const second: Migration = { room: 'attic', version: 2, sql: 'UPDATE boxes SET n = n + 1' };
const elsewhere: Migration = { room: 'cellar', version: 1, sql: 'CREATE TABLE bottles (n INTEGER)' };
const boxes = (): unknown => database.one('SELECT n FROM boxes');

describe('migrate', () => {
  it('applies each step once, room by room', () => {
    migrate(database, [first]);
    migrate(database, [first, elsewhere, second]);
    migrate(database, [first, second, elsewhere]);
    expect(boxes()).toEqual({ n: 2 });
    expect(database.all('SELECT * FROM bottles')).toEqual([]);
  });

  it('keeps the step before when a step fails halfway', () => {
    const broken: Migration = {
      room: 'attic',
      version: 2,
      sql: 'UPDATE boxes SET n = 9; UPDATE nothing SET n = 9',
    };
    expect(() => migrate(database, [first, broken])).toThrow();
    expect(boxes()).toEqual({ n: 1 });
    migrate(database, [first, second]);
    expect(boxes()).toEqual({ n: 2 });
  });

  it('refuses a database of a newer version, and touches no room of it', () => {
    migrate(database, [first, second]);
    expect(() => migrate(database, [elsewhere, first])).toThrow(
      expect.objectContaining({
        code: 'HomeNotUsable',
        message: expect.stringContaining('newer authsome'),
        hint: expect.stringContaining('Upgrade'),
      }),
    );
    expect(boxes()).toEqual({ n: 2 });
    expect(() => database.all('SELECT * FROM bottles')).toThrow();
  });

  it('wants versions that count from 1', () => {
    expect(() => migrate(database, [second])).toThrow(TypeError);
    expect(() => migrate(database, [first, first])).toThrow(TypeError);
  });

  it('lets two processes migrate at once', async () => {
    const other = await openDatabase(join(directory, 'authsome.db'));
    await Promise.all([database, other].map(async (each) => migrate(each, [first, second])));
    expect(boxes()).toEqual({ n: 2 });
    other.close();
  });
});
