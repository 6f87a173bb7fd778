import { randomBytes, webcrypto } from 'node:crypto';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AuthsomeError } from '../errors.ts';
import { authenticate, encodePlace, type Place, seal, sealingKey, unseal, verify } from './seal.ts';

const secret = Buffer.from('000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f', 'hex');
const key = sealingKey(secret);
const place: Place = {
  vault: 'v',
  record: 'connection github/default',
  field: 'secret access_token',
  version: 3,
};
const plaintext = Buffer.from('gho_example', 'utf8');
const fixedBytes = (size: number): Uint8Array => new Uint8Array(size).fill(7);

const codeOf = (work: () => unknown): string => {
  try {
    work();
  } catch (error) {
    return error instanceof AuthsomeError ? error.code : 'another error';
  }
  return 'no error';
};

const places = fc.record({
  vault: fc.string(),
  record: fc.string({ unit: 'grapheme' }),
  field: fc.string(),
  version: fc.nat(),
});

describe('seal', () => {
  it('writes a format that never drifts: version, key id, nonce, ciphertext, tag', () => {
    expect(Buffer.from(seal(key, place, plaintext, fixedBytes)).toString('hex')).toBe(
      '01fbf5d4fd0707070707070707070707073dd72a118b82b6d265488e27d39f7e6c2cb028b5961b6f29817d03',
    );
  });

  it('is AES-256-GCM under an HKDF key, as another implementation computes it', async () => {
    const sealed = seal(key, place, plaintext, randomBytes);
    const { subtle } = webcrypto;
    const base = await subtle.importKey('raw', secret, 'HKDF', false, ['deriveKey']);
    const derived = await subtle.deriveKey(
      { name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(), info: Buffer.from('authsome seal 1 cipher') },
      base,
      { name: 'AES-GCM', length: 256 },
      false,
      ['decrypt'],
    );
    const opened = await subtle.decrypt(
      {
        name: 'AES-GCM',
        iv: sealed.slice(5, 17),
        additionalData: Buffer.concat([sealed.subarray(0, 17), encodePlace(place)]),
      },
      derived,
      sealed.slice(17),
    );
    expect(Buffer.from(opened)).toEqual(plaintext);
  });

  it('opens what it sealed, whatever it is and wherever it belongs', () => {
    fc.assert(
      fc.property(places, fc.uint8Array({ maxLength: 200 }), (at, content) => {
        expect([...unseal(key, at, seal(key, at, content, randomBytes))]).toEqual([...content]);
      }),
    );
  });

  it('never repeats itself', () => {
    expect(seal(key, place, plaintext, randomBytes)).not.toEqual(seal(key, place, plaintext, randomBytes));
  });

  it('shows no key when it is printed', () => {
    expect(inspect(key, { depth: 9, showHidden: true })).not.toContain(secret.toString('hex').slice(0, 8));
    expect(JSON.stringify(key.cipher)).toBe('{}');
  });

  it('takes no key of another size', () => {
    expect(() => sealingKey(secret.subarray(1))).toThrow(TypeError);
  });
});

describe('unseal refuses', () => {
  it('any flipped bit', () => {
    const sealed = seal(key, place, plaintext, randomBytes);
    for (let bit = 0; bit < sealed.length * 8; bit++) {
      const flipped = Uint8Array.from(sealed, (byte, at) =>
        at === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte,
      );
      const expected = bit < 8 ? 'HomeNotUsable' : bit < 40 ? 'WrongMasterKey' : 'DatabaseCorrupt';
      expect(codeOf(() => unseal(key, place, flipped))).toBe(expected);
    }
  });

  it('any shorter or longer ciphertext', () => {
    const sealed = seal(key, place, plaintext, randomBytes);
    for (let length = 0; length < sealed.length; length++) {
      expect(codeOf(() => unseal(key, place, sealed.subarray(0, length)))).toBe('DatabaseCorrupt');
    }
    expect(codeOf(() => unseal(key, place, Buffer.concat([sealed, Uint8Array.of(0)])))).toBe(
      'DatabaseCorrupt',
    );
  });

  it('any other place', () => {
    fc.assert(
      fc.property(places, places, (from, to) => {
        fc.pre(JSON.stringify(from) !== JSON.stringify(to));
        expect(codeOf(() => unseal(key, to, seal(key, from, plaintext, randomBytes)))).toBe(
          'DatabaseCorrupt',
        );
      }),
    );
  });

  it.each([
    ['vault', { ...place, vault: 'w' }],
    ['record', { ...place, record: 'connection github/work' }],
    ['field', { ...place, field: 'secret refresh_token' }],
    ['version', { ...place, version: 4 }],
    ['boundary between parts', { ...place, vault: 'vc', record: 'onnection github/default' }],
  ])('another %s', (_, elsewhere) => {
    const sealed = seal(key, place, plaintext, randomBytes);
    expect(codeOf(() => unseal(key, elsewhere, sealed))).toBe('DatabaseCorrupt');
  });

  it('another key, and says that it is the key', () => {
    const sealed = seal(sealingKey(randomBytes(32)), place, plaintext, randomBytes);
    expect(codeOf(() => unseal(key, place, sealed))).toBe('WrongMasterKey');
  });

  it('with a message that contains neither plaintext nor ciphertext', () => {
    const sealed = Buffer.from(seal(key, place, plaintext, randomBytes));
    sealed[20] = (sealed[20] ?? 0) ^ 1;
    try {
      unseal(key, place, sealed);
      expect.unreachable();
    } catch (error) {
      const text = inspect(error);
      expect(text).toContain('secret access_token of connection github/default');
      expect(text).not.toContain('gho_');
      expect(text).not.toContain(sealed.toString('hex').slice(34, 50));
    }
  });
});

describe('a proof', () => {
  it('stands for its content and its place only', () => {
    const proof = authenticate(key, place, '{"a":1}');
    expect(codeOf(() => verify(key, place, '{"a":1}', proof))).toBe('no error');
    expect(codeOf(() => verify(key, place, '{"a":2}', proof))).toBe('DatabaseCorrupt');
    expect(codeOf(() => verify(key, { ...place, version: 4 }, '{"a":1}', proof))).toBe('DatabaseCorrupt');
    expect(codeOf(() => verify(key, place, '{"a":1}', proof.subarray(1)))).toBe('DatabaseCorrupt');
    expect(codeOf(() => verify(sealingKey(randomBytes(32)), place, '{"a":1}', proof))).toBe(
      'DatabaseCorrupt',
    );
  });
});
