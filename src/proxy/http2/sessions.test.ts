import { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { expect, it } from 'vitest';
import type { LiveRun } from '../runs/index.ts';
import { type IdleOptions, UpstreamSession } from './sessions.ts';

const taking = () => new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() });

function sessionOn(socket: Duplex, onLeave: (session: UpstreamSession) => void = () => {}): UpstreamSession {
  const run = { add() {}, remove() {} } as unknown as LiveRun;
  const idleMonitor = { add() {}, remove() {} };
  const idle = { idleMonitor, timeouts: { headMs: 100, lingerMs: 1 } } as unknown as IdleOptions;
  return new UpstreamSession({
    socket: socket as TLSSocket,
    authority: 'api.example.test:443',
    run,
    idle,
    onLeave,
  });
}

it.each([0, 1, 2, 3])(
  'a session that is cut %d ticks after it was made takes nothing down with it',
  async (ticks) => {
    const left: UpstreamSession[] = [];
    const upstream = sessionOn(taking(), (session) => left.push(session));
    const cutAfter = (more: number): void => {
      if (more === 0) upstream.cut();
      else process.nextTick(() => cutAfter(more - 1));
    };
    const closed = new Promise((resolve) => upstream.session.once('close', resolve));
    cutAfter(ticks);
    await closed;
    expect(upstream.usable).toBe(false);
    expect(left).toEqual([upstream]);
  },
);

it('a session closes its socket even if its last write is never accepted', async () => {
  const socket = new Duplex({ read() {}, write() {} });
  const upstream = sessionOn(socket);
  const closed = new Promise((resolve) => upstream.session.once('close', resolve));
  await new Promise((resolve) => upstream.session.once('connect', resolve));
  await new Promise((resolve) => setImmediate(resolve));
  upstream.cut();
  await closed;
  expect(socket.destroyed).toBe(true);
});

it('a session that does not acknowledge a probe takes no further stream, and is cut after the next one', async () => {
  const upstream = sessionOn(taking());
  const closed = new Promise((resolve) => upstream.session.once('close', resolve));
  await new Promise((resolve) => upstream.session.once('connect', resolve));
  upstream.active = 1;
  upstream.progress();
  upstream.onIdle();
  expect([upstream.usable, upstream.session.destroyed]).toEqual([true, false]);
  upstream.progress();
  expect([upstream.usable, upstream.session.destroyed]).toEqual([false, false]);
  upstream.onIdle();
  await closed;
});

it('a session without streams is not probed', () => {
  const upstream = sessionOn(taking());
  expect(upstream.idleMs()).toBe(Number.POSITIVE_INFINITY);
  upstream.active = 1;
  expect(upstream.idleMs()).toBe(100);
  upstream.active = 0;
  expect(upstream.idleMs()).toBe(Number.POSITIVE_INFINITY);
  upstream.cut();
});
