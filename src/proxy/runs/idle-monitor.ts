/** Something that may become idle. `progress` changes whenever a byte has moved. */
export interface Monitored {
  progress(): number;
  /** How long it may be idle in its present state. */
  idleMs(): number;
  onIdle(): void;
}

interface Entry {
  seen: number;
  idleMs: number;
}

/**
 * Finds what has been idle for too long. It compares byte counts at intervals, so the hot path touches no timer. It
 * counts its own ticks and reads no clock, so a sleeping machine or a clock jump ends nothing.
 */
export class IdleMonitor {
  readonly #entries = new Map<Monitored, Entry>();
  readonly #timer: NodeJS.Timeout;

  constructor(tickMs: number) {
    this.#timer = setInterval(() => this.#tick(tickMs), tickMs);
    this.#timer.unref();
  }

  add(monitored: Monitored): void {
    this.#entries.set(monitored, { seen: monitored.progress(), idleMs: 0 });
  }

  remove(monitored: Monitored): void {
    this.#entries.delete(monitored);
  }

  close(): void {
    clearInterval(this.#timer);
    this.#entries.clear();
  }

  #tick(tickMs: number): void {
    for (const [monitored, entry] of this.#entries) {
      const seen = monitored.progress();
      if (seen !== entry.seen) {
        entry.seen = seen;
        entry.idleMs = 0;
        continue;
      }
      entry.idleMs += tickMs;
      if (entry.idleMs >= monitored.idleMs()) {
        entry.idleMs = 0;
        monitored.onIdle();
      }
    }
  }
}
