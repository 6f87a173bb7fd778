import { Duplex } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { relay } from './relay.ts';

/**
 * One side of a relay: what it says is pushed by the test, and it accepts what it is sent only when the test says so.
 */
class Side extends Duplex {
  taken = '';
  #waiting: (() => void)[] = [];
  readonly #isSlow: boolean;

  constructor(isSlow: boolean) {
    super();
    this.#isSlow = isSlow;
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    const take = (): void => {
      this.taken += chunk.toString();
      done();
    };
    if (this.#isSlow) this.#waiting.push(take);
    else take();
  }

  takeAll(): void {
    for (const take of this.#waiting.splice(0)) take();
  }
}

const turns = async (): Promise<void> => {
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
};

describe('a relay', () => {
  it('delivers the rest to a slow reader that has half-closed, after the other side has ended', async () => {
    const client = new Side(true);
    const upstream = new Side(false);
    relay(client, upstream);
    client.push('a question');
    client.push(null);
    upstream.push('the response');
    upstream.push(null);
    await turns();
    expect(upstream.taken).toBe('a question');
    expect(upstream.closed).toBe(true);
    expect(client.destroyed).toBe(false);
    client.takeAll();
    await turns();
    expect(client.taken).toBe('the response');
    expect(client.closed).toBe(true);
  });

  it('cuts the other side when either breaks before it has ended', async () => {
    for (const breaking of [0, 1] as const) {
      const sides = [new Side(false), new Side(false)] as const;
      relay(...sides);
      sides[1 - breaking]?.push('half of');
      await turns();
      sides[breaking].destroy(new Error('reset'));
      await turns();
      expect(sides[1 - breaking]?.destroyed).toBe(true);
      expect(sides[1 - breaking]?.writableFinished).toBe(false);
    }
  });
});
