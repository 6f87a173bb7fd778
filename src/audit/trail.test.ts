import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AuthsomeError } from '../errors.ts';
import { type Database, openDatabase, openTestStorage, sqliteStorage } from '../storage/test-storage.ts';
import { type AuditEvent, type AuditTrail, type DecisionEvent, openAuditTrail } from './index.ts';

let directory: string;
let database: Database;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'authsome-audit-'));
  ({ database } = await openTestStorage(join(directory, 'authsome.db')));
});

afterEach(() => {
  database.close();
  rmSync(directory, { recursive: true });
});

const openTrail = (on: Database = database): AuditTrail =>
  openAuditTrail({ table: sqliteStorage(on).audit, nowMs: () => Date.UTC(2026, 0, 2, 3, 4, 5), randomBytes });

const signIn = (connection: string): AuditEvent => ({
  event: 'sign_in.completed',
  provider: 'github',
  connection,
  outcome: 'ok',
});

const decision = (id: string): DecisionEvent => ({
  event: 'decision',
  id,
  action: 'injected',
  outcome: 'injected',
  reason: 'route github matched',
  request: { method: 'GET', host: 'api.github.com', port: 443, path: '/user' },
  candidates: [],
});

/** A database whose writes fail for as long as `full` says so. */
function fillable(inner: Database): Database & { full: boolean } {
  const refuse = (): void => {
    if (wrapped.full) throw new AuthsomeError('StorageFull', 'no space left');
  };
  const wrapped = {
    full: false,
    path: inner.path,
    run: inner.run.bind(inner),
    all: inner.all.bind(inner) as Database['all'],
    one: inner.one.bind(inner) as Database['one'],
    script: inner.script.bind(inner),
    transaction<Result>(work: () => Result): Result {
      refuse();
      return inner.transaction(work);
    },
    unsyncedTransaction<Result>(work: () => Result): Result {
      refuse();
      return inner.unsyncedTransaction(work);
    },
    close: inner.close.bind(inner),
  };
  return wrapped;
}

describe('the audit trail', () => {
  it('returns what was appended, in order, numbered and timed', async () => {
    const trail = openTrail();
    trail.append(signIn('default'));
    trail.append(decision('dec_1'));
    expect(await trail.recent({ limit: 10 })).toEqual([
      {
        ...signIn('default'),
        sequence: 1,
        id: expect.stringMatching(/^evt_[0-9a-f]{24}$/),
        at: '2026-01-02T03:04:05.000Z',
      },
      { ...decision('dec_1'), sequence: 2, at: '2026-01-02T03:04:05.000Z' },
    ]);
    expect(trail.pending).toBe(0);
  });

  it('pages: the newest, or those after a sequence number', async () => {
    const trail = openTrail();
    for (const name of ['a', 'b', 'c', 'd']) trail.append(signIn(name));
    const names = async (filter: { limit: number; after?: number }): Promise<unknown[]> =>
      (await trail.recent(filter)).map((event) => event.connection);
    expect(await names({ limit: 2 })).toEqual(['c', 'd']);
    expect(await names({ limit: 2, after: 1 })).toEqual(['b', 'c']);
    expect(await names({ limit: 2, after: 4 })).toEqual([]);
  });

  it('finds a decision by its id, and the last one', async () => {
    const trail = openTrail();
    trail.append(decision('dec_1'));
    trail.append(decision('dec_2'));
    trail.append(signIn('default'));
    expect(await trail.decision('dec_1')).toMatchObject({ id: 'dec_1' });
    expect(await trail.decision('last')).toMatchObject({ id: 'dec_2' });
    expect(await trail.decision('dec_3')).toBeUndefined();
  });

  it('finds what a service said about missing scopes, by the decision that let the request through', async () => {
    const trail = openTrail();
    trail.append(decision('dec_1'));
    const want = { event: 'scopes.missing', decision: 'dec_1', scopes: ['a'], hint: 'Run: …' } as const;
    trail.append({ ...want, outcome: 'insufficient_scope', detail: 'it lacks a' });
    expect(await trail.sequel({ id: 'dec_1', sequence: 1 })).toMatchObject(want);
    await trail.flush();
    expect(await openTrail().sequel({ id: 'dec_1', sequence: 1 })).toMatchObject(want);
    expect(await trail.sequel({ id: 'dec_2', sequence: 0 })).toBeUndefined();
    expect(await trail.decision('dec_1')).toMatchObject({ event: 'decision' });
  });

  it('finds how a response failed, by the decision that let the request through', async () => {
    const trail = openTrail();
    trail.append(decision('dec_1'));
    const failure = { event: 'answer.failed', decision: 'dec_1', outcome: 'UpstreamTimeout' } as const;
    trail.append({ ...failure, detail: 'the upstream did not respond in time' });
    expect(await trail.sequel({ id: 'dec_1', sequence: 1 })).toMatchObject(failure);
    expect(await trail.sequel({ id: 'dec_2', sequence: 0 })).toBeUndefined();
  });

  it('returns each decision of a batch in full, however alike they are', async () => {
    const trail = openTrail();
    const candidates = [{ route: 'r', connection: 'default', matched: true, reason: 'the only one' }];
    const usual: DecisionEvent = {
      ...decision('dec_0'),
      candidates,
      route: 'r',
      provider: 'github',
      connection: 'default',
      rule: 'all',
      placement: 'header authorization',
      identity: 'did:key:z',
      run: 'run_1',
    };
    const { request } = usual;
    const differing: readonly Partial<DecisionEvent>[] = [
      {},
      { request: { ...request, path: '/"quoted" \\\u2028/%0a' } },
      { request: { ...request, method: 'POST' } },
      { request: { ...request, host: 'uploads.github.com' } },
      { request: { ...request, port: 8443 } },
      { action: 'refused', outcome: 'PolicyDenied' },
      { reason: 'another' },
      { route: 'r2' },
      { provider: 'gitlab' },
      { connection: 'work' },
      { rule: 'one' },
      { placement: 'query key' },
      { identity: 'did:key:y' },
      { run: 'run_2' },
      { candidates: [] },
    ];
    const { rule: _, ...withoutRule } = usual;
    const appended = [
      usual,
      ...differing.flatMap((other) => [{ ...usual, ...other }, usual]),
      withoutRule,
    ].map((event, index) => ({ ...event, id: `dec_${index}` }));
    for (const event of appended) trail.append(event);
    await trail.flush();
    const at = '2026-01-02T03:04:05.000Z';
    expect(await openTrail().recent({ limit: 99 })).toEqual(
      appended.map((event, index) => ({ ...event, sequence: index + 1, at })),
    );
    expect(await openTrail().decision('dec_1')).toMatchObject({ ...usual, id: 'dec_1' });
    expect(await openTrail().decision('last')).toMatchObject({ id: appended.at(-1)?.id });
    expect(await openTrail().firstBrokenLink()).toBeUndefined();
    const { bytes } =
      database.one<{ bytes: number }>('SELECT sum(length(body)) AS bytes FROM audit_blocks') ?? {};
    expect(bytes).toBeLessThan(JSON.stringify(appended).length);
  });

  it('is not misled by words that look like an id', async () => {
    const trail = openTrail();
    trail.append(decision('dec_1'));
    await trail.flush();
    trail.append({ event: 'run.started', outcome: 'ok', run: 'dec_1', detail: '"event":"decision" "dec_1"' });
    await trail.flush();
    expect(await trail.decision('dec_1')).toMatchObject({ event: 'decision', id: 'dec_1' });
    expect(await trail.decision('last')).toMatchObject({ event: 'decision', id: 'dec_1' });
  });

  it('reads across what was written at different times', async () => {
    const trail = openTrail();
    for (let index = 1; index <= 20; index++) {
      trail.append(signIn(`name-${index}`));
      if (index % 3 === 0) await trail.flush();
    }
    const sequences = async (filter: { limit: number; after?: number }): Promise<unknown[]> =>
      (await trail.recent(filter)).map((event) => event.sequence);
    expect(await sequences({ limit: 5 })).toEqual([16, 17, 18, 19, 20]);
    expect(await sequences({ limit: 5, after: 4 })).toEqual([5, 6, 7, 8, 9]);
    expect(await sequences({ limit: 50, after: 18 })).toEqual([19, 20]);
    expect(await sequences({ limit: 50 })).toHaveLength(20);
    expect(await sequences({ limit: 0 })).toEqual([]);
  });

  it('writes in the background, after append has returned', async () => {
    const trail = openTrail();
    for (let index = 0; index < 1_000; index++) trail.append(decision(`dec_${index}`));
    expect(trail.pending).toBe(1_000);
    while (trail.pending > 0) await sleep(5);
    expect(database.one('SELECT sum(events) AS n FROM audit_blocks')).toEqual({ n: 1_000 });
    expect(await trail.firstBrokenLink()).toBeUndefined();
  });

  it('continues where an earlier process stopped', async () => {
    const first = openTrail();
    first.append(signIn('before'));
    await first.flush();
    const second = openTrail();
    second.append(signIn('after'));
    await second.flush();
    expect((await second.recent({ limit: 9 })).map((event) => event.sequence)).toEqual([1, 2]);
    expect(await second.firstBrokenLink()).toBeUndefined();
  });

  it('is one chain when two writers share it', async () => {
    const other = await openDatabase(join(directory, 'authsome.db'));
    const trails = [openTrail(), openTrail(other)];
    for (let round = 0; round < 50; round++) {
      for (const trail of trails) {
        trail.append(signIn(`round-${round}`));
        await trail.flush();
      }
    }
    expect(await trails[0]?.recent({ limit: 1_000 })).toHaveLength(100);
    expect(await trails[0]?.firstBrokenLink()).toBeUndefined();
    other.close();
  });

  it('keeps events while the disk is full, shows them even then, and writes them after', async () => {
    const disk = fillable(database);
    const trail = openTrail(disk);
    trail.append(signIn('stored'));
    await trail.flush();
    disk.full = true;
    trail.append(signIn('waiting'));
    trail.append(decision('dec_waiting'));
    await expect(trail.flush()).rejects.toMatchObject({ code: 'StorageFull' });
    expect(trail.pending).toBe(2);
    expect(await trail.recent({ limit: 2 })).toMatchObject([
      { sequence: 2, connection: 'waiting' },
      { sequence: 3, id: 'dec_waiting' },
    ]);
    expect(await trail.recent({ limit: 2, after: 1 })).toMatchObject([{ sequence: 2 }, { sequence: 3 }]);
    expect(await trail.decision('last')).toMatchObject({ id: 'dec_waiting' });
    expect(database.one('SELECT sum(events) AS n FROM audit_blocks')).toEqual({ n: 1 });
    disk.full = false;
    await trail.flush();
    expect(trail.pending).toBe(0);
    expect(database.one('SELECT sum(events) AS n FROM audit_blocks')).toEqual({ n: 3 });
    expect(await trail.firstBrokenLink()).toBeUndefined();
  });
});

describe('the chain', () => {
  const edits: readonly (readonly [string, string, number])[] = [
    [
      'a word was changed',
      `UPDATE audit_blocks SET body = replace(body, 'name-3', 'name-0') WHERE last_sequence = 3`,
      3,
    ],
    [
      'a word of the last event was changed',
      `UPDATE audit_blocks SET body = replace(body, 'name-7', 'name-0') WHERE last_sequence = 7`,
      6,
    ],
    ['an event was removed', 'DELETE FROM audit_blocks WHERE last_sequence = 2', 2],
    ['the first event was removed', 'DELETE FROM audit_blocks WHERE last_sequence = 1', 1],
    ['the end was cut off', 'DELETE FROM audit_blocks WHERE last_sequence >= 5', 5],
    ['everything was removed', 'DELETE FROM audit_blocks', 1],
    [
      'two events were swapped',
      `UPDATE audit_blocks SET body = (SELECT o.body FROM audit_blocks AS o WHERE o.last_sequence = 7 - audit_blocks.last_sequence) WHERE last_sequence IN (3, 4)`,
      3,
    ],
    ['a link was replaced', 'UPDATE audit_blocks SET hash = zeroblob(32) WHERE last_sequence = 5', 5],
    ['a count was changed', 'UPDATE audit_blocks SET events = 3 WHERE last_sequence = 7', 6],
  ];

  it.each(edits)('breaks where %s', async (_, sql, expected) => {
    const trail = openTrail();
    for (let index = 1; index <= 5; index++) {
      trail.append(signIn(`name-${index}`));
      await trail.flush();
    }
    trail.append(signIn('name-6'));
    trail.append(signIn('name-7'));
    await trail.flush();
    expect(() => database.run(sql)).toThrow('append-only');
    expect(await trail.firstBrokenLink()).toBeUndefined();
    database.script('DROP TRIGGER audit_blocks_are_final; DROP TRIGGER audit_blocks_stay');
    database.run(sql);
    expect(await trail.firstBrokenLink()).toBe(expected);
  });
});
