import { describe, expect, it } from 'vitest';
import type { Connection } from '../records/connection-record.ts';
import { startRefreshSchedule } from './refresh-schedule.ts';

const hourMs = 3_600_000;

/** A clock on the wall, which can be set, and time that passes, for which waits are. */
function clockwork() {
  const waits: { readonly endMs: number; readonly end: () => void }[] = [];
  let passedMs = 0;
  const clock = {
    nowMs: 1_800_000_000_000,
    longestWaitMs: 0,
    pause(ms: number): Promise<void> {
      clock.longestWaitMs = Math.max(clock.longestWaitMs, ms);
      return new Promise((end) => waits.push({ endMs: passedMs + ms, end }));
    },
    async pass(ms: number): Promise<void> {
      const endMs = passedMs + ms;
      for (;;) {
        await settled();
        const next = waits.filter((wait) => wait.endMs <= endMs).sort((a, b) => a.endMs - b.endMs)[0];
        if (next === undefined) break;
        waits.splice(waits.indexOf(next), 1);
        clock.nowMs += next.endMs - passedMs;
        passedMs = next.endMs;
        next.end();
      }
      clock.nowMs += endMs - passedMs;
      passedMs = endMs;
    },
  };
  return clock;
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function fixture(answer: (key: string) => Promise<unknown> = async () => undefined) {
  const clock = clockwork();
  const connections = new Map<string, Connection>();
  const quiet = new Map<string, number>();
  const asked: { readonly key: string; readonly atMs: number }[] = [];
  const startedAtMs = clock.nowMs;
  const connect = (name: string, changes: Partial<Connection> = {}): void => {
    const connection = {
      provider: 'acme',
      name,
      state: 'connected',
      refreshable: true,
      obtainedAtMs: clock.nowMs,
      expiresAtMs: clock.nowMs + hourMs,
      version: 1,
      ...changes,
    } as Connection;
    connections.set(`acme/${name}`, connection);
  };
  const start = () =>
    startRefreshSchedule({
      nowMs: () => clock.nowMs,
      pause: clock.pause,
      list: async () => [...connections.values()],
      quietUntilMs: (key) => quiet.get(key) ?? Number.NEGATIVE_INFINITY,
      refresh: async (key, version) => {
        asked.push({ key, atMs: clock.nowMs - startedAtMs });
        await answer(key);
        connect(key.split('/')[1] ?? '', { version: version + 1 });
      },
    });
  return { clock, connect, quiet, asked, start };
}

describe('the refresh schedule', () => {
  it('refreshes a connection that nobody uses 300 s before each of its ends, once', async () => {
    const { clock, connect, asked, start } = fixture();
    connect('default');
    start();
    await clock.pass(54 * 60_000);
    expect(asked).toEqual([]);
    await clock.pass(4 * hourMs - 54 * 60_000);
    expect(asked.map(({ atMs }) => atMs / 60_000)).toEqual([55, 110, 165, 220]);
  });

  it('leaves alone what cannot be refreshed, is over, or never ends', async () => {
    const { clock, connect, asked, start } = fixture();
    connect('key', { refreshable: false, expiresAtMs: undefined });
    connect('single', { refreshable: false });
    connect('endless', { expiresAtMs: undefined });
    connect('dead', { state: 'invalid' });
    start();
    await clock.pass(1_000 * hourMs);
    expect(asked).toEqual([]);
  });

  it('sees a new connection at once', async () => {
    const { clock, connect, asked, start } = fixture();
    const schedule = start();
    await clock.pass(1_000);
    connect('short', { expiresAtMs: clock.nowMs + 24_000 });
    schedule.wake();
    await clock.pass(14_000);
    expect(asked).toEqual([{ key: 'acme/short', atMs: 13_000 }]);
  });

  it('finds within a minute that the machine has slept, or that the clock was set', async () => {
    const { clock, connect, asked, start } = fixture();
    connect('default');
    start();
    await clock.pass(10 * 60_000);
    clock.nowMs += 8 * hourMs;
    await clock.pass(60_000);
    expect(asked).toHaveLength(1);
    clock.nowMs -= 24 * hourMs;
    await clock.pass(hourMs);
    expect(asked).toHaveLength(1);
    await clock.pass(24 * hourMs);
    expect(asked).toHaveLength(2);
    expect(clock.longestWaitMs).toBe(60_000);
  });

  it('asks for four at a time after a long sleep, and for all in the end', async () => {
    const answers: (() => void)[] = [];
    const { clock, connect, asked, start } = fixture(
      () => new Promise<void>((resolve) => answers.push(resolve)),
    );
    for (let index = 0; index < 10; index += 1) connect(`c${index}`);
    clock.nowMs += 8 * hourMs;
    start();
    await clock.pass(5_000);
    expect(asked).toHaveLength(4);
    answers[2]?.();
    await clock.pass(1);
    expect(asked).toHaveLength(5);
    for (let index = 0; index < 10; index += 1) {
      answers[index]?.();
      await clock.pass(1_000);
    }
    expect(new Set(asked.map(({ key }) => key)).size).toBe(10);
    expect(asked).toHaveLength(10);
  });

  it('leaves a failing connection alone for as long as it must, beside others that work', async () => {
    const { clock, connect, quiet, asked, start } = fixture(async (key) => {
      if (key !== 'acme/sick') return;
      quiet.set(key, clock.nowMs + 10 * 60_000);
      throw new Error('no answer');
    });
    connect('sick');
    connect('sound');
    start();
    await clock.pass(hourMs);
    const of = (key: string) => asked.filter((ask) => ask.key === key).map(({ atMs }) => atMs / 60_000);
    expect(of('acme/sick')).toEqual([55]);
    quiet.set('acme/sick', Number.POSITIVE_INFINITY);
    await clock.pass(24 * hourMs);
    expect(of('acme/sick')).toEqual([55]);
    expect(of('acme/sound').length).toBeGreaterThan(20);
  });

  it('does not chase tokens that are born dead', async () => {
    const { clock, connect, asked, start } = fixture();
    connect('stillborn', { expiresAtMs: clock.nowMs });
    const schedule = start();
    await clock.pass(9_999);
    expect(asked).toEqual([]);
    await clock.pass(1);
    expect(asked).toHaveLength(1);
    schedule.close();
  });

  it('does nothing once it is closed', async () => {
    const { clock, connect, asked, start } = fixture();
    connect('default');
    const schedule = start();
    await clock.pass(1_000);
    schedule.close();
    await clock.pass(10 * hourMs);
    expect(asked).toEqual([]);
  });
});
