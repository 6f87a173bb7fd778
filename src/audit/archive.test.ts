import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Database, migrate, openDatabase, type SqlValue } from '../database/index.ts';
import { type AuditTrail, auditMigrations, openAuditTrail, type RecordedEvent } from './index.ts';

let directory: string;
let archive: string;
let database: Database;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'authsome-archive-'));
  archive = join(directory, 'logs');
  database = await openDatabase(join(directory, 'authsome.db'));
  migrate(database, auditMigrations);
});

afterEach(() => {
  database.close();
  rmSync(directory, { recursive: true });
});

const openTrail = (): AuditTrail =>
  openAuditTrail({ database, nowMs: Date.now, randomBytes, archive: { directory: archive, keptEvents: 40 } });

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

/** Verifies a segment from its text alone, and returns what it holds. */
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

describe('the archive', () => {
  test('bounds the table and loses nothing: every event is in one place, and one chain runs through all', async () => {
    const trail = openTrail();
    await record(trail, 200);
    expect(kept()).toBeGreaterThanOrEqual(40);
    expect(kept()).toBeLessThan(50);
    expect(await trail.firstBrokenLink()).toBeUndefined();

    const names = readdirSync(archive).sort();
    const segments = names.map((name) => readSegment(readFileSync(join(archive, name), 'utf8')));
    const archived = segments.flatMap((segment) => segment.events);
    const all = [...archived, ...(await trail.recent({ limit: 1_000 }))];
    expect(all.map((event) => event.sequence)).toEqual(Array.from({ length: 200 }, (_, index) => index + 1));
    let end = '0'.repeat(64);
    for (const segment of segments) {
      expect(segment.begins).toBe(end);
      end = segment.ends;
    }
    expect(names[0]).toMatch(/^audit-000000000001-\d{12}\.jsonl$/);
    for (const name of names) expect(statSync(join(archive, name)).mode & 0o777).toBe(0o600);
  });

  test('keeps everything in the table while the archive cannot be written, and catches up after', async () => {
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

  test('does not make the chain look broken to somebody who is verifying it', async () => {
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
    const verifier = openAuditTrail({ database: moving, nowMs: Date.now, randomBytes });
    expect(await verifier.firstBrokenLink()).toBeUndefined();
    expect(pages).toBeGreaterThan(2);
    expect(kept()).toBe(13);
  });

  test('lets nobody delete what is not archived', async () => {
    const trail = openTrail();
    await record(trail, 60);
    expect(() => database.run('DELETE FROM audit_blocks')).toThrow('append-only');
    expect(await trail.firstBrokenLink()).toBeUndefined();
  });
});
