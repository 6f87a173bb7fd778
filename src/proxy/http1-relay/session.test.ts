import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { expect, it } from 'vitest';
import type { Context } from '../context.ts';
import { refuse } from '../decide/index.ts';
import { Http1Session } from './session.ts';

/** A client that accepts what it is sent only when the test says so. */
class SlowClient extends Duplex {
  bytesRead = 0;
  bytesWritten = 0;
  wasReset = false;
  taken = '';
  #takeHeld: (() => void) | undefined;

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.#takeHeld = () => {
      this.taken += chunk.toString();
      done();
    };
  }

  takeAll(): void {
    this.#takeHeld?.();
  }

  resetAndDestroy(): void {
    this.wasReset = true;
    this.destroy();
  }
}

const timeouts = { lingerMs: 5, exchangeMs: 1_000, keepAliveMs: 100, headMs: 10 };
const facts = { method: 'GET', host: 'a.test', port: 443, path: '/' };

/** A client whose request was answered, and whose connection ends with that response; nothing of it was taken yet. */
async function answered() {
  const client = new SlowClient();
  const failures: string[] = [];
  const context = {
    timeouts,
    idleMonitor: { add() {}, remove() {} },
    nextDecisionId: () => 'dec_1',
    decisions: { record() {}, failed: ({ outcome }: { outcome: string }) => failures.push(outcome) },
  };
  const session = new Http1Session(client as unknown as Socket, context as unknown as Context, {
    handle: (self) => self.refuse(self.open(undefined, facts).refuse(refuse('PolicyDenied', 'no'))),
    unread() {},
    peer: { allowed: true, settled: Promise.resolve(true) },
  });
  client.push('GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n');
  await expect.poll(() => client.writableLength).toBeGreaterThan(0);
  return { client, session, failures };
}

it('a last response that a slow reader has not read yet gets the timeout of an exchange', async () => {
  const { client, session } = await answered();
  expect(session.idleMs()).toBe(timeouts.exchangeMs);
  client.takeAll();
  await expect.poll(() => client.writableFinished).toBe(true);
  expect(client.taken).toContain('PolicyDenied');
  expect(session.idleMs()).toBe(timeouts.lingerMs);
});

it('a reader that reads nothing of its last response for too long is cut off and recorded', async () => {
  const { client, session, failures } = await answered();
  session.onIdle();
  expect(client.wasReset).toBe(true);
  expect(failures).toEqual(['UpstreamTimeout']);
});

it('a cut before the last response was read is a reset, so that the response does not look complete', async () => {
  const { client, session } = await answered();
  session.cut();
  expect(client.wasReset).toBe(true);
  expect(client.taken).toBe('');
});

it('a cut after the last response was read is no reset, which could still lose the response', async () => {
  const { client, session, failures } = await answered();
  client.takeAll();
  await expect.poll(() => client.writableFinished).toBe(true);
  session.onIdle();
  expect(client.destroyed).toBe(true);
  expect(client.wasReset).toBe(false);
  expect(failures).toEqual([]);
});
