import { createPublicKey, sign, verify } from 'node:crypto';
import fc from 'fast-check';
import { createSigner, createVerifier, httpbis } from 'http-message-signatures';
import { describe, expect, it } from 'vitest';
import { AuthsomeError } from '../errors.ts';
import { publicKeyOf } from './did.ts';
import type { SignableRequest } from './identity.ts';
import { identityOf, keyFromSeed, parsePrivateKey } from './key.ts';
import { createNonceMemory } from './nonce-memory.ts';
import { daemonProof, proofMatches } from './proof.ts';
import { contentDigest, signRequest } from './signature.ts';
import { requireFresh, verifyRequest } from './verify.ts';

const nowMs = 1_795_550_400_000;
const nonce = 'c2l4dGVlbiBieXRlcyEh';
const identity = identityOf('ada@laptop', keyFromSeed(Buffer.alloc(32, 7)));
const get: SignableRequest = {
  method: 'GET',
  origin: 'http://127.0.0.1:7998',
  target: '/v1/connections/github?connection=work',
  body: new Uint8Array(),
};
const post: SignableRequest = {
  ...get,
  method: 'POST',
  target: '/v1/runs',
  body: Buffer.from('{"providers":[]}'),
};

function verified(request: SignableRequest, headers: Record<string, string>) {
  return verifyRequest({ ...request, headers });
}

function refusal(attempt: () => unknown): string {
  try {
    attempt();
  } catch (error) {
    expect(error).toBeInstanceOf(AuthsomeError);
    expect((error as AuthsomeError).code).toBe('RequestNotAuthentic');
    return (error as AuthsomeError).message;
  }
  return 'was not refused';
}

describe('a published vector', () => {
  it('is signed as RFC 9421 B.2.6 has it', () => {
    const pem = [
      '-----BEGIN PRIVATE KEY-----',
      'MC4CAQAwBQYDK2VwBCIEIJ+DYvh6SEqVTm50DFtMDoQikTmiCqirVv9mWG9qfSnF',
      '-----END PRIVATE KEY-----',
    ].join('\n');
    const base = [
      '"date": Tue, 20 Apr 2021 02:07:55 GMT',
      '"@method": POST',
      '"@path": /foo',
      '"@authority": example.com',
      '"content-type": application/json',
      '"content-length": 18',
      '"@signature-params": ("date" "@method" "@path" "@authority" "content-type" "content-length")' +
        ';created=1618884473;keyid="test-key-ed25519"',
    ].join('\n');
    const expected =
      'wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==';
    const key = identityOf('vector', parsePrivateKey(pem, 'the vector', ''));
    expect(sign(null, Buffer.from(base), key.privateKey).toString('base64')).toBe(expected);
    const publicKey = publicKeyOf(key.did);
    expect(publicKey && verify(null, Buffer.from(base), publicKey, Buffer.from(expected, 'base64'))).toBe(
      true,
    );
  });

  it('is digested as RFC 9530 B.1 and RFC 9421 B.2 have it', () => {
    expect(contentDigest(Buffer.from('{"hello": "world"}\n'))).toBe(
      'sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:',
    );
    expect(contentDigest(Buffer.from('{"hello": "world"}'))).toBe(
      'sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:',
    );
  });
});

describe('an independent implementation', () => {
  const publicKey = createPublicKey(identity.privateKey);

  it.each([
    ['without a body', get],
    ['with a body', post],
    ['for one start of the daemon', { ...post, instance: 'c3RhcnQgb25l' }],
  ])('verifies what authsome signs %s', async (_, request) => {
    const headers = signRequest(identity, request, { nowMs, nonce });
    const outcome = await httpbis.verifyMessage(
      {
        keyLookup: async ({ keyid }) => ({
          ...(keyid === undefined ? {} : { id: keyid }),
          algs: ['ed25519'],
          verify: createVerifier(publicKey, 'ed25519'),
        }),
        notAfter: new Date(nowMs + 1000),
        requiredParams: ['created', 'nonce', 'keyid', 'alg'],
        requiredFields: ['@method', '@target-uri', 'authsome-identity'],
      },
      { method: request.method, url: request.origin + request.target, headers },
    );
    expect(outcome).toBe(true);
  });

  it.each([
    ['without a body', get],
    ['with a body', post],
  ])('signs what authsome verifies %s', async (_, request) => {
    const message = await httpbis.signMessage(
      {
        key: createSigner(identity.privateKey, 'ed25519', identity.did),
        name: 'authsome',
        fields: [
          '@method',
          '@target-uri',
          ...(request.body.length > 0 ? ['content-digest'] : []),
          'authsome-identity',
        ],
        params: ['keyid', 'alg', 'created', 'nonce'],
        paramValues: { created: new Date(nowMs), nonce },
      },
      {
        method: request.method,
        url: request.origin + request.target,
        headers: {
          'authsome-identity': identity.handle,
          ...(request.body.length > 0 ? { 'content-digest': contentDigest(request.body) } : {}),
        },
      },
    );
    const headers = Object.fromEntries(
      Object.entries(message.headers).map(([name, value]) => [name.toLowerCase(), String(value)]),
    );
    expect(verified(request, headers)).toMatchObject({ did: identity.did, handle: identity.handle });
  });
});

describe('a signed request', () => {
  it('is authentic, whatever the caller may do', () => {
    expect(verified(get, signRequest(identity, get, { nowMs, nonce }))).toEqual({
      did: identity.did,
      handle: 'ada@laptop',
      nonce,
      createdMs: nowMs,
      instance: undefined,
    });
    expect(verified(post, signRequest(identity, post, { nowMs, nonce })).handle).toBe('ada@laptop');
  });

  it('is refused when any covered part is another one', () => {
    const headers = signRequest(identity, post, { nowMs, nonce });
    const others: readonly SignableRequest[] = [
      { ...post, method: 'PUT' },
      { ...post, origin: 'http://127.0.0.1:7999' },
      { ...post, origin: 'https://127.0.0.1:7998' },
      { ...post, target: '/v1/runs?' },
      { ...post, target: '/v1/audit' },
      { ...post, body: Buffer.from('{"providers":[1]}') },
      { ...post, body: new Uint8Array() },
    ];
    for (const other of others) expect(refusal(() => verified(other, headers))).not.toBe('was not refused');
    const handle = { ...headers, 'authsome-identity': 'eve@laptop' };
    expect(refusal(() => verified(post, handle))).toContain('does not verify');
  });

  it('is refused when its digest is of another body', () => {
    const headers = signRequest(identity, post, { nowMs, nonce });
    const body = Buffer.from('{"providers":["x"]}');
    const forged = { ...headers, 'content-digest': contentDigest(body) };
    expect(refusal(() => verified({ ...post, body }, forged))).toContain('does not verify');
  });

  it('is fresh for sixty seconds', () => {
    for (const ageMs of [0, 1, 59_999, 60_000])
      expect(requireFresh({ createdMs: nowMs }, nowMs + ageMs)).toBe(nowMs + 61_000);
    for (const ageMs of [60_001, 61_000, 86_400_000]) {
      expect(refusal(() => requireFresh({ createdMs: nowMs }, nowMs + ageMs))).toMatch(
        /by the daemon's clock it was signed \d+ seconds ago, and 60 are allowed$/,
      );
    }
  });

  it('may be five seconds ahead of the clock, and no more', () => {
    for (const aheadMs of [1, 4_999, 5_000]) {
      expect(requireFresh({ createdMs: nowMs + aheadMs }, nowMs)).toBe(nowMs + aheadMs + 61_000);
    }
    for (const aheadMs of [5_001, 6_000, 60_000, 86_400_000]) {
      expect(refusal(() => requireFresh({ createdMs: nowMs + aheadMs }, nowMs))).toMatch(
        /by the daemon's clock it was signed \d+ seconds from now, and 5 are allowed$/,
      );
    }
  });

  it('covers the start of the daemon that it is made for', () => {
    const bound = { ...post, instance: 'c3RhcnQgb25l' };
    const headers = signRequest(identity, bound, { nowMs, nonce });
    expect(headers['authsome-instance']).toBe('c3RhcnQgb25l');
    expect(verified(post, headers).instance).toBe('c3RhcnQgb25l');
    const forAnother = { ...headers, 'authsome-instance': 'c3RhcnQgdHdv' };
    expect(refusal(() => verified(post, forAnother))).toContain('does not verify');
    const { 'authsome-instance': _, ...forAny } = headers;
    expect(refusal(() => verified(post, forAny))).toContain('does not cover the required components');
    const unbound = { ...signRequest(identity, post, { nowMs, nonce }), 'authsome-instance': 'c3RhcnQgb25l' };
    expect(refusal(() => verified(post, unbound))).toContain('does not cover the required components');
  });

  it('is refused when it covers less, names another algorithm, or repeats a parameter', () => {
    const headers = signRequest(identity, get, { nowMs, nonce });
    const input = headers['signature-input'] ?? '';
    const changed = [
      input.replace(' "authsome-identity"', ''),
      input.replace('"@target-uri"', '"@path"'),
      input.replace('alg="ed25519"', 'alg="hmac-sha256"'),
      input.replace(/;alg=.*$/, ''),
      input.replace(/;created=\d+/, ''),
      input.replace(/;nonce="[^"]*"/, ''),
      `${input};created=${nowMs / 1000}`,
      `${input};expires=${nowMs}`,
      `${input}, sig2=("@method")`,
      input.replace('authsome=', 'sig1='),
      input.replace(nonce, 'short'),
      '',
    ];
    for (const text of changed) {
      expect(refusal(() => verified(get, { ...headers, 'signature-input': text }))).not.toBe(
        'was not refused',
      );
    }
  });

  it('is refused without its headers, and with one of them repeated', () => {
    const headers = signRequest(identity, post, { nowMs, nonce });
    for (const name of Object.keys(headers)) {
      const { [name]: value = '', ...others } = headers;
      expect(refusal(() => verified(post, others))).toMatch(/missing|handle/);
      const twice = { ...post, headers: { ...others, [name]: [value, value] } };
      expect(refusal(() => verifyRequest(twice))).toMatch(/repeated|handle/);
    }
  });

  it('refuses any text that is not one, without a crash', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.string(), (handle, input, signature) => {
        const headers = { 'authsome-identity': handle, 'signature-input': input, signature };
        expect(refusal(() => verified(get, headers))).not.toBe('was not refused');
      }),
    );
  });

  it('survives no flipped bit of its signature', () => {
    const headers = signRequest(identity, get, { nowMs, nonce });
    const bytes = Buffer.from((headers.signature ?? '').slice('authsome=:'.length, -1), 'base64');
    fc.assert(
      fc.property(fc.nat(bytes.length * 8 - 1), (bit) => {
        const flipped = Buffer.from(bytes);
        flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        const signature = `authsome=:${flipped.toString('base64')}:`;
        expect(refusal(() => verified(get, { ...headers, signature }))).toContain('does not verify');
      }),
      { numRuns: 64 },
    );
  });
});

describe('the memory of nonces', () => {
  it('refuses new ones rather than forget a live one', () => {
    const memory = createNonceMemory({ now: () => nowMs, capacity: 2, ample: 2 });
    expect(memory.remember('a', nowMs + 1)).toBe(true);
    expect(memory.remember('b', nowMs + 1)).toBe(true);
    expect(memory.remember('c', nowMs + 1)).toBe(false);
    expect(memory.remember('a', nowMs + 1)).toBe(false);
  });

  it('has room again once they have expired', () => {
    let clockMs = nowMs;
    const memory = createNonceMemory({ now: () => clockMs, capacity: 2, ample: 2 });
    memory.remember('a', nowMs + 61_000);
    memory.remember('b', nowMs + 61_000);
    clockMs += 61_000;
    expect(memory.remember('c', clockMs + 61_000)).toBe(true);
  });

  it('keeps them while there is room, since a clock may be set back', () => {
    let clockMs = nowMs;
    const memory = createNonceMemory({ now: () => clockMs });
    memory.remember('a', nowMs + 61_000);
    clockMs += 3_600_000;
    memory.remember('b', clockMs + 61_000);
    clockMs = nowMs;
    expect(memory.remember('a', nowMs + 61_000)).toBe(false);
  });
});

describe("the daemon's proof", () => {
  const secret = Buffer.alloc(32, 1);

  it('fits its own request and secret only', () => {
    const proof = daemonProof(secret, 'authsome=:abc:');
    expect(proofMatches(secret, 'authsome=:abc:', proof)).toBe(true);
    expect(proofMatches(secret, 'authsome=:abd:', proof)).toBe(false);
    expect(proofMatches(Buffer.alloc(32, 2), 'authsome=:abc:', proof)).toBe(false);
    expect(proofMatches(secret, 'authsome=:abc:', '')).toBe(false);
  });
});
