import { setTimeout as sleep } from 'node:timers/promises';
import type { Database } from '../storage/index.ts';
import type { RandomBytes } from './seal.ts';

export interface LeaseOptions {
  /** With `vaultMigrations` applied. */
  readonly database: Database;
  /** Sets the names of one owner (a vault) apart from those of others. */
  readonly scope: string;
  readonly randomBytes: RandomBytes;
  readonly nowMs: () => number;
}

export interface Leases {
  /**
   * What `work` returns, run while nobody else holds `name`: in this process by a queue, among processes by a row
   * in the database that is renewed while the work runs. Not re-entrant.
   */
  exclusively<Result>(name: string, leaseMs: number, work: () => Promise<Result>): Promise<Result>;
}

interface LeaseRow {
  readonly owner: string;
  readonly renewals: number;
  readonly expires_at_ms: number;
}

const pollMs = 15;
const pollJitterMs = 30;
const renewalsPerLease = 3;

export function openLeases(options: LeaseOptions): Leases {
  const queues = new Map<string, Promise<unknown>>();
  return {
    exclusively(name, leaseMs, work) {
      if (!(leaseMs > 0)) throw new TypeError('leaseMs must be positive');
      const turn = (queues.get(name) ?? Promise.resolve()).then(() => held(options, name, leaseMs, work));
      const settled = turn.then(ignore, ignore).then(() => {
        if (queues.get(name) === settled) queues.delete(name);
      });
      queues.set(name, settled);
      return turn;
    },
  };
}

async function held<Result>(
  options: LeaseOptions,
  name: string,
  leaseMs: number,
  work: () => Promise<Result>,
): Promise<Result> {
  const owner = Buffer.from(options.randomBytes(16)).toString('hex');
  await acquire(options, name, leaseMs, owner);
  const renewal = setInterval(
    () => attempt(() => renew(options, name, leaseMs, owner)),
    leaseMs / renewalsPerLease,
  );
  try {
    return await work();
  } finally {
    clearInterval(renewal);
    attempt(() => release(options, name, owner));
  }
}

/**
 * Waits until the lease is ours. It is taken over from a holder only after it went unrenewed for longer than a
 * living holder leaves it, as measured by our own waiting and not by the clock on the wall: a clock that was set
 * forward, or a machine that woke from sleep, makes every deadline look past while its holder is still at work.
 */
async function acquire(options: LeaseOptions, name: string, leaseMs: number, owner: string): Promise<void> {
  const { database, scope, nowMs, randomBytes } = options;
  const patienceMs = (leaseMs * (renewalsPerLease - 1)) / renewalsPerLease;
  let seen: LeaseRow | undefined;
  let unchangedMs = 0;
  for (;;) {
    const found = database.one<LeaseRow>(
      'SELECT owner, renewals, expires_at_ms FROM leases WHERE scope = ? AND name = ?',
      scope,
      name,
    );
    if (found === undefined) {
      const taken = database.run(
        'INSERT OR IGNORE INTO leases (scope, name, owner, renewals, expires_at_ms) VALUES (?, ?, ?, 0, ?)',
        scope,
        name,
        owner,
        nowMs() + leaseMs,
      );
      if (taken === 1) return;
    } else if (seen?.owner !== found.owner || seen.renewals !== found.renewals) {
      seen = found;
      unchangedMs = 0;
    } else if (unchangedMs >= leaseMs || (unchangedMs >= patienceMs && found.expires_at_ms <= nowMs())) {
      const taken = database.run(
        'UPDATE leases SET owner = ?, renewals = 0, expires_at_ms = ? WHERE scope = ? AND name = ? AND owner = ? AND renewals = ?',
        owner,
        nowMs() + leaseMs,
        scope,
        name,
        found.owner,
        found.renewals,
      );
      if (taken === 1) return;
    }
    const [jitter = 0] = randomBytes(1);
    const pauseMs = pollMs + (pollJitterMs * jitter) / 256;
    await sleep(pauseMs);
    unchangedMs += pauseMs;
  }
}

function renew(options: LeaseOptions, name: string, leaseMs: number, owner: string): void {
  options.database.run(
    'UPDATE leases SET renewals = renewals + 1, expires_at_ms = ? WHERE scope = ? AND name = ? AND owner = ?',
    options.nowMs() + leaseMs,
    options.scope,
    name,
    owner,
  );
}

function release(options: LeaseOptions, name: string, owner: string): void {
  options.database.run(
    'DELETE FROM leases WHERE scope = ? AND name = ? AND owner = ?',
    options.scope,
    name,
    owner,
  );
}

/**
 * A renewal or release that fails (full disk, closed database) costs others a wait until the lease lapses, and the
 * holder nothing.
 */
function attempt(step: () => void): void {
  try {
    step();
  } catch {
    // See above: the lease lapses by itself.
  }
}

/**
 * Frees every lease at once instead of after its time. Only for a process that knows to be the one user of the
 * database: whoever held them has died.
 */
export function freeLeases(database: Database): void {
  database.run('DELETE FROM leases');
}

function ignore(): void {}
