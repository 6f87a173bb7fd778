import { crc32 } from 'node:zlib';

const digits = '0123456789';
const upper = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';
const lower = upper.toLowerCase();
/** Both orders of base62 that services use. */
const alphabets = [digits + upper + lower, digits + lower + upper];
const checksumLength = 6;

/**
 * Whether the text ends in a CRC-32 of what is before it, in base62, as GitHub's and npm's tokens do after their prefix.
 * Scanners take such a text for a leaked key.
 */
export function hasChecksum(text: string): boolean {
  const end = text.length - checksumLength;
  if (end < 1) return false;
  const given = text.slice(end);
  if (!/^[A-Za-z0-9]+$/.test(given)) return false;
  const starts = [0, ...Array.from(text.slice(0, end).matchAll(/[_-]/g), ({ index }) => index + 1)];
  return starts.some((start) => {
    const sum = crc32(text.slice(start, end));
    return alphabets.some((alphabet) => base62(sum, alphabet) === given);
  });
}

function base62(value: number, alphabet: string): string {
  let text = '';
  for (let rest = value; text.length < checksumLength; rest = Math.floor(rest / 62))
    text = alphabet.charAt(rest % 62) + text;
  return text;
}
