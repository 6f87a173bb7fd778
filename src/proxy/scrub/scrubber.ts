/** Bytes to look for, and what stands in for them. */
export interface Needle {
  readonly bytes: Buffer;
  readonly replacement: Buffer;
}

const nothing = Buffer.alloc(0);

/**
 * Replaces every needle in a stream, across chunk boundaries. It holds back only a tail that may be the beginning of a
 * needle, so never more than the longest needle, and nothing of an event stream that does not end so.
 */
export class Scrubber {
  readonly #needles: readonly Needle[];
  #held: Buffer = nothing;

  constructor(needles: readonly Needle[]) {
    this.#needles = needles;
  }

  /** What can go on; the chunk itself where there was nothing to replace. */
  push(chunk: Buffer): Buffer {
    const bytes = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    this.#held = nothing;
    const parts: Buffer[] = [];
    let position = 0;
    for (;;) {
      const hit = earliest(this.#needles, bytes, position);
      if (hit === undefined) break;
      // A longer needle may begin here that is not all there yet.
      if (this.#mayGrow(bytes, hit.at, hit.needle)) {
        this.#held = Buffer.from(bytes.subarray(hit.at));
        parts.push(bytes.subarray(position, hit.at));
        return Buffer.concat(parts);
      }
      parts.push(bytes.subarray(position, hit.at), hit.needle.replacement);
      position = hit.at + hit.needle.bytes.length;
    }
    const tail = this.#unfinished(bytes, position);
    if (tail < bytes.length) this.#held = Buffer.from(bytes.subarray(tail));
    if (position === 0 && tail === bytes.length) return bytes;
    parts.push(bytes.subarray(position, tail));
    return Buffer.concat(parts);
  }

  /** The rest, at the end of the stream. */
  flush(): Buffer {
    const rest = this.#held;
    this.#held = nothing;
    return rest.length === 0 ? rest : replaceAll(this.#needles, rest);
  }

  #mayGrow(bytes: Buffer, at: number, found: Needle): boolean {
    return this.#needles.some(
      ({ bytes: needle }) => needle.length > found.bytes.length && isBeginning(needle, bytes, at),
    );
  }

  /** Where the longest tail begins that is the beginning of a needle. */
  #unfinished(bytes: Buffer, from: number): number {
    let earliestTail = bytes.length;
    for (const { bytes: needle } of this.#needles) {
      const first = needle[0] as number;
      let at = bytes.indexOf(first, Math.max(from, bytes.length - needle.length + 1));
      while (at !== -1 && at < earliestTail) {
        if (isBeginning(needle, bytes, at)) {
          earliestTail = at;
          break;
        }
        at = bytes.indexOf(first, at + 1);
      }
    }
    return earliestTail;
  }
}

/** Whether `bytes` end, from `at` on, with a proper beginning of the needle. */
function isBeginning(needle: Buffer, bytes: Buffer, at: number): boolean {
  const length = bytes.length - at;
  return length < needle.length && needle.compare(bytes, at, bytes.length, 0, length) === 0;
}

function earliest(
  needles: readonly Needle[],
  bytes: Buffer,
  from: number,
): { readonly at: number; readonly needle: Needle } | undefined {
  let best: { readonly at: number; readonly needle: Needle } | undefined;
  for (const needle of needles) {
    const at = bytes.indexOf(needle.bytes, from);
    if (at === -1) continue;
    const isLonger = best !== undefined && at === best.at && needle.bytes.length > best.needle.bytes.length;
    if (best === undefined || at < best.at || isLonger) best = { at, needle };
  }
  return best;
}

/** The bytes with every needle replaced, leftmost and longest first; the bytes themselves where there is none. */
export function replaceAll(needles: readonly Needle[], bytes: Buffer): Buffer {
  const parts: Buffer[] = [];
  let position = 0;
  for (let hit = earliest(needles, bytes, 0); hit !== undefined; hit = earliest(needles, bytes, position)) {
    parts.push(bytes.subarray(position, hit.at), hit.needle.replacement);
    position = hit.at + hit.needle.bytes.length;
  }
  return position === 0 ? bytes : Buffer.concat([...parts, bytes.subarray(position)]);
}

export function holds(needles: readonly Needle[], bytes: Buffer, from: number, to: number): boolean {
  return needles.some((needle) => {
    const at = bytes.indexOf(needle.bytes, from);
    return at !== -1 && at < to;
  });
}
