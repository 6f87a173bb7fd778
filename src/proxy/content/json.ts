import type { Located } from './located.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const MINUS = 0x2d;
const ZERO = 0x30;
const NINE = 0x39;

/** Deeper content is not read: a few hostile bytes could otherwise exhaust the stack. */
const maxDepth = 128;
/** A value that the pointer does not lead through. */
const offPath = -1;

const absent: Located = { kind: 'absent' };

/** The reference tokens of a JSON pointer (RFC 6901 §4). */
export function pointerTokens(pointer: string): readonly string[] {
  return pointer
    .split('/')
    .slice(1)
    .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/**
 * The string that the pointer leads to, in the bytes of a JSON text (RFC 8259). Any other value there counts as absent.
 * The whole text is read, and no value is made of it.
 */
export function locateInJson(bytes: Buffer, pointer: string): Located {
  const reader = new Reader(bytes, pointerTokens(pointer));
  try {
    reader.read();
  } catch (error) {
    if (error instanceof Unreadable) return { kind: 'unreadable', reason: error.message };
    throw error;
  }
  return reader.found ?? absent;
}

/** The text between the quotes of a JSON string, of ASCII alone: it is the same in every charset that JSON may be in. */
export function inJson(text: string): string {
  const escaped = (char: string): string => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return JSON.stringify(text)
    .slice(1, -1)
    .replace(/[^\x20-\x7e]/g, escaped);
}

class Unreadable extends Error {}

const malformed = (): Unreadable => new Unreadable('the content is not valid JSON');

class Reader {
  found: Located | undefined;
  readonly #bytes: Buffer;
  readonly #tokens: readonly string[];
  #at = 0;

  constructor(bytes: Buffer, tokens: readonly string[]) {
    this.#bytes = bytes;
    this.#tokens = tokens;
  }

  read(): void {
    this.#value(0, 0);
    this.#space();
    if (this.#at < this.#bytes.length) throw malformed();
  }

  /** `matched`: how many tokens of the pointer lead here, or `offPath`. */
  #value(matched: number, depth: number): void {
    if (depth > maxDepth) throw new Unreadable(`the JSON is nested deeper than ${maxDepth} levels`);
    this.#space();
    const isTarget = matched === this.#tokens.length;
    const byte = this.#bytes[this.#at];
    switch (byte) {
      case 0x7b:
        this.#object(isTarget ? offPath : matched, depth);
        return;
      case 0x5b:
        this.#array(isTarget ? offPath : matched, depth);
        return;
      case QUOTE: {
        const [start, end] = this.#string();
        if (isTarget) this.found = { kind: 'value', start, end, text: this.#text(start, end) };
        return;
      }
      case 0x74:
        this.#literal('true');
        return;
      case 0x66:
        this.#literal('false');
        return;
      case 0x6e:
        this.#literal('null');
        return;
      default:
        this.#number();
    }
  }

  #object(matched: number, depth: number): void {
    const token = matched === offPath ? undefined : (this.#tokens[matched] as string);
    let isGiven = false;
    this.#at += 1;
    if (this.#endsWith(0x7d)) return;
    do {
      this.#space();
      if (this.#bytes[this.#at] !== QUOTE) throw malformed();
      const [start, end] = this.#string();
      const leadsOn = token !== undefined && this.#text(start, end) === token;
      if (leadsOn && isGiven) throw new Unreadable('a member on the way to the place is given twice');
      isGiven ||= leadsOn;
      this.#space();
      this.#expect(COLON);
      this.#value(leadsOn ? matched + 1 : offPath, depth + 1);
    } while (this.#continues(0x7d));
  }

  #array(matched: number, depth: number): void {
    const token = matched === offPath ? undefined : (this.#tokens[matched] as string);
    this.#at += 1;
    if (this.#endsWith(0x5d)) return;
    let index = 0;
    do {
      this.#value(token === String(index) ? matched + 1 : offPath, depth + 1);
      index += 1;
    } while (this.#continues(0x5d));
  }

  /** Whether the object or array is empty, and so has been read. */
  #endsWith(close: number): boolean {
    this.#space();
    if (this.#bytes[this.#at] !== close) return false;
    this.#at += 1;
    return true;
  }

  /** Whether another element follows; if not, the closing byte has been read. */
  #continues(close: number): boolean {
    this.#space();
    const byte = this.#bytes[this.#at];
    this.#at += 1;
    if (byte === COMMA) return true;
    if (byte === close) return false;
    throw malformed();
  }

  /** Reads a string; returns what is between its quotes. */
  #string(): readonly [start: number, end: number] {
    const bytes = this.#bytes;
    const start = this.#at + 1;
    let at = start;
    for (;;) {
      const byte = bytes[at];
      if (byte === undefined || byte < 0x20) throw malformed();
      at += 1;
      if (byte === QUOTE) break;
      if (byte !== BACKSLASH) continue;
      const escaped = bytes[at];
      if (escaped === 0x75) {
        for (let digit = 1; digit <= 4; digit += 1) if (!isHex(bytes[at + digit])) throw malformed();
        at += 5;
      } else if (escaped !== undefined && '"\\/bfnrt'.includes(String.fromCharCode(escaped))) {
        at += 1;
      } else {
        throw malformed();
      }
    }
    this.#at = at;
    return [start, at - 1];
  }

  #text(start: number, end: number): string {
    const written = this.#bytes.toString('utf8', start, end);
    return written.includes('\\') ? (JSON.parse(`"${written}"`) as string) : written;
  }

  #literal(word: string): void {
    for (let index = 0; index < word.length; index += 1) {
      if (this.#bytes[this.#at + index] !== word.charCodeAt(index)) throw malformed();
    }
    this.#at += word.length;
  }

  #number(): void {
    if (this.#bytes[this.#at] === MINUS) this.#at += 1;
    if (this.#bytes[this.#at] === ZERO && isDigit(this.#bytes[this.#at + 1])) throw malformed();
    this.#digits();
    if (this.#bytes[this.#at] === 0x2e) {
      this.#at += 1;
      this.#digits();
    }
    if (((this.#bytes[this.#at] ?? 0) | 0x20) !== 0x65) return;
    this.#at += 1;
    const sign = this.#bytes[this.#at];
    if (sign === 0x2b || sign === MINUS) this.#at += 1;
    this.#digits();
  }

  #digits(): void {
    const start = this.#at;
    while (isDigit(this.#bytes[this.#at])) this.#at += 1;
    if (this.#at === start) throw malformed();
  }

  #expect(byte: number): void {
    if (this.#bytes[this.#at] !== byte) throw malformed();
    this.#at += 1;
  }

  #space(): void {
    const bytes = this.#bytes;
    let byte = bytes[this.#at];
    while (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09) {
      this.#at += 1;
      byte = bytes[this.#at];
    }
  }
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= ZERO && byte <= NINE;
}

function isHex(byte: number | undefined): boolean {
  return isDigit(byte) || (byte !== undefined && (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x66);
}
