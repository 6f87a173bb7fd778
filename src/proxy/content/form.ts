import type { Located } from './located.ts';

const AMPERSAND = 0x26;
const EQUALS = 0x3d;
const PERCENT = 0x25;
const PLUS = 0x2b;
const SPACE = 0x20;

const absent: Located = { kind: 'absent' };

/** The value of a field in a form, as `application/x-www-form-urlencoded` (WHATWG URL §5) writes it. */
export function locateInForm(bytes: Buffer, field: string): Located {
  let found: Located = absent;
  const fieldBytes = Buffer.byteLength(field);
  for (let start = 0; start <= bytes.length; ) {
    let nameEnd = start;
    while (nameEnd < bytes.length && bytes[nameEnd] !== EQUALS && bytes[nameEnd] !== AMPERSAND) nameEnd += 1;
    let end = nameEnd;
    while (end < bytes.length && bytes[end] !== AMPERSAND) end += 1;
    // Every byte of a name takes one to three.
    const length = nameEnd - start;
    const mayBe = length >= fieldBytes && length <= fieldBytes * 3;
    if (mayBe && decoded(bytes, start, nameEnd) === field) {
      if (found !== absent) return { kind: 'unreadable', reason: 'the field of the form is given twice' };
      const from = Math.min(nameEnd + 1, end);
      found = { kind: 'value', start: from, end, text: decoded(bytes, from, end) };
    }
    start = end + 1;
  }
  return found;
}

/** The text as a value of a form. */
export function inForm(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()~]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** Escapes that are broken stay as they are. */
function decoded(bytes: Buffer, start: number, end: number): string {
  let at = start;
  while (at < end && bytes[at] !== PERCENT && bytes[at] !== PLUS) at += 1;
  if (at === end) return bytes.toString('utf8', start, end);
  const out = Buffer.allocUnsafe(end - start);
  let length = 0;
  for (at = start; at < end; at += 1) {
    const byte = bytes[at] as number;
    const escaped = byte === PERCENT && at + 2 < end ? octetAt(bytes, at + 1) : -1;
    if (escaped !== -1) at += 2;
    out[length] = escaped !== -1 ? escaped : byte === PLUS ? SPACE : byte;
    length += 1;
  }
  return out.toString('utf8', 0, length);
}

/** What two hexadecimal digits mean; -1 where they are none. */
function octetAt(bytes: Buffer, at: number): number {
  const high = digit(bytes[at] as number);
  const low = digit(bytes[at + 1] as number);
  return high === -1 || low === -1 ? -1 : high * 16 + low;
}

function digit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}
