import { Fault } from './fault.ts';
import { type Pattern, parsePattern } from './pattern.ts';
import type { Provider } from './provider.ts';

/** Returns this many unpredictable bytes. */
export type RandomBytes = (size: number) => Uint8Array;

const alphanumeric = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const harmlessMarks = '_.:@+=-';
const marks = ['phantom', 'PHANTOM'];
const usualRepeats = 24;
const longestPhantom = 512;
/** Below this many bits, a phantom without a mark might be somebody's key. */
const enoughBits = 64;

/**
 * A stand-in for the provider's secret: passes the provider's `key_pattern`, says `phantom` where the pattern has
 * room for it, and differs every time.
 */
export function phantomFor(provider: Pick<Provider, 'apiKey' | 'phantom'>, randomBytes: RandomBytes): string {
  const template = provider.phantom;
  if (template !== undefined) return template.replaceAll('{random}', randomText(usualRepeats, randomBytes));
  const expression = provider.apiKey?.keyPattern;
  if (expression === undefined) return `phantom-${randomText(32, randomBytes)}`;
  return phantomOfPattern(expression.source, randomBytes);
}

/**
 * Whether the value can be a phantom by its own text: it says so, as every phantom that has room for the word does, or
 * it is made from the definition's template. For a provider whose keys all contain the word, only its template decides.
 */
export function couldBePhantom(provider: Pick<Provider, 'apiKey' | 'phantom'>, value: string): boolean {
  const keysSaySo = /phantom/i.test(provider.apiKey?.keyPattern?.source ?? '');
  return (!keysSaySo && /phantom/i.test(value)) || isFromTemplate(provider, value);
}

/** Whether the value could be made from the definition's own phantom (`export.phantom`). */
export function isFromTemplate(provider: Pick<Provider, 'phantom'>, value: string): boolean {
  if (provider.phantom === undefined) return false;
  const parts = provider.phantom
    .split('{random}')
    .map((part) => part.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&'));
  return new RegExp(`^${parts.join(`[A-Za-z0-9]{${usualRepeats}}`)}$`).test(value);
}

/** A string that the pattern matches. Throws a Fault when it could be a real key. */
export function phantomOfPattern(source: string, randomBytes: RandomBytes): string {
  const places: string[] = [];
  collectPlaces(parsePattern(source), places);
  const chars = places.map((set) => pick(set, randomBytes));
  const marked = placeMark(places, chars);
  const bits = places.reduce((sum, set) => sum + Math.log2(set.length), 0);
  if (!marked && bits < enoughBits) {
    throw new Fault('matches too few keys: a phantom could be a real one; add export.phantom');
  }
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

/** Writes the mark over the first run of places that can take it and are not fixed. */
function placeMark(places: readonly string[], chars: string[]): boolean {
  for (const mark of marks) {
    for (let start = 0; start + mark.length <= places.length; start += 1) {
      const fits = Array.from(mark).every((char, offset) => {
        const set = places[start + offset] ?? '';
        return set.length > 1 && set.includes(char);
      });
      if (!fits) continue;
      chars.splice(start, mark.length, ...mark);
      return true;
    }
  }
  return false;
}

/**
 * A letter or digit where the set has one: a phantom must survive shells and configuration files, and be no command where a
 * program runs what a variable says. A Fault where the set has no harmless character.
 */
function pick(set: string, randomBytes: RandomBytes): string {
  const of = (wanted: string) => Array.from(set).filter((char) => wanted.includes(char));
  const plain = of(alphanumeric);
  const chars = plain.length === 0 ? of(harmlessMarks) : plain;
  if (chars.length === 0) {
    throw new Fault(
      'needs characters that no phantom may have: besides letters and digits, only _ . : @ + = -',
    );
  }
  return chars[(randomBytes(1)[0] ?? 0) % chars.length] ?? '';
}

function randomText(length: number, randomBytes: RandomBytes): string {
  return Array.from(randomBytes(length), (byte) => alphanumeric[byte % alphanumeric.length]).join('');
}
