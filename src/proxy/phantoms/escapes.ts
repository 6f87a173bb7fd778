/** Bytes with their escapes resolved, and where each of them was; one more position says where they end. */
export interface Unescaped {
  readonly bytes: Buffer;
  readonly origins: Uint32Array;
}

const percent = 0x25;
const backslash = 0x5c;
const slash = 0x2f;
const letterU = 0x75;

/** The value of each hexadecimal digit; 255 for every other byte. */
const hexDigits = new Uint8Array(256).fill(255);
const hexadecimal = Buffer.from('0123456789abcdefABCDEF');
for (const digit of hexadecimal) hexDigits[digit] = Number.parseInt(String.fromCharCode(digit), 16);

/**
 * How many bytes the escape at this position has: `%67` (RFC 3986 §2.1), or in JSON `\u0067` and `\/` (RFC 8259 §7). 0 for
 * anything else, and for what stands for no ASCII character.
 */
function escapeLength(bytes: Buffer, at: number, to: number): number {
  if (bytes[at] === percent) return at + 2 < to && byteOf(bytes, at + 1) >= 0 ? 3 : 0;
  if (at + 1 >= to) return 0;
  if (bytes[at + 1] === slash) return 2;
  const isPlain = bytes[at + 1] === letterU && at + 5 < to && byteOf(bytes, at + 2) === 0;
  return isPlain && byteOf(bytes, at + 4) >= 0 ? 6 : 0;
}

/** The byte that two hexadecimal digits make; negative where they are none. */
function byteOf(bytes: Buffer, at: number): number {
  const high = hexDigits[bytes[at] as number] as number;
  const low = hexDigits[bytes[at + 1] as number] as number;
  return (high | low) > 15 ? -1 : (high << 4) | low;
}

function meaningOf(bytes: Buffer, at: number, length: number): number {
  return length === 2 ? slash : byteOf(bytes, at + length - 2);
}

/** Bytes that escapes are made of: an escape that stands for one may be a part of another. */
export const escapeBytes: readonly number[] = [percent, backslash, letterU, ...hexadecimal];

/** From here on, a call into native code is cheaper than a loop. */
const manyBytes = 512;
/** Where escapes are denser than this, it is not: the loop looks at what is left. */
const mostHops = 48;
/** What escapes begin with. Most that JSON has, as `\n` or `\"`, stand for nothing that could hide a phantom. */
const beginnings = ['%', '\\/', '\\u00'].map((text) => Buffer.from(text));

/** Where the first escape begins that stands for a byte which is 1 in the table; -1 where there is none. */
export function indexOfEscape(bytes: Buffer, from: number, to: number, table: Uint8Array): number {
  if (to - from <= manyBytes) return eachFrom(bytes, from, to, table);
  const part = bytes.subarray(from, to);
  const next = beginnings.map((beginning) => indexOrEnd(part, beginning, 0));
  let at = Math.min(...next);
  for (let hop = 0; hop < mostHops; hop += 1) {
    if (at === part.length) return -1;
    if (isHiding(part, at, part.length, table)) return from + at;
    for (const [index, beginning] of beginnings.entries()) {
      if (next[index] === at) next[index] = indexOrEnd(part, beginning, at + 1);
    }
    at = Math.min(...next);
  }
  return eachFrom(bytes, from + at, to, table);
}

function indexOrEnd(bytes: Buffer, sought: Buffer, from: number): number {
  const at = bytes.indexOf(sought, from);
  return at === -1 ? bytes.length : at;
}

function eachFrom(bytes: Buffer, from: number, to: number, table: Uint8Array): number {
  for (let at = from; at < to; at += 1) {
    const byte = bytes[at];
    if ((byte === percent || byte === backslash) && isHiding(bytes, at, to, table)) return at;
  }
  return -1;
}

function isHiding(bytes: Buffer, at: number, to: number, table: Uint8Array): boolean {
  const length = escapeLength(bytes, at, to);
  return length > 0 && table[meaningOf(bytes, at, length)] === 1;
}

/** The same bytes with each escape resolved once. `origins` are those of `bytes`, where they were made so, too. */
export function unescaped(bytes: Buffer, from: number, to: number, origins?: Uint32Array): Unescaped {
  const out = Buffer.allocUnsafe(to - from);
  const positions = new Uint32Array(to - from + 1);
  const originOf = (at: number): number => (origins === undefined ? at : (origins[at] as number));
  let length = 0;
  for (let at = from; at < to; ) {
    const byte = bytes[at] as number;
    const taken = byte === percent || byte === backslash ? escapeLength(bytes, at, to) : 0;
    out[length] = taken === 0 ? byte : meaningOf(bytes, at, taken);
    positions[length] = originOf(at);
    length += 1;
    at += Math.max(1, taken);
  }
  positions[length] = originOf(to);
  return { bytes: out.subarray(0, length), origins: positions.subarray(0, length + 1) };
}
