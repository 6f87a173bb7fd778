import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { expect, test } from 'vitest';
import type { Context } from './context.ts';
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
const problem = { code: 'PolicyDenied', detail: 'no', hint: 'none', decision: 'dec_1' } as const;

/** A client whose request was answered, and whose connection ends with that answer; nothing of it was taken yet. */
async function answered() {
  const client = new SlowClient();
  const watch = { add() {}, remove() {} };
  const exchange = new Exchange(client as unknown as Socket, { patience, watch } as unknown as Context, {
    judge: (self) => self.refuse(problem),
    unread: { owner: undefined, subject: { method: '', host: '', port: 0, path: '' } },
  });
  client.push('GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n');
  await expect.poll(() => client.writableLength).toBeGreaterThan(0);
  return { client, exchange };
}

test('a last answer that a slow reader has not taken yet is waited for like one under way', async () => {
  const { client, exchange } = await answered();
  expect(exchange.silenceMs()).toBe(patience.exchangeMs);
  client.takeAll();
  await expect.poll(() => client.writableFinished).toBe(true);
  expect(client.taken).toContain('PolicyDenied');
  expect(exchange.silenceMs()).toBe(patience.lingerMs);
});

test('what is cut before its last answer was taken is reset, so that the answer does not look whole', async () => {
  const { client, exchange } = await answered();
  exchange.cut();
  expect(client.wasReset).toBe(true);
  expect(client.taken).toBe('');
});

test('what is cut once its last answer was taken is not reset, which could still throw the answer away', async () => {
  const { client, exchange } = await answered();
  client.takeAll();
  await expect.poll(() => client.writableFinished).toBe(true);
  exchange.cut();
  expect(client.destroyed).toBe(true);
  expect(client.wasReset).toBe(false);
});
