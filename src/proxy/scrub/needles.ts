/** Bytes to look for, and what replaces them. */
export interface Needle {
  readonly bytes: Buffer;
  readonly replacement: Buffer;
}

/** Slots that pairs of bytes are hashed to: few enough for a processor's cache, enough for ASCII. */
const slots = 4096;
const longestShift = 255;
/**
 * Most comparisons end within these. A service that repeats the beginning of a long secret everywhere would make them
 * long, so the rest is left to `Buffer.compare`, which is dozens of times as fast.
 */
const fewBytes = 32;

/**
 * Needles to look for together. One pass finds the first of them, however many there are, and looks at few of the
 * bytes: Wu and Manber's method, by pairs of bytes. Made once for a credential; nothing is allocated where nothing is found.
 */
export class Needles {
  /** The length of the longest needle. */
  readonly longest: number;
  readonly #shortest: number;
  readonly #longestFirst: readonly Needle[];
  /** How far the window can advance when it ends in this pair. */
  readonly #shifts: Uint8Array;
  readonly #firstBytes = new Uint8Array(256);
  /** 1 for each byte that is anywhere in a needle. */
  readonly #anyBytes = new Uint8Array(256);

  constructor(needles: readonly Needle[]) {
    const lengths = needles.map(({ bytes }) => bytes.length);
    this.longest = Math.max(0, ...lengths);
    this.#shortest = Math.min(...lengths);
    if (this.#shortest < 2) throw new TypeError('a needle must be at least two bytes');
    this.#longestFirst = needles.toSorted((a, b) => b.bytes.length - a.bytes.length);
    const last = Math.min(this.#shortest, longestShift) - 1;
    this.#shifts = new Uint8Array(slots).fill(last);
    for (const { bytes } of needles) {
      this.#firstBytes[bytes[0] as number] = 1;
      for (const byte of bytes) this.#anyBytes[byte] = 1;
      for (let end = 1; end <= last; end += 1) {
        const slot = slotOf(bytes[end - 1] as number, bytes[end] as number);
        this.#shifts[slot] = Math.min(this.#shifts[slot] as number, last - end);
      }
    }
  }

  /** Both, to look for together. */
  and(other: Needles): Needles {
    return new Needles([...this.#longestFirst, ...other.#longestFirst]);
  }

  get isEmpty(): boolean {
    return this.#longestFirst.length === 0;
  }

  /** Where the first needle begins that is in these bytes as a whole; -1 where none is. */
  indexIn(bytes: Buffer, from: number, to: number): number {
    if (this.isEmpty) return -1;
    const shifts = this.#shifts;
    const last = Math.min(this.#shortest, longestShift) - 1;
    let end = from + last;
    while (end < to) {
      const shift = shifts[slotOf(bytes[end - 1] as number, bytes[end] as number)] as number;
      if (shift > 0) {
        end += shift;
        continue;
      }
      if (this.longestAt(bytes, end - last, to) !== undefined) return end - last;
      end += 1;
    }
    return -1;
  }

  /** The longest needle that is at this very position. */
  longestAt(bytes: Buffer, at: number, to: number): Needle | undefined {
    if (this.#firstBytes[bytes[at] as number] === 0) return undefined;
    for (const needle of this.#longestFirst) {
      const { length } = needle.bytes;
      if (length <= to - at && agree(needle.bytes, bytes, at, length)) return needle;
    }
    return undefined;
  }

  /** Where the longest tail begins that more bytes could complete to a needle; `to` where there is none. */
  unfinishedIn(bytes: Buffer, from: number, to: number): number {
    const lowest = Math.max(from, to - this.longest + 1);
    let start = to;
    while (start > lowest && this.#anyBytes[bytes[start - 1] as number] === 1) start -= 1;
    for (let at = start; at < to; at += 1) {
      if (this.#firstBytes[bytes[at] as number] === 0) continue;
      for (const needle of this.#longestFirst) {
        if (needle.bytes.length <= to - at) break;
        if (agree(needle.bytes, bytes, at, to - at)) return at;
      }
    }
    return to;
  }

  /** The bytes with every needle replaced, leftmost and longest first; the bytes themselves where there is none. */
  replaceIn(bytes: Buffer): Buffer {
    let at = this.indexIn(bytes, 0, bytes.length);
    if (at === -1) return bytes;
    const parts: Buffer[] = [];
    let position = 0;
    for (; at !== -1; at = this.indexIn(bytes, position, bytes.length)) {
      const needle = this.longestAt(bytes, at, bytes.length) as Needle;
      parts.push(bytes.subarray(position, at), needle.replacement);
      position = at + needle.bytes.length;
    }
    parts.push(bytes.subarray(position));
    return Buffer.concat(parts);
  }
}

function slotOf(before: number, byte: number): number {
  return ((before << 5) ^ byte) & (slots - 1);
}

function agree(needle: Buffer, bytes: Buffer, at: number, length: number): boolean {
  const few = Math.min(length, fewBytes);
  for (let index = 0; index < few; index += 1) {
    if (needle[index] !== bytes[at + index]) return false;
  }
  return length === few || needle.compare(bytes, at + few, at + length, few, length) === 0;
}
