const initialBytes = 1024;

/** Bytes that are collected piece by piece, in one buffer: a million pieces of one byte each cost a few megabytes. */
export class GrowingBuffer {
  #buffer = Buffer.allocUnsafe(initialBytes);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** A view of what was added. */
  get bytes(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  append(bytes: Buffer, start = 0, end = bytes.length): void {
    this.grow(end - start).set(bytes.subarray(start, end));
  }

  /** The room for this many more bytes, to be filled. */
  grow(more: number): Buffer {
    const length = this.#length + more;
    if (length > this.#buffer.length) {
      const larger = Buffer.allocUnsafe(Math.max(length, this.#buffer.length * 2));
      larger.set(this.bytes);
      this.#buffer = larger;
    }
    const room = this.#buffer.subarray(this.#length, length);
    this.#length = length;
    return room;
  }
}
