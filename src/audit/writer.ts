import type { AuditTable } from '../storage/index.ts';
import type { Archiver } from './archiver.ts';
import { linked, type QueuedEvent, recorded } from './chain.ts';
import type { AuditEvent, RecordedEvent } from './event.ts';

export interface WriterOptions {
  readonly table: AuditTable;
  /** Learns after each batch how long the table is. */
  readonly archiver: Archiver | undefined;
  readonly nowMs: () => number;
  readonly randomBytes: (size: number) => Uint8Array;
}

const writeAfterMs = 20;
const retryAfterMs = 1_000;
const syncEveryMs = 1_000;
// Bounds how long one transaction blocks the event loop.
const batchSize = 256;

/** Queues events and writes them in batches, each one block of the chain: in the background, or at once for a reader. */
export class EventWriter {
  readonly #table: AuditTable;
  readonly #archiver: Archiver | undefined;
  readonly #nowMs: () => number;
  readonly #randomBytes: (size: number) => Uint8Array;
  #queue: QueuedEvent[] = [];
  #timer: NodeJS.Timeout | undefined;
  #syncedAtMs = 0;
  #unsynced = false;

  constructor(options: WriterOptions) {
    this.#table = options.table;
    this.#archiver = options.archiver;
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

  /** Writes everything that is queued, and returns with it on disk. */
  flush(): void {
    while (this.#queue.length > 0) this.#writeBatch(true);
    if (!this.#unsynced) return;
    this.#table.sync();
    this.#unsynced = false;
  }

  /** Writes what is queued for a reader; returns what could not be written, as it would read. */
  writeNow(): readonly RecordedEvent[] {
    try {
      while (this.#queue.length > 0) this.#writeBatch(false);
      return [];
    } catch {
      const { head } = this.#table.ends();
      return this.#queue.map((queued, index) => recorded(queued, head.sequence + 1 + index));
    }
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
      // Nothing is lost: the queue stays, `pending` slows the proxy down, and `flush` throws the reason.
      this.#schedule(retryAfterMs);
    }
  }

  /**
   * Waiting for the disk stops every request, so the background writer waits once a second at most: the death of
   * the process costs what was queued, a power cut up to a second more.
   */
  #writeBatch(sync: boolean): void {
    const batch = this.#queue.slice(0, batchSize);
    const nowMs = this.#nowMs();
    const isSyncDue = sync || Math.abs(nowMs - this.#syncedAtMs) >= syncEveryMs;
    let storedEvents = 0;
    this.#table.append(
      ({ archived, head }) => {
        const block = linked(batch, head);
        storedEvents = block.lastSequence - archived.sequence;
        return block;
      },
      isSyncDue ? 'synced' : 'unsynced',
    );
    if (isSyncDue) this.#syncedAtMs = nowMs;
    this.#unsynced = !isSyncDue;
    this.#queue = this.#queue.slice(batch.length);
    this.#archiver?.archiveWhenDue(storedEvents);
  }
}
