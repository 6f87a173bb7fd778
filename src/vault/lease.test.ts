import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Database, openTestStorage, sqliteStorage } from '../storage/test-storage.ts';
import { Leases } from './lease.ts';

let directory: string;
let databases: readonly [Database, Database];
let now: number;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'authsome-lease-'));
  const path = join(directory, 'authsome.db');
  databases = [(await openTestStorage(path)).database, (await openTestStorage(path)).database];
  now = Date.UTC(2026, 0, 1);
});

afterEach(() => {
  vi.useRealTimers();
  for (const database of databases) database.close();
  rmSync(directory, { recursive: true });
});

/** Leases as two processes have them: each with its own connection. */
const leases = (process: 0 | 1 = 0, scope = 'vault-1'): Leases =>
  new Leases({ table: sqliteStorage(databases[process]).leases, scope, randomBytes, nowMs: () => now });

const rows = (): unknown[] => databases[0].all('SELECT name FROM leases');

function deferred(): { promise: Promise<void>; resolve: () => void } {
  let resolve: () => void = () => {};
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

/** The timers of both processes, which move only by `vi.advanceTimersByTimeAsync`. */
function stopTimers(): void {
  vi.useFakeTimers({ toFake: ['setTimeout', 'setInterval', 'clearInterval'] });
}

/** Leaves a lease behind, as a killed process does. */
function abandon(expiresInMs: number): void {
  databases[0].run("INSERT INTO leases VALUES ('vault-1', 'x', 'dead', 0, ?)", now + expiresInMs);
}

describe('exclusively', () => {
  it('returns what the work returns, passes on what it throws, and leaves nothing behind', async () => {
    expect(await leases().exclusively('x', 1_000, async () => 7)).toBe(7);
    const failing = leases().exclusively('x', 1_000, async () => {
      throw new RangeError('no');
    });
    await expect(failing).rejects.toThrow(RangeError);
    expect(rows()).toEqual([]);
  });

  it.each([
    ['in one process, in the order of asking', [leases, leases], true],
    ['among processes', [() => leases(0), () => leases(1)], false],
  ] as const)('lets one in at a time %s', async (_, open, ordered) => {
    const [a, b] = ordered ? [open[0](), undefined] : [open[0](), open[1]()];
    let inside = 0;
    let most = 0;
    const order: number[] = [];
    await Promise.all(
      Array.from({ length: 12 }, (_each, index) =>
        (index % 2 === 0 ? a : (b ?? a)).exclusively('x', 1_000, async () => {
          inside += 1;
          most = Math.max(most, inside);
          order.push(index);
          await turn();
          inside -= 1;
        }),
      ),
    );
    expect(most).toBe(1);
    expect(order).toHaveLength(12);
    if (ordered) expect(order).toEqual([...order].sort((left, right) => left - right));
  });

  it('delays no other name and no other scope', async () => {
    const release = deferred();
    const holding = leases().exclusively('x', 1_000, () => release.promise);
    await leases(1).exclusively('y', 1_000, async () => {});
    await leases(1, 'vault-2').exclusively('x', 1_000, async () => {});
    release.resolve();
    await holding;
  });

  it('goes on to the next in line when a work fails', async () => {
    const shared = leases();
    const failing = shared.exclusively('x', 1_000, async () => {
      throw new RangeError('no');
    });
    const next = shared.exclusively('x', 1_000, async () => 'next');
    await expect(failing).rejects.toThrow(RangeError);
    expect(await next).toBe('next');
  });

  it('takes over from an owner that died, once its lease has expired', async () => {
    stopTimers();
    abandon(-1);
    let taken = false;
    const taking = leases().exclusively('x', 90_000, async () => {
      taken = true;
    });
    await vi.advanceTimersByTimeAsync(59_000);
    expect(taken).toBe(false);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(taken).toBe(true);
    await taking;
    expect(rows()).toEqual([]);
  });

  it('takes over from a dead owner even when the clock was set back for hours', async () => {
    stopTimers();
    abandon(3_600_000);
    let taken = false;
    const taking = leases().exclusively('x', 90_000, async () => {
      taken = true;
    });
    await vi.advanceTimersByTimeAsync(89_000);
    expect(taken).toBe(false);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(taken).toBe(true);
    await taking;
  });

  it('does not take over from a living owner, however long it works or the clock jumps', async () => {
    stopTimers();
    const release = deferred();
    let holds = true;
    const holding = leases(0).exclusively('x', 300, async () => {
      await release.promise;
      holds = false;
    });
    let sawHolder: boolean | undefined;
    const waiting = leases(1).exclusively('x', 300, async () => {
      sawHolder = holds;
    });
    await vi.advanceTimersByTimeAsync(100);
    now += 3_600_000;
    await vi.advanceTimersByTimeAsync(60_000);
    now -= 7_200_000;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(sawHolder).toBeUndefined();
    release.resolve();
    await holding;
    await vi.advanceTimersByTimeAsync(100);
    await waiting;
    expect(sawHolder).toBe(false);
  });

  it('never releases a lease that has passed to somebody else', async () => {
    await leases(0).exclusively('x', 60_000, async () => {
      expect(databases[1].run("UPDATE leases SET owner = 'successor'")).toBe(1);
    });
    expect(rows()).toEqual([{ name: 'x' }]);
  });

  it('gives the result even when the lease cannot be released', async () => {
    const result = await leases(0).exclusively('x', 60_000, async () => {
      databases[0].script("CREATE TRIGGER stay BEFORE DELETE ON leases BEGIN SELECT raise(ABORT, 'no'); END");
      return 'kept';
    });
    expect(result).toBe('kept');
  });

  it('does not run the work when the lease cannot be taken', async () => {
    databases[0].script("CREATE TRIGGER stay BEFORE INSERT ON leases BEGIN SELECT raise(ABORT, 'no'); END");
    let ran = false;
    const refused = leases().exclusively('x', 1_000, async () => {
      ran = true;
    });
    await expect(refused).rejects.toThrow();
    expect(ran).toBe(false);
  });

  it('wants a lease of some length', () => {
    expect(() => leases().exclusively('x', 0, async () => {})).toThrow(TypeError);
  });
});

it('frees the leases of the dead at once for a process that has the database alone', async () => {
  abandon(60_000);
  await sqliteStorage(databases[0]).leases.freeAll();
  expect(await leases().exclusively('x', 60_000, async () => 'in')).toBe('in');
});
