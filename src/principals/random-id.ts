/** 120 random bits in lower-case base32 (Crockford's alphabet, without its look-alikes). */
export function randomId(randomBytes: (size: number) => Uint8Array): string {
  const alphabet = '0123456789abcdefghjkmnpqrstvwxyz';
  return Array.from(randomBytes(24), (byte) => alphabet.charAt(byte & 31)).join('');
}
