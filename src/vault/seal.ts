import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  hkdfSync,
  type KeyObject,
  timingSafeEqual,
} from 'node:crypto';
import { AuthsomeError } from '../errors.ts';

/** Where a ciphertext belongs. It can be unsealed there and nowhere else. */
export interface Place {
  readonly vault: string;
  /** Kind and name of the record, e.g. `connection github/default`. */
  readonly record: string;
  readonly field: string;
  readonly version: number;
}

export type RandomBytes = (size: number) => Uint8Array;

/** A key ready for use: KeyObjects, so that printing one shows no key material. */
export interface SealingKey {
  readonly cipher: KeyObject;
  readonly mac: KeyObject;
  /** 4 bytes, public: they distinguish "another key" from "altered". */
  readonly id: Uint8Array;
}

export const keyBytes = 32;
const format = 1;
const idBytes = 4;
const nonceBytes = 12;
const tagBytes = 16;
const headerBytes = 1 + idBytes + nonceBytes;

/** The sealing key from 32 secret bytes; HKDF-SHA256 (RFC 5869) derives a key for each use. */
export function sealingKey(secret: Uint8Array): SealingKey {
  if (secret.length !== keyBytes) throw new TypeError(`a key has ${keyBytes} bytes`);
  const derive = (use: string, size: number): Buffer =>
    Buffer.from(hkdfSync('sha256', secret, new Uint8Array(), `authsome seal ${format} ${use}`, size));
  return {
    cipher: createSecretKey(derive('cipher', keyBytes)),
    mac: createSecretKey(derive('mac', keyBytes)),
    id: derive('id', idBytes),
  };
}

/**
 * `plaintext` sealed for one place with AES-256-GCM: format (1 byte), key id (4), nonce (12), ciphertext, tag (16).
 * Header and place are the associated data. Nonces are random, so a key is good for 2³² seals (NIST SP 800-38D §8.3).
 */
export function seal(
  key: SealingKey,
  place: Place,
  plaintext: Uint8Array,
  randomBytes: RandomBytes,
): Uint8Array {
  const header = Buffer.concat([Uint8Array.of(format), key.id, randomBytes(nonceBytes)]);
  const cipher = createCipheriv('aes-256-gcm', key.cipher, header.subarray(1 + idBytes), {
    authTagLength: tagBytes,
  });
  cipher.setAAD(Buffer.concat([header, encodePlace(place)]));
  return Buffer.concat([header, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
}

/**
 * What `seal` was given. Throws `WrongMasterKey` for a ciphertext under another key, `HomeNotUsable` for a format
 * of a newer authsome, `DatabaseCorrupt` for one that was altered or moved here from another place.
 */
export function unseal(key: SealingKey, place: Place, sealed: Uint8Array): Uint8Array {
  if (sealed.length < headerBytes + tagBytes) throw damaged(place, 'is truncated');
  if (sealed[0] !== format) {
    throw new AuthsomeError(
      'HomeNotUsable',
      `${described(place)} is sealed in a format that this version does not support`,
      {
        hint: 'Upgrade with: npm install -g authsome@latest',
      },
    );
  }
  if (!timingSafeEqual(sealed.subarray(1, 1 + idBytes), key.id)) {
    throw new AuthsomeError('WrongMasterKey', `${described(place)} is sealed with another key`, {
      hint: 'Restore the key that this database was made with, or the database that belongs to this key.',
    });
  }
  const header = sealed.subarray(0, headerBytes);
  const decipher = createDecipheriv('aes-256-gcm', key.cipher, header.subarray(1 + idBytes), {
    authTagLength: tagBytes,
  });
  decipher.setAAD(Buffer.concat([header, encodePlace(place)]));
  decipher.setAuthTag(sealed.subarray(sealed.length - tagBytes));
  try {
    return Buffer.concat([
      decipher.update(sealed.subarray(headerBytes, sealed.length - tagBytes)),
      decipher.final(),
    ]);
  } catch {
    throw damaged(place, 'was altered, or moved here from another record');
  }
}

/** Proof that `content`, which is stored in the clear, was written for this place by a holder of the key. */
export function authenticate(key: SealingKey, place: Place, content: string): Uint8Array {
  return createHmac('sha256', key.mac).update(encodePlace(place)).update(content).digest();
}

/** Throws `DatabaseCorrupt` unless `proof` is `authenticate`'s for that place and content. */
export function verify(key: SealingKey, place: Place, content: string, proof: Uint8Array): void {
  const expected = authenticate(key, place, content);
  if (proof.length !== expected.length || !timingSafeEqual(proof, expected)) {
    throw damaged(place, 'was altered, or moved here from another record');
  }
}

/** Each part behind its length, so that no two places share an encoding. */
export function encodePlace(place: Place): Uint8Array {
  const parts = [place.vault, place.record, place.field, String(place.version)];
  return Buffer.concat(
    parts.flatMap((part) => {
      const bytes = Buffer.from(part, 'utf8');
      const length = Buffer.alloc(4);
      length.writeUInt32BE(bytes.length);
      return [length, bytes];
    }),
  );
}

function damaged(place: Place, how: string): AuthsomeError {
  return new AuthsomeError('DatabaseCorrupt', `${described(place)} ${how}`, {
    hint: 'Sign in to that provider again, or restore the database from a backup while no daemon is running.',
  });
}

function described(place: Place): string {
  return `the stored ${place.field} of ${place.record}`;
}
