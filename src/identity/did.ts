import { createPublicKey, type KeyObject } from 'node:crypto';

const alphabet = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';
const didPrefix = 'did:key:z';
/** Multicodec `ed25519-pub` as an unsigned varint. */
const ed25519Codec = [0xed, 0x01] as const;
/** Longer than any 34 bytes can be in base58, so that decoding a hostile name stays cheap. */
const longestDid = 64;

/** The `did:key` of a raw 32-byte Ed25519 public key (W3C did:key, base58btc). */
export function didOf(rawPublicKey: Uint8Array): string {
  return didPrefix + encodeBase58(Uint8Array.from([...ed25519Codec, ...rawPublicKey]));
}

/** The raw 32 bytes of the public half of an Ed25519 key. */
export function rawPublicKeyOf(privateKey: KeyObject): Uint8Array {
  return Buffer.from(privateKey.export({ format: 'jwk' }).x ?? '', 'base64url');
}

/** The public key that a `did:key` names; `undefined` when it is not a well-formed Ed25519 one. */
export function publicKeyOf(did: string): KeyObject | undefined {
  if (!did.startsWith(didPrefix) || did.length > longestDid) return undefined;
  const bytes = decodeBase58(did.slice(didPrefix.length));
  if (bytes?.length !== 34 || bytes[0] !== ed25519Codec[0] || bytes[1] !== ed25519Codec[1]) return undefined;
  // As a JWK (RFC 8037 §2): DER would go through OpenSSL's decoders, which takes four times as long.
  const x = Buffer.from(bytes.subarray(2)).toString('base64url');
  return createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
}

/** `bytes` in base58 with Bitcoin's alphabet; every leading zero byte becomes a `1`. */
export function encodeBase58(bytes: Uint8Array): string {
  const digits: number[] = [];
  for (const byte of bytes) {
    let carry = byte;
    for (let index = 0; index < digits.length; index += 1) {
      carry += (digits[index] ?? 0) << 8;
      digits[index] = carry % 58;
      carry = Math.floor(carry / 58);
    }
    while (carry > 0) {
      digits.push(carry % 58);
      carry = Math.floor(carry / 58);
    }
  }
  const zeros = leading(bytes, 0);
  return (
    '1'.repeat(zeros) +
    digits
      .reverse()
      .map((digit) => alphabet.charAt(digit))
      .join('')
  );
}

/** The inverse of {@link encodeBase58}; `undefined` when a character is not of the alphabet. */
export function decodeBase58(text: string): Uint8Array | undefined {
  const bytes: number[] = [];
  for (const character of text) {
    let carry = alphabet.indexOf(character);
    if (carry < 0) return undefined;
    for (let index = 0; index < bytes.length; index += 1) {
      carry += (bytes[index] ?? 0) * 58;
      bytes[index] = carry & 0xff;
      carry >>= 8;
    }
    while (carry > 0) {
      bytes.push(carry & 0xff);
      carry >>= 8;
    }
  }
  const zeros = leading([...text], '1');
  return Uint8Array.from([...new Array<number>(zeros).fill(0), ...bytes.reverse()]);
}

function leading<T>(items: ArrayLike<T>, wanted: T): number {
  let count = 0;
  while (count < items.length && items[count] === wanted) count += 1;
  return count;
}
