import { describe, expect, it } from 'vitest';
import { readDeviceAuthorization } from './device-code.ts';
import type { Reply } from './endpoint.ts';
import { readPushedAuthorizationResponse } from './pushed-authorization.ts';
import { readRefreshResponse } from './refresh.ts';
import { readRegistration } from './registration.ts';
import { exchangeFailure } from './token-failure.ts';
import { readTokenResponse } from './token-response.ts';

const context = {
  provider: 'acme',
  requestedScopes: [],
  sentAtMs: 0,
  secrets: [],
  signInAgain: 'Sign in again.',
};
const reply = (body: object, status = 400): Reply => ({
  status,
  contentType: 'application/json',
  body: JSON.stringify(body),
});
const said = 'bound to a key of the client (DPoP, RFC 9449), which authsome does not support';

describe('a server that wants DPoP-bound tokens is told as such', () => {
  const refusals = [
    { error: 'invalid_dpop_proof' },
    { error: 'use_dpop_nonce', error_description: 'Authorization server requires nonce' },
    { error: 'invalid_grant', error_description: 'DPoP proof is required for this client' },
    { error: 'invalid_request', error_description: 'missing DPoP header' },
  ];

  it.each(refusals)('at the code exchange: %j', (body) => {
    const result = readTokenResponse(reply(body), context);
    if (result.kind === 'tokens') throw new TypeError('tokens');
    expect(exchangeFailure(result, context)).toMatchObject({
      code: 'TokenExchangeFailed',
      message: expect.stringContaining(said),
      hint: expect.stringContaining('bearer tokens'),
    });
  });

  it.each(refusals)('at a refresh, which does not end the grant: %j', (body) => {
    expect(readRefreshResponse(reply(body), context)).toMatchObject({
      kind: 'failed',
      error: { code: 'RefreshFailed', message: expect.stringContaining(said) },
      clientRefused: false,
    });
  });

  it('at a pushed request, and for a device code', () => {
    const pushed = readPushedAuthorizationResponse(reply({ error: 'invalid_dpop_proof' }), {
      ...context,
      pushedAuthorizationUrl: 'https://id.example/par',
      settingsUrl: undefined,
      redirectUri: 'http://127.0.0.1:7998/auth/callback/oauth',
    });
    expect(pushed).toMatchObject({ kind: 'failed', error: { message: expect.stringContaining(said) } });
    const place = { deviceAuthorizationUrl: 'https://id.example/d', provider: 'acme', byBrowser: 'x' };
    expect(() => readDeviceAuthorization(reply({ error: 'use_dpop_nonce' }), place)).toThrow(said);
  });

  it('when it registers the client, or answers with such a token', () => {
    const registered = { client_id: 'c', dpop_bound_access_tokens: true };
    expect(() => readRegistration(reply(registered, 201), 'acme', 'x')).toThrow(said);
    const tokens = { access_token: 't', token_type: 'DPoP' };
    expect(readTokenResponse(reply(tokens, 200), context)).toMatchObject({
      kind: 'unusable',
      reason: expect.stringContaining(said),
    });
  });

  it('and no other refusal is', () => {
    const dead = { error: 'invalid_grant', error_description: 'expired' };
    expect(readRefreshResponse(reply(dead), context)).toMatchObject({ kind: 'dead' });
    const registered = { client_id: 'c', dpop_bound_access_tokens: false };
    expect(readRegistration(reply(registered, 201), 'acme', 'x')).toMatchObject({ clientId: 'c' });
  });
});
