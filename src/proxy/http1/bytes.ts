/** Byte classes of RFC 9110 §5.6.2 and §5.5 as tables: one lookup for each byte on the hot path. */

export const CR = 0x0d;
export const LF = 0x0a;
export const SPACE = 0x20;
export const TAB = 0x09;
export const COLON = 0x3a;
export const ZERO = 0x30;

function table(includes: (byte: number) => boolean): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, byte) => (includes(byte) ? 1 : 0));
}

const tokenCharacters = new Set(
  "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
);

/** `tchar`: the characters of names and methods. */
export const tokenByte = table((byte) => tokenCharacters.has(String.fromCharCode(byte)));

/** The bytes that a field value may contain: tab, space, visible ASCII, obs-text. */
export const valueByte = table((byte) => byte === TAB || (byte >= SPACE && byte !== 0x7f));

/** Visible ASCII without `#`: a request target has no fragment. */
export const targetByte = table((byte) => byte > SPACE && byte < 0x7f && byte !== 0x23);

/** The hexadecimal digit's value, or 255. */
export const hexValue = Uint8Array.from({ length: 256 }, (_, byte) => {
  const value = Number.parseInt(String.fromCharCode(byte), 16);
  return Number.isNaN(value) ? 255 : value;
});

/** Whether the bytes are this lower-case token, in any case. */
export function spells(bytes: Uint8Array, start: number, end: number, token: string): boolean {
  if (end - start !== token.length) return false;
  for (let index = 0; index < token.length; index += 1) {
    const byte = bytes[start + index] as number;
    const folded = byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte;
    if (folded !== token.charCodeAt(index)) return false;
  }
  return true;
}
