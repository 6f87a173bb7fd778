import { LF } from './bytes.ts';

const emptyBuffer = Buffer.alloc(0);

/** Collects bytes. Its buffer doubles when it grows, so single bytes cost no quadratic copying. */
export class Accumulator {
  #buffer: Buffer = emptyBuffer;
  /** Whether `#buffer` may be written to: a pushed chunk may not. */
  #owned = false;
  length = 0;

  push(chunk: Buffer): void {
    if (this.length === 0) {
      this.#buffer = chunk;
      this.#owned = false;
      this.length = chunk.length;
      return;
    }
    const needed = this.length + chunk.length;
    if (!this.#owned || needed > this.#buffer.length) {
      const grown = Buffer.allocUnsafe(Math.max(needed, this.length * 2));
      this.#buffer.copy(grown, 0, 0, this.length);
      this.#buffer = grown;
      this.#owned = true;
    }
    chunk.copy(this.#buffer, this.length);
    this.length = needed;
  }

  /** Takes all the bytes, followed by this chunk. */
  join(chunk: Buffer): Buffer {
    if (this.length === 0) return chunk;
    this.push(chunk);
    return this.takeAll() as Buffer;
  }

  /**
   * Takes all the bytes, followed by this chunk; `undefined` while they cannot complete a head of at most `maxBytes`: as one
   * trickles in, only a line feed can.
   */
  joinHead(chunk: Buffer, maxBytes: number): Buffer | undefined {
    if (this.length === 0 || chunk.indexOf(LF) !== -1) return this.join(chunk);
    this.push(chunk);
    return this.length <= maxBytes ? undefined : this.takeAll();
  }

  /** All the bytes, without taking them. */
  peek(): Buffer {
    return this.#buffer.subarray(0, this.length);
  }

  takeAll(): Buffer | undefined {
    if (this.length === 0) return undefined;
    const all = this.length === this.#buffer.length ? this.#buffer : this.#buffer.subarray(0, this.length);
    this.clear();
    return all;
  }

  clear(): void {
    this.#buffer = emptyBuffer;
    this.#owned = false;
    this.length = 0;
  }
}
