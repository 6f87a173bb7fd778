import { connect, createServer, type Http2Session } from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, beforeAll, expect, it, vi } from 'vitest';
import { makeDestroySafe, nativePartOf } from './safe-destroy.ts';

let collect: () => void;
const cleanups: (() => void)[] = [];

beforeAll(() => {
  setFlagsFromString('--expose-gc');
  collect = runInNewContext('gc') as () => void;
});

afterEach(() => {
  vi.useRealTimers();
  for (const cleanup of cleanups.splice(0)) cleanup();
});

/** A session of a server, with what Node frees its memory with, which nothing else refers to. */
async function opened(): Promise<{ session: Http2Session; native: WeakRef<object> }> {
  const server = createServer();
  const session = new Promise<Http2Session>((resolve) => server.once('session', resolve));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const client = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  client.on('error', () => {});
  cleanups.push(
    () => client.destroy(),
    () => server.close(),
  );
  const own = await session;
  own.on('error', () => {});
  return { session: own, native: new WeakRef(nativePartOf(own) as object) };
}

/** Whether it is still there once everything that nothing refers to has been collected. */
async function isKept(native: WeakRef<object>): Promise<boolean> {
  for (let round = 0; round < 5; round += 1) {
    await turn();
    collect();
  }
  return native.deref() !== undefined;
}

it('what Node frees a session’s memory with outlives the session for a while, and no longer', async () => {
  const { session, native } = await opened();
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  makeDestroySafe(session, [session.socket as Socket], 1_000);
  session.destroy();
  await new Promise<void>((resolve) => session.once('close', () => resolve()));
  expect(await isKept(native)).toBe(true);
  vi.advanceTimersByTime(1_000);
  await expect.poll(() => isKept(native), { timeout: 10_000 }).toBe(false);
});

it('without that it goes with the session', async () => {
  const { session, native } = await opened();
  session.destroy();
  await new Promise<void>((resolve) => session.once('close', () => resolve()));
  await expect.poll(() => isKept(native), { timeout: 10_000 }).toBe(false);
});
