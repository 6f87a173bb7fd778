import { Fault } from './fault.ts';

/**
 * The part of regular expressions that definitions may use, as a tree: small enough to prove things about (what every
 * match ends in, that matching is quick) and to draw samples from.
 */
export type Pattern =
  /** One character out of these (printable ASCII). */
  | { readonly kind: 'set'; readonly chars: string }
  | { readonly kind: 'sequence'; readonly parts: readonly Pattern[] }
  | { readonly kind: 'choice'; readonly options: readonly Pattern[] }
  | { readonly kind: 'repeat'; readonly part: Pattern; readonly min: number; readonly max: number };

const printable = Array.from({ length: 95 }, (_, index) => String.fromCharCode(0x20 + index)).join('');
const digits = '0123456789';
const wordChars = `ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz${digits}_`;
const longestSource = 300;
/** In characters and groups, once repetitions are expanded. */
const largestExpansion = 10_000;

/** The tree of `^…$`, anchors left out. Throws a Fault for syntax outside the subset. */
export function parsePattern(source: string): Pattern {
  if (source.length > longestSource) throw new Fault(`is longer than ${longestSource} characters`);
  if (!source.startsWith('^') || !/(?:^|[^\\])(?:\\\\)*\$$/.test(source)) {
    throw new Fault('must begin with ^ and end with $');
  }
  const cursor = new Cursor(source.slice(1, -1));
  const pattern = parseSequence(cursor);
  if (cursor.peek() === '|') throw new Fault('must put its alternatives in a group: ^(?:a|b)$');
  if (cursor.peek() !== undefined) throw new Fault('has an unmatched )');
  // Nested repetitions multiply, even of nothing: `(?:(?:){9999}){9999}`.
  if (expansionOf(pattern) > largestExpansion) throw new Fault('repeats too often');
  return pattern;
}

/** The expression, to be used only on input of bounded length. Throws a Fault when matching could take very long. */
export function compilePattern(source: string): RegExp {
  const pattern = parsePattern(source);
  if (countAmbiguities(pattern) > 1) {
    throw new Fault(
      'repeats something that can match the same text in several ways; checking it could take forever',
    );
  }
  return new RegExp(source);
}

class Cursor {
  readonly #text: string;
  #index = 0;
  constructor(text: string) {
    this.#text = text;
  }
  peek(): string | undefined {
    return this.#text[this.#index];
  }
  next(): string {
    const char = this.#text[this.#index];
    if (char === undefined) throw new Fault('is incomplete');
    this.#index += 1;
    return char;
  }
  take(text: string): boolean {
    if (!this.#text.startsWith(text, this.#index)) return false;
    this.#index += text.length;
    return true;
  }
  takeMatch(expression: RegExp): RegExpExecArray | undefined {
    const match = expression.exec(this.#text.slice(this.#index));
    if (match === null) return undefined;
    this.#index += match[0].length;
    return match;
  }
}

function parseChoice(cursor: Cursor): Pattern {
  const options = [parseSequence(cursor)];
  while (cursor.take('|')) options.push(parseSequence(cursor));
  return options.length === 1 && options[0] !== undefined ? options[0] : { kind: 'choice', options };
}

function parseSequence(cursor: Cursor): Pattern {
  const parts: Pattern[] = [];
  for (let char = cursor.peek(); char !== undefined && char !== '|' && char !== ')'; char = cursor.peek()) {
    parts.push(parseRepeat(cursor));
  }
  return { kind: 'sequence', parts };
}

function parseRepeat(cursor: Cursor): Pattern {
  const part = parseAtom(cursor);
  const [min, max] = parseQuantifier(cursor);
  if (min === undefined) return part;
  if (cursor.peek() === '?' || cursor.peek() === '+')
    throw new Fault('must not use lazy or possessive quantifiers');
  if (max < min) throw new Fault('has a quantifier with its limits reversed');
  return { kind: 'repeat', part, min, max };
}

function parseQuantifier(cursor: Cursor): readonly [number | undefined, number] {
  if (cursor.take('*')) return [0, Number.POSITIVE_INFINITY];
  if (cursor.take('+')) return [1, Number.POSITIVE_INFINITY];
  if (cursor.take('?')) return [0, 1];
  const counts = cursor.takeMatch(/^\{([0-9]{1,4})(?:(,)([0-9]{1,4})?)?\}/);
  if (counts === undefined) return [undefined, 0];
  const min = Number(counts[1]);
  if (counts[2] === undefined) return [min, min];
  return [min, counts[3] === undefined ? Number.POSITIVE_INFINITY : Number(counts[3])];
}

function parseAtom(cursor: Cursor): Pattern {
  const char = cursor.next();
  if (char === '(') {
    if (cursor.peek() === '?' && !cursor.take('?:'))
      throw new Fault('must not use look-around or named groups');
    const inner = parseChoice(cursor);
    if (!cursor.take(')')) throw new Fault('has an unmatched (');
    return inner;
  }
  if (char === '[') return { kind: 'set', chars: parseClass(cursor) };
  if (char === '\\') return { kind: 'set', chars: parseEscape(cursor) };
  if (char === '.') return { kind: 'set', chars: printable };
  if ('^$*+?{}]'.includes(char)) throw new Fault(`has an unexpected ${char}`);
  return { kind: 'set', chars: literal(char) };
}

function parseEscape(cursor: Cursor): string {
  const char = cursor.next();
  if (char === 'd') return digits;
  if (char === 'w') return wordChars;
  if (/[A-Za-z0-9]/.test(char))
    throw new Fault(`must not use \\${char}; the only letter escapes are \\d and \\w`);
  return literal(char);
}

function parseClass(cursor: Cursor): string {
  const negated = cursor.take('^');
  const chars = new Set<string>();
  for (let char = cursor.next(); char !== ']'; char = cursor.next()) {
    const from = char === '\\' ? parseEscape(cursor) : literal(char);
    const range = from.length === 1 ? cursor.takeMatch(/^-(?=[^\]\\])/) : undefined;
    const to = range === undefined ? from : literal(cursor.next());
    if (range === undefined) for (const each of from) chars.add(each);
    else if (to < from) throw new Fault(`has a reversed range ${from}-${to}`);
    else
      for (let code = from.charCodeAt(0); code <= to.charCodeAt(0); code += 1)
        chars.add(String.fromCharCode(code));
  }
  const kept = Array.from(printable)
    .filter((char) => chars.has(char) !== negated)
    .join('');
  if (kept === '') throw new Fault('has a character class that matches nothing');
  return kept;
}

function literal(char: string): string {
  if (!printable.includes(char)) throw new Fault('must consist of printable ASCII characters');
  return char;
}

/**
 * In how many places a failing match could be tried in more than one way. None: time grows with the input; one: with
 * its square at worst. A repeated group that may itself vary counts as many, unless a delimiter at its end (or
 * beginning) tells its rounds apart, as in `([a-z0-9-]+\.)*`.
 */
function countAmbiguities(pattern: Pattern): number {
  switch (pattern.kind) {
    case 'set':
      return 0;
    case 'repeat':
      return countAmbiguities(pattern.part) + (pattern.max > 1 && !roundsAreDistinct(pattern.part) ? 2 : 0);
    case 'choice': {
      const inner = pattern.options.reduce((sum, option) => sum + countAmbiguities(option), 0);
      return inner + (optionsAreDistinct(pattern.options) ? 0 : 1);
    }
    case 'sequence':
      return countInSequence(flatten(pattern));
  }
}

function countInSequence(parts: readonly Pattern[]): number {
  let count = 0;
  let open = '';
  for (const part of parts) {
    count += countAmbiguities(part);
    const chars = charsOf(part);
    if (isVariable(part)) {
      if (overlap(open, chars)) count += 1;
      open += chars;
    } else if (isMandatory(part) && !overlap(open, chars)) {
      open = '';
    }
  }
  return count;
}

function roundsAreDistinct(body: Pattern): boolean {
  const parts = flatten(body);
  if (!parts.some(isVariable) && parts.every((part) => part.kind !== 'choice')) return true;
  const only = parts.length === 1 ? parts[0] : undefined;
  if (only?.kind === 'choice') return optionsAreDistinct(only.options) && !only.options.some(isVariable);
  return [parts.at(-1), parts[0]].some((delimiter) => {
    if (delimiter?.kind !== 'set') return false;
    return parts.every((part) => part === delimiter || !overlap(delimiter.chars, charsOf(part)));
  });
}

function optionsAreDistinct(options: readonly Pattern[]): boolean {
  const firsts = options.map(firstCharsOf);
  return firsts.every(
    (first, index) => first !== '' && !firsts.slice(index + 1).some((other) => overlap(first, other)),
  );
}

function flatten(pattern: Pattern): readonly Pattern[] {
  return pattern.kind === 'sequence' ? pattern.parts.flatMap(flatten) : [pattern];
}

function expansionOf(pattern: Pattern): number {
  switch (pattern.kind) {
    case 'set':
      return 1;
    case 'repeat':
      return Math.max(1, pattern.min) * expansionOf(pattern.part);
    case 'choice':
      return pattern.options.reduce((sum, option) => sum + expansionOf(option), 1);
    case 'sequence':
      return pattern.parts.reduce((sum, part) => sum + expansionOf(part), 1);
  }
}

function isVariable(pattern: Pattern): boolean {
  if (pattern.kind === 'set') return false;
  if (pattern.kind === 'repeat') return pattern.min !== pattern.max || isVariable(pattern.part);
  if (pattern.kind === 'choice')
    return new Set(pattern.options.map(shortestLength)).size > 1 || pattern.options.some(isVariable);
  return pattern.parts.some(isVariable);
}

function isMandatory(pattern: Pattern): boolean {
  return shortestLength(pattern) > 0;
}

function shortestLength(pattern: Pattern): number {
  switch (pattern.kind) {
    case 'set':
      return 1;
    case 'repeat':
      return pattern.min * shortestLength(pattern.part);
    case 'choice':
      return Math.min(...pattern.options.map(shortestLength));
    case 'sequence':
      return pattern.parts.reduce((sum, part) => sum + shortestLength(part), 0);
  }
}

function charsOf(pattern: Pattern): string {
  switch (pattern.kind) {
    case 'set':
      return pattern.chars;
    case 'repeat':
      return charsOf(pattern.part);
    case 'choice':
      return pattern.options.map(charsOf).join('');
    case 'sequence':
      return pattern.parts.map(charsOf).join('');
  }
}

/** The characters that a match can begin with; empty when the match itself can be empty. */
function firstCharsOf(pattern: Pattern): string {
  if (!isMandatory(pattern)) return '';
  if (pattern.kind === 'set') return pattern.chars;
  if (pattern.kind === 'repeat') return firstCharsOf(pattern.part);
  if (pattern.kind === 'choice') return pattern.options.map(firstCharsOf).join('');
  const first = pattern.parts[0];
  return first === undefined ? '' : firstCharsOf(first);
}

function overlap(a: string, b: string): boolean {
  for (const char of a) if (b.includes(char)) return true;
  return false;
}
