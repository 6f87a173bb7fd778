import { randomBytes } from 'node:crypto';
import { calculatePKCECodeChallenge } from 'oauth4webapi';
import { describe, expect, it } from 'vitest';
import { AuthsomeError } from '../errors.ts';
import {
  authorizationRequest,
  type CodeExchange,
  codeChallenge,
  exchangeCode,
  newAttempt,
  readCallback,
} from './authorization-code.ts';

const redirectUri = 'http://127.0.0.1:7998/auth/callback/oauth';

function request(overrides: object = {}) {
  const attempt = newAttempt(randomBytes);
  const options = {
    authorizationUrl: 'https://id.example/authorize?tenant=7',
    clientId: 'client',
    redirectUri,
    scopes: ['a', 'b'],
    scopeSeparator: ' ',
    scopeParameter: 'scope',
    params: { access_type: 'offline', state: 'fixed', code_challenge_method: 'plain' },
    resource: undefined,
    ...overrides,
  };
  return { ...attempt, ...authorizationRequest(options, attempt) };
}

describe('an authorization request', () => {
  it('carries 256 bits of state and an S256 challenge, whatever the definition adds', async () => {
    const { url, parameters, state, codeVerifier } = request();
    const params = new URL(url).searchParams;
    expect(Buffer.from(state, 'base64url')).toHaveLength(32);
    const { tenant, ...others } = Object.fromEntries(params);
    expect(tenant).toBe('7');
    expect(others).toEqual(Object.fromEntries(parameters));
    expect(others).toEqual({
      access_type: 'offline',
      response_type: 'code',
      client_id: 'client',
      redirect_uri: redirectUri,
      scope: 'a b',
      state,
      code_challenge: await calculatePKCECodeChallenge(codeVerifier),
      code_challenge_method: 'S256',
    });
    expect(url).not.toContain(codeVerifier);
    expect(request().state).not.toBe(state);
  });

  it('puts scopes where the service keeps that kind of token', () => {
    const params = new URL(request({ scopeParameter: 'user_scope', scopeSeparator: ',' }).url).searchParams;
    expect(params.get('user_scope')).toBe('a,b');
    expect(params.has('scope')).toBe(false);
  });

  it('takes the challenge of RFC 7636, appendix B', () => {
    expect(codeChallenge('dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk')).toBe(
      'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
    );
  });

  it.each(['http://id.example/authorize', 'javascript:alert(1)', 'https://me:pw@id.example/', 'nonsense'])(
    'does not go to %s',
    (authorizationUrl) => {
      expect(() => request({ authorizationUrl })).toThrow(/not an https URL/);
    },
  );
});

describe('a callback', () => {
  const expected = {
    state: 'right',
    issuer: 'https://id.example',
    serverOrigins: ['https://id.example', 'https://token.example'],
    issRequired: false,
    isElsewhere: false,
    isAmbiguous: false,
    provider: 'acme',
    settingsUrl: 'https://acme.example/apps',
    redirectUri,
  };
  const read = (query: string, overrides: object = {}) =>
    readCallback(new URLSearchParams(query), { ...expected, ...overrides });

  it('gives its code', () => {
    expect(read('state=right&code=c0de&iss=https://id.example')).toEqual({ kind: 'code', code: 'c0de' });
  });

  it.each(['code=c0de', 'state=wrong&code=c0de', 'state=&code=c0de', 'state=wrong&error=access_denied'])(
    'is refused without the state: %s',
    (query) => {
      expect(() => read(query)).toThrow('OAuth state parameter does not match');
    },
  );

  it('is refused from another issuer, without showing what it says', () => {
    for (const query of [
      'state=right&code=c&iss=https://evil.example',
      'state=right&error=x&error_description=psst&iss=https://id.example/',
    ]) {
      const error = thrownBy(() => read(query));
      expect(error).toMatchObject({ code: 'SignInFailed' });
      expect(`${error.message} ${error.hint}`).not.toMatch(/evil|psst/);
    }
    expect(thrownBy(() => read('state=right&code=c', { issRequired: true })).message).toMatch(/issuer/);
  });

  it('is compared with the origins of the endpoints where no issuer is known', () => {
    const unknown = { issuer: undefined };
    for (const iss of ['https://id.example', 'https://id.example/tenant', 'https://token.example']) {
      expect(read(`state=right&code=c&iss=${iss}`, unknown)).toMatchObject({ kind: 'code' });
    }
    for (const iss of ['https://honest.example', 'https://id.example.evil.example', 'id.example', '']) {
      expect(thrownBy(() => read(`state=right&code=c&iss=${iss}`, unknown)).message).toMatch(/issuer/);
    }
    expect(read('state=right&code=c', unknown)).toMatchObject({ kind: 'code' });
  });

  it('is refused at the redirect URI of another server, whatever it says', () => {
    for (const query of ['state=right&code=c', 'state=right&code=c&iss=https://id.example']) {
      expect(thrownBy(() => read(query, { isElsewhere: true })).message).toMatch(/issuer/);
    }
  });

  it('is refused without an issuer where another server may have sent it, with the switch', () => {
    const error = thrownBy(() => read('state=right&code=c', { isAmbiguous: true }));
    expect(error).toMatchObject({ code: 'SignInFailed' });
    expect(error.hint).toContain('"oauth": {"iss": "optional"}');
    expect(read('state=right&code=c&iss=https://id.example', {})).toMatchObject({ kind: 'code' });
  });

  it.each(['state=right&state=right&code=c', 'state=right&code=c&code=d'])('must not repeat: %s', (query) => {
    expect(() => read(query)).toThrow(/repeats/);
  });

  it('shows the exact redirect URI and where to set it when the provider does not know it', () => {
    const error = refusal(
      read('state=right&error=redirect_uri_mismatch&error_description=The+redirect_uri+MUST+match'),
    );
    expect(error.message).toBe(
      'acme refused the sign-in: redirect_uri_mismatch: The redirect_uri MUST match',
    );
    expect(error.hint).toContain(`exactly\n${redirectUri}\nat https://acme.example/apps`);
  });

  it('says when it is the client that is refused, and what fixes that', () => {
    for (const code of ['invalid_client', 'unauthorized_client']) {
      const entered = read(`state=right&error=${code}`);
      expect(entered).toMatchObject({ kind: 'refused', clientRefused: true });
      expect(refusal(entered).hint).toContain('authsome revoke acme\nauthsome login acme');
      expect(refusal(read(`state=right&error=${code}`, { clientHint: 'Again.' })).hint).toBe('Again.');
    }
    expect(read('state=right&error=access_denied')).toMatchObject({ clientRefused: false });
  });

  it('makes what the provider says fit for a terminal', () => {
    const error = refusal(
      read(
        `state=right&error=access_denied&error_description=${encodeURIComponent('no\u001b]0;x\u0007\nreally')}`,
      ),
    );
    expect(error.message).toBe('acme refused the sign-in: access_denied: no ]0;x really');
    expect(error.hint).toContain('authsome login acme');
  });
});

describe('the exchange', () => {
  const exchange: CodeExchange = {
    provider: 'acme',
    tokenUrl: 'https://id.example/token',
    client: { clientId: 'id with space', clientSecret: 'a:b+c&d' },
    authMethod: undefined,
    tokenParams: {},
    encoding: 'form',
    resource: undefined,
    code: 'the-code',
    codeVerifier: 'the-verifier',
    redirectUri,
    requestedScopes: [],
    nowMs: () => 0,
  };
  const answering = (status: number, body: string, sent: RequestInit[] = []) => {
    return async (_url: unknown, init: RequestInit = {}) => {
      sent.push(init);
      return new Response(body, { status, headers: { 'content-type': 'application/json' } });
    };
  };

  it('encodes basic credentials as forms are (RFC 6749 §2.3.1) and follows no redirect', async () => {
    const sent: RequestInit[] = [];
    await exchangeCode(answering(200, '{"access_token":"t"}', sent), exchange);
    const headers = new Headers(sent[0]?.headers);
    const basic = Buffer.from(headers.get('authorization')?.slice(6) ?? '', 'base64').toString();
    expect(basic).toBe('id+with+space:a%3Ab%2Bc%26d');
    expect(sent[0]).toMatchObject({ method: 'POST', redirect: 'manual' });
    expect(Object.fromEntries(new URLSearchParams(String(sent[0]?.body)))).toEqual({
      grant_type: 'authorization_code',
      code: 'the-code',
      redirect_uri: redirectUri,
      code_verifier: 'the-verifier',
    });
  });

  it('sends the secret in the body, or none at all, where the definition says so', async () => {
    const sent: RequestInit[] = [];
    const fetch = answering(200, '{"access_token":"t"}', sent);
    await exchangeCode(fetch, { ...exchange, authMethod: 'client_secret_post' });
    await exchangeCode(fetch, { ...exchange, client: { clientId: 'public', clientSecret: undefined } });
    expect(String(sent[0]?.body)).toContain('client_id=id+with+space&client_secret=a%3Ab%2Bc%26d');
    expect(String(sent[1]?.body)).toContain('client_id=public');
    for (const init of sent) expect(new Headers(init.headers).has('authorization')).toBe(false);
  });

  it('names the two commands that fix invalid_client', async () => {
    const refused = answering(401, '{"error":"invalid_client"}');
    const result = await exchangeCode(refused, exchange);
    expect(result).toMatchObject({ kind: 'failed', clientRefused: true });
    const error = refusal(result);
    expect(error).toMatchObject({
      code: 'TokenExchangeFailed',
      message: 'token exchange failed: invalid_client',
    });
    expect(error.hint).toContain('authsome revoke acme');
    expect(error.hint).toContain('authsome login acme');
    const registered = await exchangeCode(refused, { ...exchange, clientHint: 'Again.' });
    expect(refusal(registered).hint).toBe('Again.');
  });

  it('says what came instead of a token response', async () => {
    const result = await exchangeCode(answering(500, '<html>'), exchange);
    expect(result).toMatchObject({ kind: 'failed', clientRefused: false });
    const error = refusal(result);
    expect(error.message).toBe(
      'token exchange failed: the token endpoint responded 500 with an unreadable body',
    );
  });

  it('says that the endpoint is unreachable, without the URL query or what was sent', async () => {
    const refused = async () => {
      throw new TypeError('fetch failed for the-code', {
        cause: Object.assign(new Error(), { code: 'ECONNREFUSED' }),
      });
    };
    const error = await rejectionOf(exchangeCode(refused, exchange));
    expect(error).toMatchObject({
      code: 'EndpointUnreachable',
      message: 'cannot reach the token endpoint at id.example: ECONNREFUSED',
    });
  });
});

function refusal(result: { readonly kind: string; readonly error?: AuthsomeError }): AuthsomeError {
  if (result.error === undefined) throw new Error('nothing was refused');
  return result.error;
}

function thrownBy(work: () => unknown): AuthsomeError {
  try {
    work();
  } catch (error) {
    if (error instanceof AuthsomeError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

async function rejectionOf(promise: Promise<unknown>): Promise<AuthsomeError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof AuthsomeError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}
