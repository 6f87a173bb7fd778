import { Fault } from '../fault.ts';
import { type Pattern, parsePattern } from '../pattern.ts';

/** Returns this many unpredictable bytes. */
export type RandomBytes = (size: number) => Uint8Array;

export const alphanumeric = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
export const harmlessMarks = '_.:@+=-';
export const usualRepeats = 24;
export const longestPhantom = 512;
const marks = ['phantom', 'PHANTOM'];
/** With fewer random bits, a phantom can be guessed, and without its mark it might be somebody's key. */
export const fewestBits = 64;

/** A string that the pattern matches. Throws a Fault when it could be a real key. */
export function phantomOfPattern(source: string, randomBytes: RandomBytes): string {
  const places: string[] = [];
  collectPlaces(parsePattern(source), places);
  const sets = places.map(harmlessOf);
  const chars = sets.map((set) => pickOf(set, randomBytes));
  const bits = sets.reduce((sum, set) => sum + bitsOf(set), 0);
  if (bits < fewestBits) {
    throw new Fault('matches too few keys: a phantom could be a real one; add export.phantom');
  }
  placeMark(places, chars, bits);
  const text = chars.join('');
  if (!new RegExp(source).test(text)) throw new Fault('allows no phantom; add export.phantom');
  return text;
}

/** One entry per character of the sample: what that character may be. */
function collectPlaces(pattern: Pattern, places: string[]): void {
  switch (pattern.kind) {
    case 'set':
      if (places.length >= longestPhantom)
        throw new Fault('matches keys too long to make a phantom for; add export.phantom');
      places.push(pattern.chars);
      return;
    case 'sequence':
      for (const part of pattern.parts) collectPlaces(part, places);
      return;
    case 'choice':
      if (pattern.options[0] !== undefined) collectPlaces(pattern.options[0], places);
      return;
    case 'repeat': {
      const usual = pattern.max === 1 ? 0 : pattern.part.kind === 'set' ? usualRepeats : 1;
      const count = Math.max(pattern.min, Math.min(pattern.max, usual));
      for (let round = 0; round < count; round += 1) collectPlaces(pattern.part, places);
    }
  }
}

/** Writes the mark over the first run of places that can take it, are not fixed, and are not needed to be unguessable. */
function placeMark(places: readonly string[], chars: string[], bits: number): void {
  for (const mark of marks) {
    for (let start = 0; start + mark.length <= places.length; start += 1) {
      const fits = Array.from(mark).every((char, offset) => {
        const set = places[start + offset] ?? '';
        return set.length > 1 && set.includes(char);
      });
      const lost = places
        .slice(start, start + mark.length)
        .reduce((sum, set) => sum + bitsOf(harmlessOf(set)), 0);
      if (!fits || bits - lost < fewestBits) continue;
      chars.splice(start, mark.length, ...mark);
      return;
    }
  }
}

/**
 * Letters and digits where the set has any: a phantom must survive shells and configuration files, and be no command where a
 * program runs what a variable says. A Fault where the set has no harmless character.
 */
function harmlessOf(set: string): string {
  const of = (wanted: string) => Array.from(set).filter((char) => wanted.includes(char));
  const plain = of(alphanumeric);
  const chars = plain.length === 0 ? of(harmlessMarks) : plain;
  if (chars.length === 0) {
    throw new Fault(
      'needs characters that no phantom may have: besides letters and digits, only _ . : @ + = -',
    );
  }
  return chars.join('');
}

/** One of these characters. */
export function pickOf(chars: string, randomBytes: RandomBytes): string {
  return chars.charAt((randomBytes(1)[0] ?? 0) % chars.length);
}

/** How hard a character that `pickOf` picked is to guess: its min-entropy. */
export function bitsOf(chars: string): number {
  return Math.log2(256 / Math.ceil(256 / chars.length));
}

export function randomText(length: number, randomBytes: RandomBytes): string {
  return Array.from(randomBytes(length), (byte) => alphanumeric[byte % alphanumeric.length]).join('');
}
