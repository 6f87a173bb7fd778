import { setTimeout as sleep } from 'node:timers/promises';
import { connectionKey } from '../names.ts';
import type { Connection } from '../records/index.ts';
import { lifetimeOf } from './credential-lifetime.ts';

/**
 * The clock may be set, the machine may have slept, another daemon may have signed in: the plan is made
 * again after this long.
 */
const longestWaitMs = 60_000;
const shortestWaitMs = 1_000;
/** Tokens that expire almost at once are not fetched one after another while they are unused. */
const shortestLifeMs = 10_000;
/** After a night's sleep everything is due at once. */
const atOnce = 4;

export interface RefreshScheduleOptions {
  readonly nowMs: () => number;
  /** A wait that keeps no process alive. */
  readonly pause?: ((ms: number) => Promise<unknown>) | undefined;
  readonly list: () => Promise<readonly Connection[]>;
  /** Before then a connection whose refresh has failed is left alone; `Infinity` once it is given up. */
  readonly quietUntilMs: (connection: string) => number;
  /** Refreshes the connection unless another caller did since this version. Its failure is recorded where it happens. */
  readonly refresh: (connection: string, version: number) => Promise<unknown>;
}

/** Refreshes each connection ahead of its expiry, used or not, until it is closed. */
export interface RefreshSchedule {
  /** Plans again now: there is a new connection. */
  wake(): void;
  close(): void;
}

export function startRefreshSchedule(options: RefreshScheduleOptions): RefreshSchedule {
  const { nowMs, list, quietUntilMs, refresh } = options;
  const pause = options.pause ?? ((ms: number) => sleep(ms, undefined, { ref: false }));
  const running = new Set<string>();
  let isClosed = false;
  let wake = (): void => {};

  const begin = (key: string, version: number): void => {
    running.add(key);
    const ended = (): void => {
      running.delete(key);
      wake();
    };
    refresh(key, version).then(ended, ended);
  };

  /** Begins what is due, and returns when the next one will be. */
  const look = async (): Promise<number> => {
    let nextAtMs = Number.POSITIVE_INFINITY;
    for (const connection of await list()) {
      const key = connectionKey(connection.provider, connection.name);
      if (isClosed || connection.state !== 'connected' || running.has(key)) continue;
      const dueAtMs = Math.max(
        lifetimeOf(connection).refreshAtMs,
        connection.obtainedAtMs + shortestLifeMs,
        quietUntilMs(key),
      );
      if (dueAtMs > nowMs()) nextAtMs = Math.min(nextAtMs, dueAtMs);
      // One that has to wait for its turn is looked at again when another one ends.
      else if (running.size < atOnce) begin(key, connection.version);
    }
    return nextAtMs;
  };

  const run = async (): Promise<void> => {
    while (!isClosed) {
      const woken = new Promise<void>((resolve) => {
        wake = resolve;
      });
      // A vault that fails now may work later.
      const nextAtMs = await look().catch(() => Number.POSITIVE_INFINITY);
      const waitMs = Math.min(Math.max(nextAtMs - nowMs(), shortestWaitMs), longestWaitMs);
      await Promise.race([pause(waitMs), woken]);
    }
  };
  void run();

  return {
    wake: () => wake(),
    close() {
      isClosed = true;
      wake();
    },
  };
}
