import { createPublicKey } from 'node:crypto';
import { createVerifier, httpbis } from 'http-message-signatures';
import { describe, expect, it } from 'vitest';
import { identityOf, keyFromSeed } from './key.ts';
import { type SignableResponse, senderOf, signResponse } from './response.ts';
import { contentDigest, signRequest } from './signature.ts';

const nowMs = 1_795_550_400_000;
const key = identityOf('daemon', keyFromSeed(Buffer.alloc(32, 9)));
const caller = identityOf('ada@laptop', keyFromSeed(Buffer.alloc(32, 7)));
const request = {
  method: 'GET',
  origin: 'https://broker.example',
  target: '/v1/providers',
  body: new Uint8Array(),
};
const call = signRequest(caller, request, { nowMs, nonce: 'c2l4dGVlbiBieXRlcyEh' });
const answers = call.signature ?? '';
const response: SignableResponse = {
  status: 200,
  digest: contentDigest(Buffer.from('{"v":1}')),
  instance: 'c3RhcnQgb25l',
  answers,
};

const sender = (headers: Record<string, string>, status = 200, to = answers) =>
  senderOf(status, (name) => headers[name], to);

describe("a daemon's signature of its response", () => {
  it.each([
    ['with a body', response],
    ['without an end', { ...response, digest: undefined }],
  ])('proves the key and the start of the sender, %s', (_, signable) => {
    expect(sender(signResponse(key, signable, nowMs))).toEqual({ did: key.did, instance: 'c3RhcnQgb25l' });
  });

  it('is verified by an independent implementation', async () => {
    const headers = signResponse(key, response, nowMs);
    const outcome = await httpbis.verifyMessage(
      {
        keyLookup: async () => ({
          algs: ['ed25519'],
          verify: createVerifier(createPublicKey(key.privateKey), 'ed25519'),
        }),
        notAfter: new Date(nowMs + 1000),
        requiredFields: ['@status', 'content-digest', 'authsome-instance'],
      },
      { status: 200, headers },
      { method: 'GET', url: request.origin + request.target, headers: call },
    );
    expect(outcome).toBe(true);
  });

  it('proves nothing about anything else', () => {
    const headers = signResponse(key, response, nowMs);
    const another = signRequest(caller, request, { nowMs, nonce: 'c2V2ZW50ZWVuIGJ5dGVz' }).signature ?? '';
    expect(sender(headers, 401)).toBeUndefined();
    expect(sender(headers, 200, another)).toBeUndefined();
    const { 'content-digest': digest = '', ...undigested } = headers;
    expect(sender(undigested)).toBeUndefined();
    expect(sender({ ...headers, 'content-digest': contentDigest(Buffer.from('{"v":2}')) })).toBeUndefined();
    const streamed = signResponse(key, { ...response, digest: undefined }, nowMs);
    expect(sender({ ...streamed, 'content-digest': digest })).toBeUndefined();
    expect(sender({ ...headers, 'authsome-instance': 'c3RhcnQgdHdv' })).toBeUndefined();
    const claimed = (headers['signature-input'] ?? '').replace(key.did, caller.did);
    expect(sender({ ...headers, 'signature-input': claimed })).toBeUndefined();
    for (const name of Object.keys(headers)) expect(sender({ ...headers, [name]: '' })).toBeUndefined();
    expect(sender({})).toBeUndefined();
  });
});
