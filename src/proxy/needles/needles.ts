/** Bytes to look for. */
export interface Sought {
  readonly bytes: Buffer;
}

/** Bytes to look for, and what replaces them. */
export interface Needle extends Sought {
  readonly replacement: Buffer;
}

/** Slots that pairs of bytes are hashed to: few enough for a processor's cache, enough for ASCII. */
const pairSlots = 4096;
/** The same for three bytes: with more ends of windows than `pairSlots`, nearly every pair would be one. */
const tripleSlots = 65_536;
const longestShift = 255;
/**
 * Most comparisons end within these. A service that repeats the beginning of a long secret everywhere would make them
 * long, so the rest is left to `Buffer.compare`, which is dozens of times as fast.
 */
const fewBytes = 32;

/**
 * Needles to look for together. One pass finds the first of them, however many there are, and looks at few of the
 * bytes: Wu and Manber's method, by pairs of bytes, or by three bytes where there are many needles. Made once for many
 * searches; nothing is allocated where nothing is found.
 */
export class Needles<Each extends Sought = Needle> {
  /** The length of the longest needle. */
  readonly longest: number;
  readonly #shortest: number;
  readonly #longestFirst: readonly Each[];
  /** How far a needle's first byte is from the end of its window, which is as long as the shortest needle. */
  readonly #last: number;
  readonly #byTriples: boolean;
  /** How far the window can advance when it ends in these bytes. */
  readonly #shifts: Uint8Array;
  /** Needles by the slot that their window ends in, the longest first. */
  readonly #ending = new Map<number, Each[]>();
  readonly #firstBytes = new Uint8Array(256);
  /** 1 for each byte that is anywhere in a needle. */
  readonly #anyBytes = new Uint8Array(256);

  constructor(needles: readonly Each[]) {
    const lengths = needles.map(({ bytes }) => bytes.length);
    this.longest = Math.max(0, ...lengths);
    this.#shortest = Math.min(...lengths);
    if (this.#shortest < 2) throw new TypeError('a needle must be at least two bytes');
    this.#longestFirst = needles.toSorted((a, b) => b.bytes.length - a.bytes.length);
    const last = Math.min(this.#shortest, longestShift) - 1;
    this.#last = last;
    this.#byTriples = last >= 2 && needles.length * last > pairSlots;
    const first = this.#byTriples ? 2 : 1;
    const slots = needles.length === 0 ? 0 : this.#byTriples ? tripleSlots : pairSlots;
    this.#shifts = new Uint8Array(slots).fill(last - first + 1);
    for (const needle of this.#longestFirst) {
      const { bytes } = needle;
      this.#firstBytes[bytes[0] as number] = 1;
      for (const byte of bytes) this.#anyBytes[byte] = 1;
      for (let end = first; end <= last; end += 1) {
        const slot = this.#slotAt(bytes, end);
        this.#shifts[slot] = Math.min(this.#shifts[slot] as number, last - end);
      }
      const slot = this.#slotAt(bytes, last);
      const ending = this.#ending.get(slot);
      if (ending === undefined) this.#ending.set(slot, [needle]);
      else ending.push(needle);
    }
  }

  /** Both, to look for together. */
  and(other: Needles<Each>): Needles<Each> {
    return new Needles([...this.#longestFirst, ...other.#longestFirst]);
  }

  get isEmpty(): boolean {
    return this.#longestFirst.length === 0;
  }

  /** Where the first needle begins that is in these bytes as a whole; -1 where none is. */
  indexIn(bytes: Buffer, from: number, to: number): number {
    if (this.isEmpty) return -1;
    const last = this.#last;
    let end = from + last;
    while (end < to) {
      end = this.#byTriples
        ? this.#candidateByTriples(bytes, end, to)
        : this.#candidateByPairs(bytes, end, to);
      if (end < to && this.longestAt(bytes, end - last, to) !== undefined) return end - last;
      end += 1;
    }
    return -1;
  }

  /** The end of the first window that may be a needle's. */
  #candidateByPairs(bytes: Buffer, from: number, to: number): number {
    const shifts = this.#shifts;
    let end = from;
    while (end < to) {
      const shift = shifts[pairSlot(bytes[end - 1] as number, bytes[end] as number)] as number;
      if (shift === 0) return end;
      end += shift;
    }
    return to;
  }

  #candidateByTriples(bytes: Buffer, from: number, to: number): number {
    const shifts = this.#shifts;
    let end = from;
    while (end < to) {
      const slot = tripleSlot(bytes[end - 2] as number, bytes[end - 1] as number, bytes[end] as number);
      const shift = shifts[slot] as number;
      if (shift === 0) return end;
      end += shift;
    }
    return to;
  }

  #slotAt(bytes: Buffer, end: number): number {
    const [before, byte] = [bytes[end - 1] as number, bytes[end] as number];
    return this.#byTriples ? tripleSlot(bytes[end - 2] as number, before, byte) : pairSlot(before, byte);
  }

  /** The longest needle that is at this very position. */
  longestAt(bytes: Buffer, at: number, to: number): Each | undefined {
    if (this.#firstBytes[bytes[at] as number] === 0 || at + this.#last >= to) return undefined;
    const ending = this.#ending.get(this.#slotAt(bytes, at + this.#last));
    if (ending === undefined) return undefined;
    for (const needle of ending) {
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
  replaceIn(this: Needles<Needle>, bytes: Buffer): Buffer {
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

function pairSlot(before: number, byte: number): number {
  return ((before << 5) ^ byte) & (pairSlots - 1);
}

function tripleSlot(first: number, before: number, byte: number): number {
  return ((first << 10) ^ (before << 5) ^ byte) & (tripleSlots - 1);
}

function agree(needle: Buffer, bytes: Buffer, at: number, length: number): boolean {
  const few = Math.min(length, fewBytes);
  for (let index = 0; index < few; index += 1) {
    if (needle[index] !== bytes[at + index]) return false;
  }
  return length === few || needle.compare(bytes, at + few, at + length, few, length) === 0;
}
