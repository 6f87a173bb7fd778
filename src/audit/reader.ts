import type { AuditTable, ChainLink } from '../storage/index.ts';
import { type Block, eventsOf } from './chain.ts';
import type { EventFilter, RecordedEvent } from './event.ts';
import { archivedBlocks, archivedBlocksAfter } from './segments.ts';

/** Which event is looked for, and where. */
export interface Search<Wanted extends RecordedEvent> {
  readonly matches: (event: RecordedEvent) => event is Wanted;
  /** What the text of such an event contains. */
  readonly words: string;
  /** It has a greater sequence number than this one. */
  readonly since: number;
}

/** Reads events from the table and, where the table begins too late, from the archive. */
export class EventReader {
  readonly #table: AuditTable;
  readonly #archiveDirectory: string | undefined;

  constructor(table: AuditTable, archiveDirectory: string | undefined) {
    this.#table = table;
    this.#archiveDirectory = archiveDirectory;
  }

  /** As `AuditTrail.recent`. `unwritten` are the events that come after those in the table. */
  async recent(
    { limit, after, before = Number.MAX_SAFE_INTEGER }: EventFilter,
    unwritten: readonly RecordedEvent[],
  ): Promise<readonly RecordedEvent[]> {
    // The table is read before anything is awaited, so that nothing is archived between the two reads.
    const { archived } = this.#table.ends();
    if (after !== undefined) {
      const waiting = unwritten.filter((event) => event.sequence > after);
      const stored = [...this.#following(after, limit), ...waiting];
      return [...(await this.#archivedAfter(after, archived, limit)), ...stored].slice(0, limit);
    }
    const waiting = unwritten.filter((event) => event.sequence < before);
    const stored = lastOf([...this.#newest(before, limit), ...waiting], limit);
    return [...(await this.#newestArchived(archived, before, limit - stored.length)), ...stored];
  }

  /** The newest event that matches. */
  async newestMatch<Wanted extends RecordedEvent>(search: Search<Wanted>): Promise<Wanted | undefined> {
    const { matches, words, since } = search;
    const { archived } = this.#table.ends();
    const stored = this.#newestStoredMatch(search);
    if (stored !== undefined || archived.sequence <= since) return stored;
    for await (const block of this.#archivedBlocks(archived)) {
      const found = block.body.includes(words) ? eventsOf(block).findLast(matches) : undefined;
      if (found !== undefined) return found;
      if (block.lastSequence - block.events <= since) break;
    }
    return undefined;
  }

  #newestStoredMatch<Wanted extends RecordedEvent>({
    matches,
    words,
    since,
  }: Search<Wanted>): Wanted | undefined {
    // Other events may contain the words too, so each block that does is looked at.
    for (let before = Number.MAX_SAFE_INTEGER; ; ) {
      const block = this.#table.blockContaining(words, since, before);
      if (block === undefined) return undefined;
      const found = eventsOf(block).findLast(matches);
      if (found !== undefined) return found;
      before = block.lastSequence;
    }
  }

  /** The last `limit` events before `before`, or some more, oldest first. */
  #newest(before: number, limit: number): readonly RecordedEvent[] {
    const found: (readonly RecordedEvent[])[] = [];
    let count = 0;
    // The block that contains `before` comes first.
    let block = this.#table.blockAfter(before - 1) ?? this.#table.blockBefore(before);
    while (block !== undefined && count < limit) {
      const events = eventsOf(block).filter(({ sequence }) => sequence < before);
      found.push(events);
      count += events.length;
      block = this.#table.blockBefore(block.lastSequence);
    }
    return found.reverse().flat();
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

  /** As `#newest`, exactly `limit` at most, of what is archived up to `archived`. */
  async #newestArchived(
    archived: ChainLink,
    before: number,
    limit: number,
  ): Promise<readonly RecordedEvent[]> {
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

  async #archivedAfter(after: number, archived: ChainLink, limit: number): Promise<readonly RecordedEvent[]> {
    const found: RecordedEvent[] = [];
    if (this.#archiveDirectory === undefined || after >= archived.sequence) return found;
    for await (const block of archivedBlocksAfter(this.#archiveDirectory, after, archived)) {
      found.push(...eventsOf(block).filter(({ sequence }) => sequence > after));
      if (found.length >= limit) break;
    }
    return found;
  }

  async *#archivedBlocks(archived: ChainLink): AsyncGenerator<Block, void> {
    if (this.#archiveDirectory !== undefined) yield* archivedBlocks(this.#archiveDirectory, archived);
  }
}

function lastOf<Item>(items: readonly Item[], count: number): readonly Item[] {
  return items.slice(Math.max(0, items.length - count));
}
