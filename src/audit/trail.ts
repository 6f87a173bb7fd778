import type { AuditTable } from '../storage/index.ts';
import type { ArchiveOptions } from './archive.ts';
import { Archiver } from './archiver.ts';
import type { AuditEvent, AuditTrail, DecisionEvent, EventFilter, RecordedEvent, Sequel } from './event.ts';
import { EventReader, type Search } from './reader.ts';
import { firstBrokenLink } from './verify.ts';
import { EventWriter } from './writer.ts';

export interface AuditTrailOptions {
  readonly table: AuditTable;
  readonly nowMs: () => number;
  readonly randomBytes: (size: number) => Uint8Array;
  /** Where older events move to; without it the table keeps them all. */
  readonly archive?: ArchiveOptions;
}

/** The audit trail stored in `table`; several processes may append to it at once. */
export function openAuditTrail(options: AuditTrailOptions): AuditTrail {
  return new ChainedAuditTrail(options);
}

class ChainedAuditTrail implements AuditTrail {
  readonly #table: AuditTable;
  readonly #writer: EventWriter;
  readonly #reader: EventReader;
  readonly #archiver: Archiver | undefined;

  constructor({ table, nowMs, randomBytes, archive }: AuditTrailOptions) {
    this.#table = table;
    this.#archiver = archive === undefined ? undefined : new Archiver(table, archive);
    this.#writer = new EventWriter({ table, archiver: this.#archiver, nowMs, randomBytes });
    this.#reader = new EventReader(table, archive?.directory);
  }

  get pending(): number {
    return this.#writer.pending;
  }

  append(event: AuditEvent): void {
    this.#writer.append(event);
  }

  async flush(): Promise<void> {
    this.#writer.flush();
    await this.#archiver?.settled();
  }

  async recent(filter: EventFilter): Promise<readonly RecordedEvent[]> {
    return this.#reader.recent(filter, this.#writer.writeNow());
  }

  async decision(
    id: string,
    isWanted: (event: RecordedEvent) => boolean = () => true,
  ): Promise<(DecisionEvent & RecordedEvent) | undefined> {
    return this.#newestMatch({
      matches: (event): event is DecisionEvent & RecordedEvent =>
        event.event === 'decision' && (id === 'last' || event.id === id) && isWanted(event),
      words: id === 'last' ? '"event":"decision"' : JSON.stringify(id),
      since: 0,
    });
  }

  async sequel({ id, sequence }: Pick<RecordedEvent, 'id' | 'sequence'>): Promise<Sequel | undefined> {
    return this.#newestMatch({
      matches: (event): event is Sequel & RecordedEvent =>
        (event.event === 'scopes.missing' || event.event === 'answer.failed') && event.decision === id,
      words: `"decision":${JSON.stringify(id)}`,
      // A sequel comes after its decision.
      since: sequence,
    });
  }

  async firstBrokenLink(): Promise<number | undefined> {
    this.#writer.writeNow();
    return firstBrokenLink(this.#table);
  }

  async #newestMatch<Wanted extends RecordedEvent>(search: Search<Wanted>): Promise<Wanted | undefined> {
    return this.#writer.writeNow().findLast(search.matches) ?? this.#reader.newestMatch(search);
  }
}
