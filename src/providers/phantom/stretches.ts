import {
  alphanumeric,
  bitsOf,
  fewestBits,
  harmlessMarks,
  longestPhantom,
  pickOf,
  type RandomBytes,
} from './from-pattern.ts';

/** A part of a phantom: the same text in each, or so many characters out of a set. */
export type Stretch =
  | { readonly kind: 'fixed'; readonly text: string }
  | {
      readonly kind: 'random';
      /** What its characters are drawn from. */
      readonly chars: string;
      readonly count: number;
      /** Its length may be anything between these. */
      readonly min: number;
      readonly max: number;
    };

const marks = ['phantom', 'PHANTOM'];
const lengths = [8, 12, 16, 20, 24, 32, 40, 48, 64, 96, 128, 192, 256, 384, 512];
const wantedBits = 128;

/** The usual length that is nearest above: a phantom does not tell the exact length of a short secret. */
export function lengthClass(length: number): number {
  return lengths.find((usual) => usual >= length) ?? longestPhantom;
}

/** Harmless characters of the set, those of the sample's kind if there are enough. Empty where the set has none. */
export function charsLike(sample: string, set: string): string {
  const kind = alphabetOf(sample);
  const among = (wanted: string): string =>
    Array.from(set)
      .filter((char) => wanted.includes(char))
      .join('');
  const choices = [among(kind), among(alphanumeric), among(harmlessMarks)];
  return choices.find((chars) => chars.length > 1) ?? choices.find((chars) => chars !== '') ?? '';
}

/** The letters and digits that texts of this kind are made of. */
function alphabetOf(sample: string): string {
  if (/^[0-9a-f]{12,}$/.test(sample) || /^[0-9A-F]{12,}$/.test(sample)) {
    if (!/[a-f]/i.test(sample)) return '0123456789';
    return /[a-f]/.test(sample) ? '0123456789abcdef' : '0123456789ABCDEF';
  }
  const kinds = [/[A-Z]/, /[a-z]/, /[0-9]/].filter((kind) => kind.test(sample));
  return Array.from(alphanumeric)
    .filter((char) => kinds.some((kind) => kind.test(char)))
    .join('');
}

/** The same stretches, within the longest phantom, and long enough to be unguessable as far as they can be. */
export function sized(stretches: readonly Stretch[]): readonly Stretch[] {
  const excess = lengthOf(stretches) - longestPhantom;
  const shrunk = excess > 0 ? resized(stretches, -excess) : stretches;
  const longest = longestOf(shrunk);
  if (longest === undefined) return shrunk;
  const bits = bitsOf(longest.chars);
  const mark = markFor([{ ...longest, count: longestPhantom }])?.text ?? '';
  const missing = wantedBits - (bitsIn(shrunk) - mark.length * bits);
  return missing > 0 ? resized(shrunk, Math.ceil(missing / bits)) : shrunk;
}

/** Draws a text; `undefined` where too little of it would be random. */
export function drawText(
  stretches: readonly Stretch[],
  isMarked: boolean,
  randomBytes: RandomBytes,
): string | undefined {
  const mark = isMarked ? markFor(stretches) : undefined;
  const lost = mark === undefined ? 0 : mark.text.length * bitsOf(mark.chars);
  const text = stretches.map((stretch, index) => {
    if (stretch.kind === 'fixed') return stretch.text;
    const drawn = Array.from({ length: stretch.count }, () => pickOf(stretch.chars, randomBytes)).join('');
    return mark?.index === index ? mark.text + drawn.slice(mark.text.length) : drawn;
  });
  const isEnough = bitsIn(stretches) - lost >= fewestBits;
  return isEnough ? text.join('') : undefined;
}

/** The first stretch that has room for the mark. */
function markFor(
  stretches: readonly Stretch[],
): { readonly index: number; readonly text: string; readonly chars: string } | undefined {
  for (const [index, stretch] of stretches.entries()) {
    if (stretch.kind === 'fixed') continue;
    const { chars, count } = stretch;
    const text = marks.find((mark) => mark.length <= count && isMadeOf(mark, chars));
    if (text !== undefined) return { index, text, chars };
  }
  return undefined;
}

function isMadeOf(text: string, chars: string): boolean {
  return Array.from(text).every((char) => chars.includes(char));
}

type RandomStretch = Extract<Stretch, { readonly kind: 'random' }>;

/** The longest stretch whose length may vary. */
function longestOf(stretches: readonly Stretch[]): RandomStretch | undefined {
  let longest: RandomStretch | undefined;
  for (const stretch of stretches) {
    if (stretch.kind === 'fixed' || stretch.min === stretch.max) continue;
    if (longest === undefined || stretch.count > longest.count) longest = stretch;
  }
  return longest;
}

/** With its longest stretch longer by so many characters, or shorter, as far as that may be. */
function resized(stretches: readonly Stretch[], by: number): readonly Stretch[] {
  const longest = longestOf(stretches);
  if (longest === undefined) return stretches;
  const count = Math.max(longest.min, Math.min(longest.max, longest.count + by));
  return stretches.map((stretch) => (stretch === longest ? { ...longest, count } : stretch));
}

function lengthOf(stretches: readonly Stretch[]): number {
  return stretches.reduce((sum, each) => sum + (each.kind === 'fixed' ? each.text.length : each.count), 0);
}

function bitsIn(stretches: readonly Stretch[]): number {
  return stretches.reduce(
    (sum, each) => sum + (each.kind === 'fixed' ? 0 : each.count * bitsOf(each.chars)),
    0,
  );
}
