import { setImmediate as nextTurn } from 'node:timers/promises';
import type { AuditTable } from '../storage/index.ts';
import { type ArchiveOptions, archiveSegment } from './archive.ts';
import {
  type Block,
  endOf,
  eventsOf,
  holds,
  type Link,
  linked,
  type QueuedEvent,
  recorded,
} from './chain.ts';
import type { AuditEvent, AuditTrail, DecisionEvent, EventFilter, RecordedEvent, Sequel } from './event.ts';
import { archivedBlocks, archivedBlocksAfter } from './segments.ts';

export interface AuditTrailOptions {
  readonly table: AuditTable;
  readonly nowMs: () => number;
  readonly randomBytes: (size: number) => Uint8Array;
  /** Where older events move to; without it the table keeps them all. */
  readonly archive?: ArchiveOptions;
}

const writeAfterMs = 20;
const retryAfterMs = 1_000;
const syncEveryMs = 1_000;
// Bounds how long one transaction keeps the event loop.
const batchSize = 256;
const verifiedAtOnce = 16;

/** The audit trail stored in `table`; several processes may append to it at once. */
export function openAuditTrail(options: AuditTrailOptions): AuditTrail {
  return new ChainedAuditTrail(options);
}

class ChainedAuditTrail implements AuditTrail {
  readonly #table: AuditTable;
  readonly #nowMs: () => number;
  readonly #randomBytes: (size: number) => Uint8Array;
  #queue: QueuedEvent[] = [];
  #timer: NodeJS.Timeout | undefined;
  #syncedAtMs = 0;
  #unsynced = false;
  readonly #archive: ArchiveOptions | undefined;
  #archiving: Promise<void> | undefined;
  /** Not before this many events more, after an archiving that failed. */
  #archiveFrom = 0;

  constructor(options: AuditTrailOptions) {
    this.#table = options.table;
    this.#nowMs = options.nowMs;
    this.#randomBytes = options.randomBytes;
    this.#archive = options.archive;
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
    if (this.#unsynced) {
      this.#table.sync();
      this.#unsynced = false;
    }
    await this.#archiving;
  }

  async recent({
    limit,
    after,
    before = Number.MAX_SAFE_INTEGER,
  }: EventFilter): Promise<readonly RecordedEvent[]> {
    // In one go, so that nothing is archived between the looks.
    const unwritten = this.#writeNow();
    const { archived } = this.#table.ends();
    if (after !== undefined) {
      const waiting = unwritten.filter((event) => event.sequence > after);
      const kept = [...this.#following(after, limit), ...waiting];
      return [...(await this.#archivedAfter(after, archived, limit)), ...kept].slice(0, limit);
    }
    const waiting = unwritten.filter((event) => event.sequence < before);
    const kept = lastOf([...this.#newest(before, limit), ...waiting], limit);
    return [...(await this.#newestArchived(archived, before, limit - kept.length)), ...kept];
  }

  async decision(id: string): Promise<(DecisionEvent & RecordedEvent) | undefined> {
    const wanted = (event: RecordedEvent): event is DecisionEvent & RecordedEvent =>
      event.event === 'decision' && (id === 'last' || event.id === id);
    return this.#newestThat(wanted, id === 'last' ? '"event":"decision"' : JSON.stringify(id), 0);
  }

  async sequel({ id, sequence }: Pick<RecordedEvent, 'id' | 'sequence'>): Promise<Sequel | undefined> {
    const wanted = (event: RecordedEvent): event is Sequel & RecordedEvent =>
      (event.event === 'scopes.missing' || event.event === 'answer.failed') && event.decision === id;
    // Whatever became of it came after the decision.
    return this.#newestThat(wanted, `"decision":${JSON.stringify(id)}`, sequence);
  }

  /** `words`: what the text of such an event holds. It has a greater sequence number than `since`. */
  async #newestThat<Wanted extends RecordedEvent>(
    wanted: (event: RecordedEvent) => event is Wanted,
    words: string,
    since: number,
  ): Promise<Wanted | undefined> {
    const waiting = this.#writeNow().findLast(wanted);
    if (waiting !== undefined) return waiting;
    const { archived } = this.#table.ends();
    const kept = this.#newestKeptThat(wanted, words, since);
    if (kept !== undefined || archived.sequence <= since) return kept;
    for await (const block of this.#archivedBlocks(archived)) {
      const found = block.body.includes(words) ? eventsOf(block).findLast(wanted) : undefined;
      if (found !== undefined) return found;
      if (block.lastSequence - block.events <= since) break;
    }
    return undefined;
  }

  #newestKeptThat<Wanted extends RecordedEvent>(
    wanted: (event: RecordedEvent) => event is Wanted,
    words: string,
    since: number,
  ): Wanted | undefined {
    // The text may hold the words elsewhere too, so each block that has them is looked at.
    for (let before = Number.MAX_SAFE_INTEGER; ; ) {
      const block = this.#table.blockContaining(words, since, before);
      if (block === undefined) return undefined;
      const found = eventsOf(block).findLast(wanted);
      if (found !== undefined) return found;
      before = block.lastSequence;
    }
  }

  async firstBrokenLink(): Promise<number | undefined> {
    this.#writeNow();
    const { archived, head } = this.#table.ends();
    let previous = archived;
    while (previous.sequence < head.sequence) {
      const blocks = this.#table.blocksBetween(previous.sequence, head.sequence, verifiedAtOnce);
      const reached = previous.sequence;
      for (const block of blocks) {
        if (!holds(block, previous)) break;
        previous = endOf(block);
      }
      if (previous.sequence < (blocks.at(-1)?.lastSequence ?? head.sequence)) {
        // Unless they were archived meanwhile, the next events are not what the head vouches for, or are gone.
        const { archived: moved } = this.#table.ends();
        if (moved.sequence <= reached) return previous.sequence + 1;
        previous = moved;
      }
      await nextTurn();
    }
    return Buffer.compare(previous.hash, head.hash) === 0 ? undefined : head.sequence;
  }

  /** The last `limit` events before `before`, or some more, oldest first. */
  #newest(before: number, limit: number): readonly RecordedEvent[] {
    const found: (readonly RecordedEvent[])[] = [];
    let count = 0;
    // From the block on that `before` may stand in.
    for (let below = Math.min(before, Number.MAX_SAFE_INTEGER - batchSize) + batchSize; count < limit; ) {
      const block = this.#table.blockBefore(below);
      if (block === undefined) break;
      const events = eventsOf(block).filter(({ sequence }) => sequence < before);
      found.push(events);
      count += events.length;
      below = block.lastSequence;
    }
    return found.reverse().flat();
  }

  /** As `#newest`, exactly `limit` at most, of what is archived up to `archived`. */
  async #newestArchived(archived: Link, before: number, limit: number): Promise<readonly RecordedEvent[]> {
    const found: (readonly RecordedEvent[])[] = [];
    let count = 0;
    if (limit > 0) {
      for await (const block of this.#archivedBlocks(archived)) {
        if (block.lastSequence - block.events + 1 >= before) continue;
        const events = eventsOf(block).filter(({ sequence }) => sequence < before);
        found.push(events);
        count += events.length;
        if (count >= limit) break;
      }
    }
    return lastOf(found.reverse().flat(), limit);
  }

  async #archivedAfter(after: number, archived: Link, limit: number): Promise<readonly RecordedEvent[]> {
    const found: RecordedEvent[] = [];
    if (this.#archive === undefined || after >= archived.sequence) return found;
    for await (const block of archivedBlocksAfter(this.#archive.directory, after, archived)) {
      found.push(...eventsOf(block).filter(({ sequence }) => sequence > after));
      if (found.length >= limit) break;
    }
    return found;
  }

  async *#archivedBlocks(archived: Link): AsyncGenerator<Block, void> {
    if (this.#archive !== undefined) yield* archivedBlocks(this.#archive.directory, archived);
  }

  /** The first `limit` events, or some more, with a greater sequence number. */
  #following(after: number, limit: number): readonly RecordedEvent[] {
    const found: RecordedEvent[] = [];
    for (let reached = after; found.length < limit; ) {
      const block = this.#table.blockAfter(reached);
      if (block === undefined) break;
      found.push(...eventsOf(block).filter((event) => event.sequence > after));
      reached = block.lastSequence;
    }
    return found;
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
      const { head } = this.#table.ends();
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
    let kept = 0;
    this.#table.append(
      ({ archived, head }) => {
        const block = linked(batch, head);
        kept = block.lastSequence - archived.sequence;
        return block;
      },
      due ? 'synced' : 'unsynced',
    );
    if (due) this.#syncedAtMs = nowMs;
    this.#unsynced = !due;
    this.#queue = this.#queue.slice(batch.length);
    this.#archiveWhenDue(kept);
  }

  #archiveWhenDue(kept: number): void {
    const archive = this.#archive;
    if (archive === undefined || this.#archiving !== undefined) return;
    const segment = archive.keptEvents / 10;
    if (kept < Math.max(archive.keptEvents + segment, this.#archiveFrom)) return;
    this.#archiving = archiveSegment(this.#table, this.#table.ends().archived, archive)
      .then(() => {
        this.#archiveFrom = 0;
      })
      .catch(() => {
        // Nothing is lost, the table is longer than it should be. A full disk is not asked again at every write.
        this.#archiveFrom = kept + segment;
      })
      .finally(() => {
        this.#archiving = undefined;
      });
  }
}

function lastOf<Item>(items: readonly Item[], count: number): readonly Item[] {
  return items.slice(Math.max(0, items.length - count));
}
