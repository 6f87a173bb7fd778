import type { Needle, Needles } from '../needles/index.ts';

const nothing = Buffer.alloc(0);

/**
 * Replaces every needle in a stream. The result does not depend on how the stream is cut into chunks. It holds back only
 * a tail that may begin a needle: less than the longest needle, and nothing of a chunk that does not end so.
 */
export class Scrubber {
  readonly #needlesNow: () => Needles;
  #held: Buffer = nothing;

  /** A renewal may add needles while the stream is under way. */
  constructor(needlesNow: () => Needles) {
    this.#needlesNow = needlesNow;
  }

  /** What can be sent now; the chunk itself where there was nothing to replace. */
  push(chunk: Buffer): Buffer {
    const needles = this.#needlesNow();
    const bytes = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    const { length } = bytes;
    let parts: Buffer[] | undefined;
    let position = 0;
    let tail = needles.unfinishedIn(bytes, 0, length);
    // A needle that begins before the tail is decided; one that overlaps it is taken first, as in one piece.
    for (let at = needles.indexIn(bytes, 0, length); at !== -1 && at < tail; ) {
      const needle = needles.longestAt(bytes, at, length) as Needle;
      parts ??= [];
      parts.push(bytes.subarray(position, at), needle.replacement);
      position = at + needle.bytes.length;
      if (position > tail) tail = needles.unfinishedIn(bytes, position, length);
      at = needles.indexIn(bytes, position, length);
    }
    // The chunk belongs to a socket's read: what is held longer is a copy.
    this.#held = tail < length ? Buffer.from(bytes.subarray(tail)) : nothing;
    const rest = position === 0 && tail === length ? bytes : bytes.subarray(position, tail);
    if (parts === undefined) return rest;
    parts.push(rest);
    return Buffer.concat(parts);
  }

  /** The rest, at the end of the stream. */
  flush(): Buffer {
    const rest = this.#held;
    this.#held = nothing;
    return this.#needlesNow().replaceIn(rest);
  }
}
