import type { RunPhantom } from '../contract.ts';
import { base64Cores, Needles, type Sought } from '../needles/index.ts';
import { escapeBytes, indexOfEscape, unescaped } from './escapes.ts';

/** A phantom, and where it begins and ends in the bytes that were searched, as it is written there. */
export interface FoundPhantom {
  readonly phantom: RunPhantom;
  readonly start: number;
  readonly end: number;
}

interface PhantomNeedle extends Sought {
  readonly phantom: RunPhantom;
}

/** A shorter phantom would be found in ordinary text. */
const minLength = 8;
/** How often escapes are resolved: `%67`, `%2567`, `%5Cu0067`. */
const rounds = 3;
/** The longest spelling of one character that a cursor knows: `\u0067` with every character percent-encoded. */
const longestEscape = 18;

const nothing: readonly FoundPhantom[] = [];

/**
 * Finds a run's phantoms in bytes, in one pass for all of them: as they are, in UTF-16, in base64 at any alignment (so also the
 * one in `Basic`), and with any of their characters percent-encoded or escaped as in JSON. Nothing is allocated where nothing is
 * found and no escape could hide one.
 */
export class PhantomFinder {
  readonly #needles: Needles<PhantomNeedle>;
  readonly #byText = new Map<string, RunPhantom>();
  #reach = 0;
  /** 1 for each byte whose escape could hide a phantom. */
  readonly #hiding = new Uint8Array(256);

  constructor(phantoms: readonly RunPhantom[]) {
    for (const phantom of phantoms) {
      if (phantom.value.length < minLength) continue;
      const known = this.#byText.get(phantom.value);
      if (known === undefined || (phantom.isInRun && !known.isInRun))
        this.#byText.set(phantom.value, phantom);
    }
    const needles: PhantomNeedle[] = [];
    for (const phantom of this.#byText.values()) {
      const { value } = phantom;
      const spellings = [value, ...base64Cores(value)];
      this.#reach = Math.max(this.#reach, ...spellings.map(({ length }) => length * longestEscape));
      for (const text of [...spellings, inUtf16(value)]) needles.push({ bytes: Buffer.from(text), phantom });
    }
    this.#needles = new Needles(needles);
    for (const byte of escapeBytes) this.#hiding[byte] = 1;
    for (const { bytes } of needles) for (const byte of bytes) this.#hiding[byte] = 1;
  }

  /** Whether there is nothing to find. */
  get isEmpty(): boolean {
    return this.#byText.size === 0;
  }

  /** How many bytes one phantom can take up, in its longest spelling. UTF-16 with every byte escaped is no usual one. */
  get reach(): number {
    return this.#reach;
  }

  /** The phantom that is this very text. */
  exactly(text: string): RunPhantom | undefined {
    return this.#byText.get(text);
  }

  /** A phantom that is somewhere in these bytes; the first where several are spelled alike. */
  firstIn(bytes: Buffer, from: number, to: number): RunPhantom | undefined {
    if (this.isEmpty) return undefined;
    const at = this.#needles.indexIn(bytes, from, to);
    if (at !== -1) return this.#needles.longestAt(bytes, at, to)?.phantom;
    const escaped = indexOfEscape(bytes, from, to, this.#hiding);
    return escaped === -1 ? undefined : this.#hiddenIn(bytes, { from, to, escaped })[0]?.phantom;
  }

  /** Every phantom in these bytes. One that is base64 begins and ends with the characters that are its alone. */
  find(bytes: Buffer, from: number, to: number): readonly FoundPhantom[] {
    if (this.isEmpty) return nothing;
    const plain = this.#plainIn(bytes, from, to);
    const escaped = indexOfEscape(bytes, from, to, this.#hiding);
    if (escaped === -1) return plain;
    const hidden = this.#hiddenIn(bytes, { from, to, escaped });
    if (hidden.length === 0) return plain;
    // Both are in order, and an agent may send very many.
    let next = 0;
    const isNew = ({ start, end }: FoundPhantom): boolean => {
      while (next < plain.length && (plain[next] as FoundPhantom).end <= start) next += 1;
      return next === plain.length || (plain[next] as FoundPhantom).start >= end;
    };
    return [...plain, ...hidden.toSorted(byStart).filter(isNew)].toSorted(byStart);
  }

  /** A search of bytes that come in pieces, one after the other. */
  cursor(): PhantomCursor {
    return new PhantomCursor(this);
  }

  #plainIn(bytes: Buffer, from: number, to: number): readonly FoundPhantom[] {
    let at = this.#needles.indexIn(bytes, from, to);
    if (at === -1) return nothing;
    const all: FoundPhantom[] = [];
    while (at !== -1) {
      const needle = this.#needles.longestAt(bytes, at, to) as PhantomNeedle;
      const end = at + needle.bytes.length;
      all.push({ phantom: needle.phantom, start: at, end });
      at = this.#needles.indexIn(bytes, end, to);
    }
    return all;
  }

  /** What shows only once escapes are resolved, of which the first is at `escaped`. */
  #hiddenIn(bytes: Buffer, range: { from: number; to: number; escaped: number }): readonly FoundPhantom[] {
    const all = new Map<number, FoundPhantom>();
    let text = bytes;
    let { from, to, escaped } = range;
    let origins: Uint32Array | undefined;
    for (let round = 0; round < rounds && escaped !== -1; round += 1) {
      const read = unescaped(text, Math.max(from, escaped - this.#needles.longest), to, origins);
      text = read.bytes;
      origins = read.origins;
      from = 0;
      to = text.length;
      for (const { phantom, start, end } of this.#plainIn(text, from, to)) {
        const found = { phantom, start: origins[start] as number, end: origins[end] as number };
        if (!all.has(found.start)) all.set(found.start, found);
      }
      escaped = indexOfEscape(text, from, to, this.#hiding);
    }
    return [...all.values()];
  }
}

/** What both byte orders of UTF-16 have of an ASCII text. */
function inUtf16(text: string): string {
  return [...text].join('\0');
}

function byStart(a: FoundPhantom, b: FoundPhantom): number {
  return a.start - b.start;
}

/**
 * Searches bytes that come in pieces: a body, or the payload of a message. `feed` each piece, in order; the first phantom
 * is returned by the piece that completes it, also where it is cut by the end of a piece, in any spelling that the finder
 * knows. What is kept of earlier pieces is a copy, and at most as long as the finder's `reach`.
 */
export class PhantomCursor {
  readonly #finder: PhantomFinder;
  /** The end of what came before, with room behind it for the beginning of the next piece. Made once. */
  #seam: Buffer | undefined;
  #kept = 0;

  constructor(finder: PhantomFinder) {
    this.#finder = finder;
  }

  feed(bytes: Buffer, from = 0, to = bytes.length): RunPhantom | undefined {
    const finder = this.#finder;
    if (finder.isEmpty || from === to) return undefined;
    const { reach } = finder;
    this.#seam ??= Buffer.allocUnsafe(2 * reach);
    const seam = this.#seam;
    const begun = this.#kept;
    const isShort = to - from <= reach;
    if (begun > 0 || isShort) {
      const end = begun + bytes.copy(seam, begun, from, Math.min(to, from + reach));
      const found = finder.firstIn(seam, 0, end);
      if (found !== undefined) return found;
      if (isShort) {
        this.#kept = Math.min(end, reach);
        if (end > reach) seam.copyWithin(0, end - reach, end);
        return undefined;
      }
    }
    this.#kept = bytes.copy(seam, 0, to - reach, to);
    return finder.firstIn(bytes, from, to);
  }
}
