import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Database } from '../database/index.ts';
import { AuthsomeError } from '../errors.ts';
import { type EventRow, holds, type Link, linked, type QueuedEvent, recorded } from './chain.ts';
import type { AuditEvent, AuditTrail, DecisionEvent, EventFilter, RecordedEvent } from './event.ts';

export interface AuditTrailOptions {
  /** With `auditMigrations` applied. */
  readonly database: Database;
  readonly nowMs: () => number;
  readonly randomBytes: (size: number) => Uint8Array;
}

const writeAfterMs = 20;
const retryAfterMs = 1_000;
const syncEveryMs = 1_000;
// Bounds how long one transaction keeps the event loop.
const batchSize = 256;
const verifiedAtOnce = 500;

/** The audit trail kept in `database`; several processes may append to it at once. */
export function openAuditTrail(options: AuditTrailOptions): AuditTrail {
  return new SqlAuditTrail(options);
}

class SqlAuditTrail implements AuditTrail {
  readonly #database: Database;
  readonly #nowMs: () => number;
  readonly #randomBytes: (size: number) => Uint8Array;
  #queue: QueuedEvent[] = [];
  #timer: NodeJS.Timeout | undefined;
  #syncedAtMs = 0;
  #unsynced = false;

  constructor(options: AuditTrailOptions) {
    this.#database = options.database;
    this.#nowMs = options.nowMs;
    this.#randomBytes = options.randomBytes;
  }

  get pending(): number {
    return this.#queue.length;
  }

  append(event: AuditEvent): void {
    const id =
      event.event === 'decision' ? event.id : `evt_${Buffer.from(this.#randomBytes(12)).toString('hex')}`;
    this.#queue.push({ event, id, atMs: this.#nowMs() });
    if (this.#timer === undefined) this.#schedule(writeAfterMs);
  }

  async flush(): Promise<void> {
    while (this.#queue.length > 0) this.#writeBatch(true);
    if (!this.#unsynced) return;
    // Any write will do: its sync carries everything before it to the disk.
    this.#database.transaction(() => this.#database.run('UPDATE audit_chain SET one = 1'));
    this.#unsynced = false;
  }

  async recent({ limit, after }: EventFilter): Promise<readonly RecordedEvent[]> {
    const unwritten = this.#writeNow();
    const rows =
      after === undefined
        ? this.#database
            .all<EventRow>('SELECT body FROM audit_events ORDER BY sequence DESC LIMIT ?', limit)
            .reverse()
        : this.#database.all<EventRow>(
            'SELECT body FROM audit_events WHERE sequence > ? ORDER BY sequence LIMIT ?',
            after,
            limit,
          );
    const written = rows.map((row) => JSON.parse(row.body) as RecordedEvent);
    if (unwritten.length === 0) return written;
    const waiting = unwritten.filter((event) => event.sequence > (after ?? 0));
    const all = [...written, ...waiting];
    return after === undefined ? all.slice(-limit) : all.slice(0, limit);
  }

  async decision(id: string): Promise<(DecisionEvent & { readonly at: string }) | undefined> {
    const unwritten = this.#writeNow();
    const waiting = unwritten.findLast((event) => isDecision(event) && (id === 'last' || event.id === id));
    if (waiting !== undefined && isDecision(waiting)) return waiting;
    const row =
      id === 'last'
        ? this.#database.one<EventRow>(
            "SELECT body FROM audit_events WHERE event = 'decision' ORDER BY sequence DESC LIMIT 1",
          )
        : this.#database.one<EventRow>(
            "SELECT body FROM audit_events WHERE event = 'decision' AND id = ? ORDER BY sequence DESC LIMIT 1",
            id,
          );
    return row === undefined ? undefined : (JSON.parse(row.body) as DecisionEvent & { readonly at: string });
  }

  async firstBrokenLink(): Promise<number | undefined> {
    this.#writeNow();
    const { archived, head } = this.#ends();
    let previous = archived;
    while (previous.sequence < head.sequence) {
      const rows = this.#database.all<EventRow>(
        'SELECT sequence, id, event, body, hash FROM audit_events WHERE sequence > ? AND sequence <= ? ORDER BY sequence LIMIT ?',
        previous.sequence,
        head.sequence,
        verifiedAtOnce,
      );
      // The head says that there is more: the end was cut off.
      if (rows.length === 0) return previous.sequence + 1;
      for (const row of rows) {
        if (!holds(row, previous)) return previous.sequence + 1;
        previous = row;
      }
      await nextTurn();
    }
    return Buffer.compare(previous.hash, head.hash) === 0 ? undefined : head.sequence;
  }

  #schedule(delayMs: number): void {
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#writeInBackground();
    }, delayMs);
    this.#timer.unref();
  }

  #writeInBackground(): void {
    if (this.#queue.length === 0) return;
    try {
      this.#writeBatch(false);
      if (this.#queue.length > 0) this.#schedule(0);
    } catch {
      // Nothing is lost: the queue stays, `pending` holds the proxy back, and `flush` tells the reason.
      this.#schedule(retryAfterMs);
    }
  }

  /** Writes what is queued for a reader; returns what could not be written, as it would read. */
  #writeNow(): readonly RecordedEvent[] {
    try {
      while (this.#queue.length > 0) this.#writeBatch(false);
      return [];
    } catch {
      const { head } = this.#ends();
      return this.#queue.map((queued, index) => recorded(queued, head.sequence + 1 + index));
    }
  }

  /**
   * Waiting for the disk stops every request, so the background writer waits once a second at most: the death of
   * the process costs what was queued, a power cut up to a second more.
   */
  #writeBatch(sync: boolean): void {
    const batch = this.#queue.slice(0, batchSize);
    const nowMs = this.#nowMs();
    const due = sync || Math.abs(nowMs - this.#syncedAtMs) >= syncEveryMs;
    const write = (): void => {
      let { head } = this.#ends();
      for (const queued of batch) {
        const row = linked(queued, head);
        this.#database.run(
          'INSERT INTO audit_events (sequence, id, event, body, hash) VALUES (?, ?, ?, ?, ?)',
          row.sequence,
          row.id,
          row.event,
          row.body,
          row.hash,
        );
        head = row;
      }
      this.#database.run('UPDATE audit_chain SET head_sequence = ?, head_hash = ?', head.sequence, head.hash);
    };
    if (due) {
      this.#database.transaction(write);
      this.#syncedAtMs = nowMs;
      this.#unsynced = false;
    } else {
      this.#database.unsyncedTransaction(write);
      this.#unsynced = true;
    }
    this.#queue = this.#queue.slice(batch.length);
  }

  #ends(): { readonly archived: Link; readonly head: Link } {
    const row = this.#database.one<{
      archived_sequence: number;
      archived_hash: Uint8Array;
      head_sequence: number;
      head_hash: Uint8Array;
    }>('SELECT archived_sequence, archived_hash, head_sequence, head_hash FROM audit_chain');
    if (row === undefined) {
      throw new AuthsomeError(
        'DatabaseCorrupt',
        `the audit trail has lost its ends: ${this.#database.path}`,
        {
          hint: 'Restore a backup with: authsome vault restore <file>',
        },
      );
    }
    return {
      archived: { sequence: row.archived_sequence, hash: row.archived_hash },
      head: { sequence: row.head_sequence, hash: row.head_hash },
    };
  }
}

function isDecision(event: RecordedEvent): event is DecisionEvent & RecordedEvent {
  return event.event === 'decision';
}
