import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { expect, test } from 'vitest';
import type { Context } from '../context.ts';
import { refuse } from '../decide/index.ts';
import { Exchange } from './exchange.ts';

/** A client that takes what it is sent only when it is told to. */
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

const patience = { lingerMs: 5, exchangeMs: 1_000, keepAliveMs: 100, headMs: 10 };
const subject = { method: 'GET', host: 'a.test', port: 443, path: '/' };

/** A client whose request was answered, and whose connection ends with that answer; nothing of it was taken yet. */
async function answered() {
  const client = new SlowClient();
  const failures: string[] = [];
  const context = {
    patience,
    watch: { add() {}, remove() {} },
    nextDecisionId: () => 'dec_1',
    decisions: { record() {}, failed: ({ outcome }: { outcome: string }) => failures.push(outcome) },
  };
  const exchange = new Exchange(client as unknown as Socket, context as unknown as Context, {
    judge: (self) => self.refuse(self.open(undefined, subject).refuse(refuse('PolicyDenied', 'no'))),
    unread: { owner: undefined, subject },
  });
  client.push('GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n');
  await expect.poll(() => client.writableLength).toBeGreaterThan(0);
  return { client, exchange, failures };
}

test('a last answer that a slow reader has not taken yet is waited for like one under way', async () => {
  const { client, exchange } = await answered();
  expect(exchange.silenceMs()).toBe(patience.exchangeMs);
  client.takeAll();
  await expect.poll(() => client.writableFinished).toBe(true);
  expect(client.taken).toContain('PolicyDenied');
  expect(exchange.silenceMs()).toBe(patience.lingerMs);
});

test('a reader that takes nothing of its last answer for too long is cut off, on record', async () => {
  const { client, exchange, failures } = await answered();
  exchange.silent();
  expect(client.wasReset).toBe(true);
  expect(failures).toEqual(['UpstreamTimeout']);
});

test('what is cut before its last answer was taken is reset, so that the answer does not look whole', async () => {
  const { client, exchange } = await answered();
  exchange.cut();
  expect(client.wasReset).toBe(true);
  expect(client.taken).toBe('');
});

test('what is cut once its last answer was taken is not reset, which could still throw the answer away', async () => {
  const { client, exchange, failures } = await answered();
  client.takeAll();
  await expect.poll(() => client.writableFinished).toBe(true);
  exchange.silent();
  expect(client.destroyed).toBe(true);
  expect(client.wasReset).toBe(false);
  expect(failures).toEqual([]);
});
