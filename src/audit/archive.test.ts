import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Database, openTestStorage, type SqlValue, sqliteStorage } from '../storage/test-storage.ts';
import { type AuditTrail, type EventFilter, openAuditTrail, type RecordedEvent } from './index.ts';

let directory: string;
let archive: string;
let database: Database;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'authsome-archive-'));
  archive = join(directory, 'logs');
  ({ database } = await openTestStorage(join(directory, 'authsome.db')));
});

afterEach(() => {
  database.close();
  rmSync(directory, { recursive: true });
});

const openTrail = (): AuditTrail =>
  openAuditTrail({
    table: sqliteStorage(database).audit,
    nowMs: Date.now,
    randomBytes,
    archive: { directory: archive, keptEvents: 40 },
  });

async function record(trail: AuditTrail, count: number): Promise<void> {
  for (let index = 0; index < count; index++) {
    trail.append({ event: 'token.refreshed', outcome: 'ok', detail: `event ${index}` });
    if (index % 3 === 0) await trail.flush();
  }
  await trail.flush();
}

const kept = (): number => database.one<{ n: number }>('SELECT sum(events) AS n FROM audit_blocks')?.n ?? 0;

function methodsOf(inner: Database): Database {
  return {
    path: inner.path,
    run: inner.run.bind(inner),
    all: inner.all.bind(inner) as Database['all'],
    one: inner.one.bind(inner) as Database['one'],
    script: inner.script.bind(inner),
    transaction: inner.transaction.bind(inner) as Database['transaction'],
    unsyncedTransaction: inner.unsyncedTransaction.bind(inner) as Database['unsyncedTransaction'],
    close: inner.close.bind(inner),
  };
}

/** What an archiving does to the table, at one stroke. */
function moveUntil(sequence: number): void {
  const { hash } = database.one<{ hash: Uint8Array }>(
    'SELECT hash FROM audit_blocks WHERE last_sequence = ?',
    sequence,
  ) ?? { hash: new Uint8Array() };
  database.run('UPDATE audit_chain SET archived_sequence = ?, archived_hash = ?', sequence, hash);
  database.run('DELETE FROM audit_blocks WHERE last_sequence <= ?', sequence);
}

interface Segment {
  readonly begins: string;
  readonly ends: string;
  readonly events: readonly RecordedEvent[];
}

/** Verifies a segment from its text alone, and returns its events. */
function readSegment(text: string): Segment {
  const events: RecordedEvent[] = [];
  const links: string[] = [];
  let lines: string[] = [];
  for (const line of text.trimEnd().split('\n')) {
    const parsed = JSON.parse(line);
    if (parsed.link === undefined) {
      lines.push(line);
      events.push(parsed);
      continue;
    }
    const previous = links.at(-1);
    if (previous !== undefined) {
      const expected = createHash('sha256')
        .update(Buffer.from(previous, 'hex'))
        .update(lines.join('\n'))
        .digest('hex');
      expect(parsed.link).toBe(expected);
    }
    links.push(parsed.link);
    lines = [];
  }
  return { begins: links.at(0) ?? '', ends: links.at(-1) ?? '', events };
}

/** Another outcome of one event, with hashes that fit one another, but not what follows the segment. */
function forged(text: string): string {
  let hash: Buffer | undefined;
  let body: string[] = [];
  const lines = text.replace('"outcome":"ok"', '"outcome":"no"').trimEnd().split('\n');
  const rewritten = lines.map((line) => {
    const link: string | undefined = JSON.parse(line).link;
    if (link === undefined) {
      body.push(line);
      return line;
    }
    hash =
      hash === undefined
        ? Buffer.from(link, 'hex')
        : createHash('sha256').update(hash).update(body.join('\n')).digest();
    body = [];
    return JSON.stringify({ link: hash.toString('hex') });
  });
  return `${rewritten.join('\n')}\n`;
}

describe('the archive', () => {
  it('bounds the table and loses nothing: every event is in one place, and one chain runs through all', async () => {
    const trail = openTrail();
    await record(trail, 200);
    expect(kept()).toBeGreaterThanOrEqual(40);
    expect(kept()).toBeLessThan(50);
    expect(await trail.firstBrokenLink()).toBeUndefined();

    const names = readdirSync(archive).sort();
    const segments = names.map((name) => readSegment(readFileSync(join(archive, name), 'utf8')));
    const archived = segments.flatMap((segment) => segment.events);
    const before = archived.at(-1)?.sequence ?? 0;
    const all = [
      ...archived,
      ...(await trail.recent({ limit: 1_000 })).filter(({ sequence }) => sequence > before),
    ];
    expect(all.map((event) => event.sequence)).toEqual(Array.from({ length: 200 }, (_, index) => index + 1));
    let end = '0'.repeat(64);
    for (const segment of segments) {
      expect(segment.begins).toBe(end);
      end = segment.ends;
    }
    expect(names[0]).toMatch(/^audit-000000000001-\d{12}\.jsonl$/);
    for (const name of names) expect(statSync(join(archive, name)).mode & 0o777).toBe(0o600);
  });

  it('keeps everything in the table while the archive cannot be written, and catches up after', async () => {
    writeFileSync(archive, 'in the way');
    const trail = openTrail();
    await record(trail, 60);
    expect(kept()).toBe(60);
    expect(await trail.firstBrokenLink()).toBeUndefined();
    rmSync(archive);
    await record(trail, 60);
    expect(kept()).toBeLessThan(50);
    expect(await trail.firstBrokenLink()).toBeUndefined();
  });

  it('does not make the chain look broken to somebody who is verifying it', async () => {
    const trail = openTrail();
    for (let index = 0; index < 43; index++) await record(trail, 1);
    let pages = 0;
    const moving: Database = {
      ...methodsOf(database),
      all<Row>(sql: string, ...values: readonly SqlValue[]): Row[] {
        pages += 1;
        if (pages === 2) moveUntil(30);
        return database.all<Row>(sql, ...values);
      },
    };
    const verifier = openAuditTrail({ table: sqliteStorage(moving).audit, nowMs: Date.now, randomBytes });
    expect(await verifier.firstBrokenLink()).toBeUndefined();
    expect(pages).toBeGreaterThan(2);
    expect(kept()).toBe(13);
  });

  it('is read as if everything were in one place, forwards and backwards', async () => {
    const trail = openTrail();
    await record(trail, 200);
    const numbers = async (filter: EventFilter) =>
      (await trail.recent(filter)).map(({ sequence }) => sequence);
    const range = (from: number, to: number) =>
      Array.from({ length: to - from + 1 }, (_, index) => from + index);
    expect(await numbers({ limit: 1_000 })).toEqual(range(1, 200));
    expect(await numbers({ limit: 120 })).toEqual(range(81, 200));
    for (const before of [200, 170, 150, 33, 2]) {
      expect(await numbers({ limit: 30, before })).toEqual(range(Math.max(1, before - 30), before - 1));
    }
    expect(await numbers({ limit: 30, before: 1 })).toEqual([]);
    for (const after of [0, 17, 140, 165, 199]) {
      expect(await numbers({ limit: 30, after })).toEqual(range(after + 1, Math.min(200, after + 30)));
    }
    expect(await numbers({ limit: 1_000, after: 0 })).toEqual(range(1, 200));
  });

  it('has old decisions, and what was recorded about them later', async () => {
    const trail = openTrail();
    const request = { method: 'GET', host: 'api.example.com', port: 443, path: '/' };
    for (const id of ['dec_1', 'dec_2']) {
      const more = {
        action: 'injected',
        reason: 'no rule',
        candidates: [],
        request,
        outcome: 'injected',
      } as const;
      trail.append({ event: 'decision', id, ...more });
    }
    const want = { event: 'scopes.missing', decision: 'dec_2', scopes: ['a'], hint: 'Run: …' } as const;
    trail.append({ ...want, outcome: 'insufficient_scope', detail: 'it lacks a' });
    await record(trail, 200);
    const [first, second] = [await trail.decision('dec_1'), await trail.decision('last')];
    expect([first, second]).toMatchObject([
      { id: 'dec_1', sequence: 1 },
      { id: 'dec_2', sequence: 2 },
    ]);
    expect(await trail.sequel({ id: 'dec_2', sequence: 2 })).toMatchObject(want);
    expect(await trail.sequel({ id: 'dec_1', sequence: 1 })).toBeUndefined();
    expect(await trail.decision('dec_3')).toBeUndefined();
  });

  it('is read no further back than was asked for', async () => {
    const trail = openTrail();
    await record(trail, 200);
    const [oldest = '', ...others] = readdirSync(archive).sort();
    writeFileSync(join(archive, oldest), 'not a segment');
    expect((await trail.recent({ limit: 100 })).length).toBe(100);
    await expect(trail.recent({ limit: 1_000 })).rejects.toMatchObject({
      code: 'DatabaseCorrupt',
      message: expect.stringContaining(oldest),
    });
    // Somebody moved it away: the trail begins later, and nothing is wrong.
    rmSync(join(archive, oldest));
    const left = await trail.recent({ limit: 1_000 });
    expect(left[0]?.sequence).toBe(Number(others[0]?.slice(6, 18)));
    expect((await trail.recent({ limit: 5, after: 0 }))[0]?.sequence).toBe(left[0]?.sequence);
  });

  it('is not believed where one word of it was changed, or a whole segment was rewritten', async () => {
    const trail = openTrail();
    await record(trail, 200);
    const name = readdirSync(archive).sort().at(-1) ?? '';
    const path = join(archive, name);
    const text = readFileSync(path, 'utf8');
    writeFileSync(path, text.replace('"outcome":"ok"', '"outcome":"no"'));
    const corrupt = { code: 'DatabaseCorrupt', message: expect.stringContaining(name) };
    await expect(trail.recent({ limit: 1_000 })).rejects.toMatchObject(corrupt);
    writeFileSync(path, forged(text));
    await expect(trail.recent({ limit: 1_000 })).rejects.toMatchObject(corrupt);
    writeFileSync(path, text);
    expect((await trail.recent({ limit: 1_000 })).length).toBe(200);
  });

  /** Two hundred events, most of them archived, and the names of the segments. */
  async function archived() {
    const trail = openTrail();
    await record(trail, 200);
    const names = readdirSync(archive).sort();
    const path = (index: number) => join(archive, names.at(index) ?? '');
    return { trail, names, path, text: (index: number) => readFileSync(path(index), 'utf8') };
  }
  const firstOf = (path: string) => Number(basename(path).slice(6, 18));
  const notWritten = (path: string) => ({
    code: 'DatabaseCorrupt',
    message: `the archived events have been modified: ${path}`,
    hint: 'Restore the file from a backup, or move it away with all older ones: the trail then begins after it.',
  });

  it.each([-1, -2, 4])('is missing a segment that was taken out from between (%i)', async (index) => {
    const { trail, path } = await archived();
    rmSync(path(index));
    const gone = { path: path(index), older: path(index - 1) };
    const missing = {
      code: 'DatabaseCorrupt',
      message: `archived events are missing, but older ones exist: ${gone.path}`,
      hint: `Restore the file from a backup, or move away the older ones, up to ${gone.older}: the trail then begins after them.`,
    };
    await expect(trail.recent({ limit: 1_000 })).rejects.toMatchObject(missing);
    await expect(trail.recent({ limit: 5, after: 0 })).rejects.toMatchObject(missing);
    await expect(trail.decision('dec_none')).rejects.toMatchObject(missing);
    // Nothing is wrong with what came after.
    expect((await trail.recent({ limit: 40 })).length).toBe(40);
  });

  it('begins later once the segments before a gap are moved away, as the error says', async () => {
    const { trail, names, path } = await archived();
    for (let index = 0; index <= 4; index++) rmSync(path(index));
    const first = firstOf(path(5));
    expect((await trail.recent({ limit: 1_000 }))[0]?.sequence).toBe(first);
    expect((await trail.recent({ limit: 1, after: 0 }))[0]?.sequence).toBe(first);
    for (const name of names.slice(5)) rmSync(join(archive, name));
    expect((await trail.recent({ limit: 1, after: 0 }))[0]?.sequence).toBe(201 - kept());
  });

  it('is not believed where two segments have each other’s place', async () => {
    const { trail, names, path, text } = await archived();
    const sizeOf = (name = '') => Number(name.slice(19, 31)) - Number(name.slice(6, 18));
    const index = names.findIndex((name, at) => at > 0 && sizeOf(name) === sizeOf(names[at + 1]));
    const [older, newer] = [text(index), text(index + 1)];
    writeFileSync(path(index), newer);
    writeFileSync(path(index + 1), older);
    await expect(trail.recent({ limit: 1_000 })).rejects.toMatchObject(notWritten(path(index + 1)));
    const after = firstOf(path(index)) - 1;
    await expect(trail.recent({ limit: 1, after })).rejects.toMatchObject(notWritten(path(index)));
  });

  it('is not believed forwards either where a segment was rewritten, and says which one', async () => {
    const { trail, path, text } = await archived();
    for (const index of [3, -1]) {
      const was = text(index);
      writeFileSync(path(index), forged(was));
      const after = firstOf(path(index)) - 1;
      await expect(trail.recent({ limit: 1, after })).rejects.toMatchObject(notWritten(path(index)));
      writeFileSync(path(index), was);
      expect((await trail.recent({ limit: 1, after }))[0]?.sequence).toBe(after + 1);
    }
    // Nor where the next one was made to fit: it is no longer what it was itself.
    const own = forged(text(3)).trimEnd().split('\n').at(-1) ?? '';
    writeFileSync(path(3), forged(text(3)));
    writeFileSync(path(4), text(4).replace(/^.*/, own));
    const after = firstOf(path(3)) - 1;
    await expect(trail.recent({ limit: 1_000, after })).rejects.toMatchObject(notWritten(path(4)));
  });

  const linkStart = '{"link"';
  it.each([
    ['to nothing', () => ''],
    ['within a line', (text: string) => text.slice(0, -100)],
    ['by its last link', (text: string) => text.replace(/\n[^\n]*\n$/, '\n')],
    [
      'by its last block',
      (text: string) => text.slice(0, text.lastIndexOf(linkStart, text.lastIndexOf(linkStart) - 1) + 76),
    ],
    ['by its first link', (text: string) => text.replace(/^.*\n/, '')],
  ])('is not believed where a segment was cut %s', async (_, cut) => {
    const { trail, path, text } = await archived();
    const shorter = cut(text(3));
    expect(shorter.length).toBeLessThan(text(3).length);
    writeFileSync(path(3), shorter);
    await expect(trail.recent({ limit: 1_000 })).rejects.toMatchObject(notWritten(path(3)));
    const after = firstOf(path(3)) - 1;
    await expect(trail.recent({ limit: 1, after })).rejects.toMatchObject(notWritten(path(3)));
    expect((await trail.recent({ limit: 1, after: firstOf(path(4)) - 1 })).length).toBe(1);
  });

  it('is not believed where something was put before it', async () => {
    const { trail, path, text } = await archived();
    writeFileSync(path(3), `{"sequence":1}\n${text(3)}`);
    await expect(trail.recent({ limit: 1_000 })).rejects.toMatchObject(notWritten(path(3)));
  });

  it('lets nobody delete what is not archived', async () => {
    const trail = openTrail();
    await record(trail, 60);
    expect(() => database.run('DELETE FROM audit_blocks')).toThrow('append-only');
    expect(await trail.firstBrokenLink()).toBeUndefined();
  });
});
