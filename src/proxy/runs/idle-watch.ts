/** Something that may fall silent. `progress` changes whenever a byte has moved. */
export interface Watched {
  progress(): number;
  /** How long it may be silent now; its state may change that. */
  silenceMs(): number;
  silent(): void;
}

interface Entry {
  seen: number;
  silentMs: number;
}

/**
 * Finds what has been silent for too long. It looks at byte counts now and then, so that the hot path has no timer to
 * touch; and it counts its own ticks instead of reading a clock, so that a sleeping machine or a clock jump ends nothing.
 */
export class IdleWatch {
  readonly #entries = new Map<Watched, Entry>();
  readonly #timer: NodeJS.Timeout;

  constructor(tickMs: number) {
    this.#timer = setInterval(() => this.#tick(tickMs), tickMs);
    this.#timer.unref();
  }

  add(watched: Watched): void {
    this.#entries.set(watched, { seen: watched.progress(), silentMs: 0 });
  }

  remove(watched: Watched): void {
    this.#entries.delete(watched);
  }

  close(): void {
    clearInterval(this.#timer);
    this.#entries.clear();
  }

  #tick(tickMs: number): void {
    for (const [watched, entry] of this.#entries) {
      const seen = watched.progress();
      if (seen !== entry.seen) {
        entry.seen = seen;
        entry.silentMs = 0;
        continue;
      }
      entry.silentMs += tickMs;
      if (entry.silentMs >= watched.silenceMs()) {
        entry.silentMs = 0;
        watched.silent();
      }
    }
  }
}
