import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createPrincipals } from '../principals/index.ts';
import { migrate, openDatabase } from '../storage/index.ts';
import { lockHome } from './home/lock.ts';
import { daemonMigrations } from './migrations.ts';
import { openFixture, testIdentity } from './test-daemon.ts';

it('lets one process at a time hold a home, and the next one after it', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'authsome-lock-'));
  const file = join(directory, 'daemon.lock');
  const first = await lockHome(file);
  expect(first).toBeDefined();
  expect(await lockHome(file)).toBeUndefined();
  first?.release();
  const second = await lockHome(file);
  expect(second).toBeDefined();
  second?.release();
  rmSync(directory, { recursive: true });
});

it('gives an empty database to exactly one of two first identities', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'authsome-principals-'));
  const file = join(directory, 'authsome.db');
  const refused: string[] = [];
  const open = async () => {
    const database = await openDatabase(file);
    migrate(database, daemonMigrations);
    const principals = createPrincipals({
      database,
      nowMs: Date.now,
      randomBytes: (size) => crypto.getRandomValues(new Uint8Array(size)),
      onAdmitted: () => {},
      onRefused: ({ handle }) => refused.push(handle),
    });
    return { database, principals };
  };
  const [one, other] = [await open(), await open()];
  const winner = one.principals.admit(testIdentity('first'), true);
  expect(() => other.principals.admit(testIdentity('second'), true)).toThrow(
    expect.objectContaining({ code: 'IdentityNotAllowed' }),
  );
  expect(refused).toEqual(['second']);
  expect(other.principals.all()).toEqual([winner.principal]);
  one.database.close();
  other.database.close();
  rmSync(directory, { recursive: true });
});

it('records a knocking stranger once a second, so that none can fill the disk', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'authsome-knock-'));
  const database = await openDatabase(join(directory, 'authsome.db'));
  migrate(database, daemonMigrations);
  const refused: string[] = [];
  let now = 1_000_000;
  const principals = createPrincipals({
    database,
    nowMs: () => now,
    randomBytes: (size) => new Uint8Array(size),
    onAdmitted: () => {},
    onRefused: ({ handle }) => refused.push(handle),
  });
  const knock = (handle: string) => () => principals.admit(testIdentity(handle), false);
  for (const handle of ['a', 'b', 'c']) expect(knock(handle)).toThrow('does not belong');
  expect(refused).toEqual(['a']);
  now += 1_000;
  expect(knock('d')).toThrow('does not belong');
  expect(refused).toEqual(['a', 'd']);
  expect(principals.all()).toEqual([]);
  database.close();
  rmSync(directory, { recursive: true });
});

it('removes its record when it stops, and knows its owner again when it comes back', async () => {
  const fixture = await openFixture();
  const before = await (await fixture.call('GET', '/v1/whoami')).json();
  await fixture.restart();
  const after = await (await fixture.call('GET', '/v1/whoami')).json();
  expect(after).toMatchObject({ principal: (before as { principal: object }).principal });
  const response = await fixture.call('POST', '/v1/daemon/stop', { when: 'now' });
  expect(await response.json()).toEqual({ v: 1, stopping: true, live_runs: 0 });
  await fixture.daemon.stopped;
  expect(existsSync(join(fixture.home, 'server/daemon.json'))).toBe(false);
  await expect(fetch(`${fixture.daemon.url}/health`)).rejects.toThrow();
  rmSync(join(fixture.home, '..'), { recursive: true });
});
