import type { AuditTable } from '../storage/index.ts';
import { type ArchiveOptions, archiveSegment } from './archive.ts';

/** Archives the oldest events in the background once the table is a tenth longer than it should be. */
export class Archiver {
  readonly #table: AuditTable;
  readonly #options: ArchiveOptions;
  #running: Promise<void> | undefined;
  /** After a failure, the next try waits until the table has this many events. */
  #dueFrom = 0;

  constructor(table: AuditTable, options: ArchiveOptions) {
    this.#table = table;
    this.#options = options;
  }

  get directory(): string {
    return this.#options.directory;
  }

  archiveWhenDue(storedEvents: number): void {
    if (this.#running !== undefined) return;
    const { keptEvents } = this.#options;
    const segment = keptEvents / 10;
    if (storedEvents < Math.max(keptEvents + segment, this.#dueFrom)) return;
    this.#running = archiveSegment(this.#table, this.#table.ends().archived, this.#options)
      .then(() => {
        this.#dueFrom = 0;
      })
      .catch(() => {
        // Nothing is lost: the table is only longer than it should be. A full disk is not tried again at every write.
        this.#dueFrom = storedEvents + segment;
      })
      .finally(() => {
        this.#running = undefined;
      });
  }

  /** Resolves when nothing is being archived. */
  async settled(): Promise<void> {
    await this.#running;
  }
}
