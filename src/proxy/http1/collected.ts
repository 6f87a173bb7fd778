import { Accumulator } from './accumulator.ts';
import type { Content } from './port.ts';

/** The content of one request, collected up to a bound. */
export class Collected {
  isTooLong = false;
  readonly #maxBytes: number;
  readonly #bytes = new Accumulator();

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  add(bytes: Buffer, start: number, end: number): void {
    const taken = Math.min(end - start, this.#maxBytes - this.#bytes.length);
    this.isTooLong ||= taken < end - start;
    if (taken > 0) this.#bytes.push(bytes.subarray(start, start + taken));
  }

  content(trailers: string): Content {
    return { bytes: this.#bytes.peek(), isWhole: !this.isTooLong, trailers };
  }
}
