import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeBase58, didOf, encodeBase58, publicKeyOf, rawPublicKeyOf } from './did.ts';
import { keyFromSeed } from './key.ts';

/** Base58 by long division of one big number: slow, short, and another way round. */
function oracle(bytes: Uint8Array): string {
  const alphabet = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';
  let rest = bytes.reduce((sum, byte) => sum * 256n + BigInt(byte), 0n);
  let text = '';
  for (; rest > 0n; rest /= 58n) text = alphabet.charAt(Number(rest % 58n)) + text;
  const zeros = bytes.findIndex((byte) => byte !== 0);
  return '1'.repeat(zeros < 0 ? bytes.length : zeros) + text;
}

describe('did:key', () => {
  it('is the one that the did:key specification gives for the seed of zeros', () => {
    const key = keyFromSeed(new Uint8Array(32));
    expect(didOf(rawPublicKeyOf(key))).toBe('did:key:z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp');
  });

  it('names its key again', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (seed) => {
        const raw = rawPublicKeyOf(keyFromSeed(seed));
        const key = publicKeyOf(didOf(raw));
        expect(key?.export({ format: 'der', type: 'spki' }).subarray(-32)).toEqual(Buffer.from(raw));
      }),
    );
  });

  it('is refused when it names another kind of key, or is cut, too long or no DID at all', () => {
    const good = didOf(rawPublicKeyOf(keyFromSeed(new Uint8Array(32))));
    const otherKind = `did:key:z${encodeBase58(Uint8Array.from([0x12, 0x00, ...new Uint8Array(32)]))}`;
    const bad = [
      otherKind,
      good.slice(0, -1),
      `${good}1`,
      `did:key:z${'1'.repeat(5000)}`,
      'did:web:example.com',
      '',
    ];
    for (const did of bad) expect(publicKeyOf(did)).toBeUndefined();
  });
});

describe('base58', () => {
  it('is what long division gives, and comes back', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        expect(encodeBase58(bytes)).toBe(oracle(bytes));
        expect(decodeBase58(encodeBase58(bytes))).toEqual(bytes);
      }),
    );
  });

  it('refuses the characters that look alike', () => {
    for (const character of '0OIl') expect(decodeBase58(`2${character}`)).toBeUndefined();
  });
});
