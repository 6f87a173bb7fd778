import { describe, expect, it } from 'vitest';
import type { Reply } from './endpoint.ts';
import {
  pushedAuthorizationRequest,
  pushedAuthorizationUrl,
  readPushedAuthorizationResponse,
} from './pushed-authorization.ts';

const endpoint = 'https://id.example/par';
const redirectUri = 'http://127.0.0.1:7998/auth/callback/oauth';
const parameters = new URLSearchParams({ client_id: 'the client', state: 'the-state', scope: 'a b' });

describe('a pushed authorization request', () => {
  const push = async (clientSecret: string | undefined, authMethod?: 'client_secret_post') => {
    const sent: { url: string; init: RequestInit }[] = [];
    const fetch = async (url: unknown, init: RequestInit = {}) => {
      sent.push({ url: String(url), init });
      return Response.json({ request_uri: 'urn:x', expires_in: 60 }, { status: 201 });
    };
    const client = { clientId: 'the client', clientSecret };
    await pushedAuthorizationRequest(fetch, {
      pushedAuthorizationUrl: endpoint,
      parameters,
      client,
      authMethod,
    });
    const [{ url, init } = { url: '', init: {} }] = sent;
    return { url, init, headers: new Headers(init.headers), form: new URLSearchParams(String(init.body)) };
  };

  it('carries what the browser would have, as a form, with the client as at the token endpoint', async () => {
    const basic = await push('the:secret');
    expect(basic.url).toBe(endpoint);
    expect(basic.init).toMatchObject({ method: 'POST', redirect: 'manual' });
    expect(basic.headers.get('content-type')).toBe('application/x-www-form-urlencoded');
    expect(Object.fromEntries(basic.form)).toEqual(Object.fromEntries(parameters));
    const credentials = basic.headers.get('authorization')?.replace('Basic ', '') ?? '';
    expect(Buffer.from(credentials, 'base64').toString()).toBe('the+client:the%3Asecret');

    const post = await push('the:secret', 'client_secret_post');
    expect(post.headers.has('authorization')).toBe(false);
    expect(post.form.get('client_secret')).toBe('the:secret');

    const open = await push(undefined);
    expect(open.headers.has('authorization')).toBe(false);
    expect(Object.fromEntries(open.form)).toEqual(Object.fromEntries(parameters));
    expect(parameters.has('client_secret')).toBe(false);
  });

  it.each(['http://id.example/par', 'https://me:pw@id.example/par', 'nonsense'])(
    'is not sent to %s',
    async (pushedAuthorizationUrl) => {
      const fetch = () => Promise.reject(new TypeError('nothing is to be sent'));
      const client = { clientId: 'c', clientSecret: 's' };
      const request = { pushedAuthorizationUrl, parameters, client, authMethod: undefined };
      await expect(pushedAuthorizationRequest(fetch, request)).rejects.toThrow(/not an https URL/);
    },
  );
});

describe('its response', () => {
  const read = (status: number, body: string, contentType = 'application/json') => {
    const reply: Reply = { status, contentType, body };
    return readPushedAuthorizationResponse(reply, {
      pushedAuthorizationUrl: `${endpoint}?tenant=7`,
      provider: 'acme',
      settingsUrl: 'https://acme.example/apps',
      redirectUri,
      sentAtMs: 1_000,
      secrets: ['the-state', 'the-secret'],
    });
  };
  const json = (status: number, body: object) => read(status, JSON.stringify(body));
  const failure = (result: ReturnType<typeof read>) => {
    if (result.kind !== 'failed') throw new Error('it was taken');
    return result;
  };
  const requestUri = 'urn:ietf:params:oauth:request_uri:6esc_11ACC5bwc014ltc14eY22c';

  it.each<[number, unknown, number]>([
    [201, 60, 61_000],
    [200, '90', 91_000],
    [201, undefined, 61_000],
    [201, -1, 61_000],
  ])('is a request_uri and an end (status %i, expires_in %j)', (status, expires, expiresAtMs) => {
    expect(json(status, { request_uri: requestUri, expires_in: expires })).toEqual({
      kind: 'pushed',
      requestUri,
      expiresAtMs,
    });
  });

  it('shows the endpoint, the error, its description and what to do', () => {
    const { error, clientRefused } = failure(
      json(400, { error: 'invalid_redirect_uri', error_description: 'not\nregistered' }),
    );
    expect(error).toMatchObject({
      code: 'SignInFailed',
      message:
        'acme refused the pushed authorization request at id.example/par: invalid_redirect_uri: not registered',
      hint: `Set the callback URL to exactly\n${redirectUri}\nat https://acme.example/apps, then run: authsome login acme --force`,
    });
    expect(clientRefused).toBe(false);
  });

  it('says when it is the client that is refused, whatever the status', () => {
    for (const status of [200, 400, 401]) {
      const { error, clientRefused } = failure(json(status, { error: 'invalid_client' }));
      expect(clientRefused).toBe(true);
      expect(error.hint).toContain('authsome revoke acme\nauthsome login acme');
    }
    expect(failure(json(201, { error: 'invalid_client', request_uri: requestUri })).clientRefused).toBe(true);
  });

  it('shows nothing of what was sent', () => {
    const { error } = failure(
      json(400, { error: 'invalid_request', error_description: 'bad the-state', state: 'the-secret' }),
    );
    expect(`${error.message} ${error.hint}`).not.toMatch(/the-state|the-secret|tenant/);
  });

  it.each<[string, ReturnType<typeof read>, RegExp, RegExp]>([
    ['HTML', read(200, '<html>', 'text/html'), /responded 200 with text\/html, not JSON/, /authsome inspect/],
    ['a page that is not there', read(404, 'no', 'text/plain'), /responded 404/, /authsome inspect acme/],
    ['a redirect', read(307, '', ''), /responded with a redirect \(status 307\)/, /authsome inspect acme/],
    ['nothing to go on with', json(201, { expires_in: 60 }), /without a request_uri/, /authsome inspect/],
    ['a line break in it', json(201, { request_uri: 'urn:x\r\nX: 1' }), /without a request_uri/, /inspect/],
    ['a bad day', read(503, '<h1>', 'text/html'), /responded 503/, /is having problems/],
    ['too many requests', read(429, '', ''), /responded 429 with an empty body/, /is having problems/],
  ])('fails on %s', (_, result, message, hint) => {
    const { error, clientRefused } = failure(result);
    expect([error.code, clientRefused]).toEqual(['SignInFailed', false]);
    expect(error.message).toMatch(message);
    expect(error.message).toContain('id.example/par ');
    expect(error.hint).toMatch(hint);
  });
});

it('the browser carries the client and the request_uri, and nothing of the request (RFC 9126 §4)', () => {
  const url = pushedAuthorizationUrl('https://id.example/authorize?tenant=7', 'the client', 'urn:x:1&2');
  expect(Object.fromEntries(new URL(url).searchParams)).toEqual({
    tenant: '7',
    client_id: 'the client',
    request_uri: 'urn:x:1&2',
  });
  expect(() => pushedAuthorizationUrl('http://id.example/a', 'c', 'urn:x')).toThrow(/not an https URL/);
});
