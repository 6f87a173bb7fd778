import { createCipheriv, createHash } from 'node:crypto';
import type { Writable } from 'node:stream';

const zeros = Buffer.alloc(64 * 1024);

/** Bytes that only this nonce has, each at its own place: a cut, a doubling or a mix-up shows at the first byte. */
export class Content {
  position = 0;
  readonly #cipher;

  constructor(seed: string) {
    const key = createHash('sha256').update(seed).digest().subarray(0, 16);
    this.#cipher = createCipheriv('aes-128-ctr', key, zeros.subarray(0, 16));
  }

  next(length: number): Buffer {
    const parts: Buffer[] = [];
    for (let rest = length; rest > 0; rest -= zeros.length) {
      parts.push(this.#cipher.update(zeros.subarray(0, Math.min(rest, zeros.length))));
    }
    this.position += length;
    return parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts);
  }

  /** Whether these are the bytes that come next. */
  matches(bytes: Buffer): boolean {
    return this.next(bytes.length).equals(bytes);
  }
}

/** A generator of one's own, so that a failure can be played again. */
export class Chance {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** In [0, 1): mulberry32. */
  fraction(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  }

  below(limit: number): number {
    return Math.floor(this.fraction() * limit);
  }

  happens(probability: number): boolean {
    return this.fraction() < probability;
  }

  /** Small numbers mostly, large ones now and then. */
  size(limit: number): number {
    return Math.floor(limit ** this.fraction()) - 1;
  }

  pick<Item>(items: readonly Item[]): Item {
    return items[this.below(items.length)] as Item;
  }

  /** Another generator, whose course does not depend on what this one is asked next. */
  fork(): Chance {
    return new Chance(Math.floor(this.fraction() * 4_294_967_296));
  }
}

/** Resolves when a stream takes more, or never will. */
export function room(stream: Writable): Promise<void> {
  if (stream.destroyed) return Promise.resolve();
  return new Promise((resolve) => {
    const over = (): void => {
      stream.off('drain', over).off('close', over);
      resolve();
    };
    stream.on('drain', over).on('close', over);
  });
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
