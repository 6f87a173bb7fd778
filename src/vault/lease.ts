import type { LeaseKey, LeaseRow, LeaseTable } from '../storage/index.ts';
import type { RandomBytes } from './seal.ts';

export interface LeaseOptions {
  readonly table: LeaseTable;
  /** Sets the names of one owner (a vault) apart from those of others. */
  readonly scope: string;
  readonly randomBytes: RandomBytes;
  readonly nowMs: () => number;
}

const pollMs = 15;
const pollJitterMs = 30;
const renewalsPerLease = 3;

/** Named locks: a queue in this process, and among processes a row in the database that is renewed during the work. */
export class Leases {
  readonly #options: LeaseOptions;
  readonly #queues = new Map<string, Promise<unknown>>();

  constructor(options: LeaseOptions) {
    this.#options = options;
  }

  /** What `work` returns, run while nobody else has `name`. Not re-entrant. */
  exclusively<Result>(name: string, leaseMs: number, work: () => Promise<Result>): Promise<Result> {
    if (!(leaseMs > 0)) throw new TypeError('leaseMs must be positive');
    const turn = (this.#queues.get(name) ?? Promise.resolve()).then(() =>
      this.#withLease(name, leaseMs, work),
    );
    const settled = turn.then(ignore, ignore).then(() => {
      if (this.#queues.get(name) === settled) this.#queues.delete(name);
    });
    this.#queues.set(name, settled);
    return turn;
  }

  async #withLease<Result>(name: string, leaseMs: number, work: () => Promise<Result>): Promise<Result> {
    const { table, scope, randomBytes, nowMs } = this.#options;
    const key = { scope, name };
    const owner = Buffer.from(randomBytes(16)).toString('hex');
    await this.#acquire(key, leaseMs, owner);
    // A renewal or release that fails (full disk, closed database) costs others a wait until the lease expires, and
    // the owner nothing.
    const renewal = setInterval(
      () => void table.renew(key, owner, nowMs() + leaseMs).catch(ignore),
      leaseMs / renewalsPerLease,
    );
    try {
      return await work();
    } finally {
      clearInterval(renewal);
      await table.release(key, owner).catch(ignore);
    }
  }

  /**
   * Waits until the lease is the owner's. It is taken over only after it went unrenewed for longer than a living owner
   * leaves it, as measured by the waiting itself and not by the clock on the wall: a clock that was set forward, or a
   * machine that woke from sleep, makes every deadline look past while the owner is still at work.
   */
  async #acquire(key: LeaseKey, leaseMs: number, owner: string): Promise<void> {
    const { table, nowMs, randomBytes } = this.#options;
    const shortestWaitMs = (leaseMs * (renewalsPerLease - 1)) / renewalsPerLease;
    let seen: LeaseRow | undefined;
    let unchangedMs = 0;
    for (;;) {
      const found = await table.find(key);
      if (found === undefined) {
        if (await table.take(key, owner, nowMs() + leaseMs)) return;
      } else if (seen?.owner !== found.owner || seen.renewals !== found.renewals) {
        seen = found;
        unchangedMs = 0;
      } else if (unchangedMs >= leaseMs || (unchangedMs >= shortestWaitMs && found.expiresAtMs <= nowMs())) {
        if (await table.takeOver(key, found, owner, nowMs() + leaseMs)) return;
      }
      const [jitter = 0] = randomBytes(1);
      // Whole milliseconds: a timer cuts off the rest, and the wait would be counted as longer than it was.
      const pauseMs = pollMs + Math.round((pollJitterMs * jitter) / 256);
      await sleep(pauseMs);
      unchangedMs += pauseMs;
    }
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((wake) => setTimeout(wake, ms));
}

function ignore(): void {}
