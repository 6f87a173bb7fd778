import { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { expect, test } from 'vitest';
import type { LiveRun } from '../runs/index.ts';
import { UpstreamSession } from './sessions.ts';

test.each([0, 1, 2, 3])(
  'a session that is cut %d ticks after it was made takes nothing down with it',
  async (ticks) => {
    const socket = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() });
    const run = { add() {}, remove() {} } as unknown as LiveRun;
    const left: UpstreamSession[] = [];
    const upstream = new UpstreamSession(socket as TLSSocket, 'api.example.test:443', run, (session) =>
      left.push(session),
    );
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
