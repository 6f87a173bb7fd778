import { describe, expect, it } from 'vitest';
import type { Reply } from './endpoint.ts';
import { readRegistration, registrationRequest } from './registration.ts';

const reply = (body: object, status = 201): Reply => ({
  status,
  contentType: 'application/json',
  body: JSON.stringify(body),
});

const byHand = 'authsome login acme --connection work --flow pkce';

describe('a registration', () => {
  it('asks for a native client with the exact redirect URI', async () => {
    const sent: RequestInit[] = [];
    const fetch = async (_: unknown, init: RequestInit = {}) => {
      sent.push(init);
      return Response.json({ client_id: 'c' }, { status: 201 });
    };
    const request = {
      registrationEndpoint: 'https://id.example/register',
      redirectUri: 'http://127.0.0.1:7998/auth/callback/oauth',
      scopes: ['a', 'b'],
      authMethods: ['client_secret_post', 'private_key_jwt'],
    };
    await registrationRequest(fetch, request);
    await registrationRequest(fetch, { ...request, authMethods: [] });
    await registrationRequest(fetch, {
      ...request,
      authMethods: ['client_secret_basic', 'client_secret_post'],
    });
    await registrationRequest(fetch, { ...request, authMethods: ['client_secret_basic', 'private_key_jwt'] });
    const methods = sent.map(({ body }) => JSON.parse(String(body)).token_endpoint_auth_method);
    expect(methods).toEqual(['client_secret_post', 'none', 'client_secret_post', 'client_secret_basic']);
    expect(JSON.parse(String(sent[0]?.body))).toMatchObject({
      application_type: 'native',
      redirect_uris: ['http://127.0.0.1:7998/auth/callback/oauth'],
      token_endpoint_auth_method: 'client_secret_post',
      scope: 'a b',
    });
  });

  it('obeys what the server registered', () => {
    const answer = {
      client_id: 'c',
      client_secret: 's',
      client_secret_expires_at: 1_700_000_000,
      token_endpoint_auth_method: 'client_secret_post',
      registration_client_uri: 'https://id.example/register/c',
      registration_access_token: 't',
      require_pushed_authorization_requests: true,
    };
    expect(readRegistration(reply(answer), 'acme', byHand)).toEqual({
      clientId: 'c',
      clientSecret: 's',
      authMethod: 'client_secret_post',
      pushRequired: true,
      secretExpiresAtMs: 1_700_000_000_000,
      registrationUri: 'https://id.example/register/c',
      registrationToken: 't',
    });
    expect(
      readRegistration(reply({ client_id: 'c', client_secret_expires_at: 0 }), 'acme', byHand),
    ).toMatchObject({
      clientSecret: undefined,
      authMethod: 'none',
      pushRequired: false,
      secretExpiresAtMs: undefined,
    });
  });

  it.each(['/register/c', 'http://id.example/register/c', 'https://', 7])(
    'takes %j for no address of the registration',
    (uri) => {
      const answer = { client_id: 'c', registration_client_uri: uri, registration_access_token: 't' };
      expect(readRegistration(reply(answer), 'acme', byHand).registrationUri).toBeUndefined();
    },
  );

  it.each([
    [
      'a refusal',
      reply({ error: 'invalid_redirect_uri', error_description: 'no loopback' }, 400),
      /: invalid_redirect_uri, because of redirect_uris$/,
    ],
    [
      'a refusal without a code',
      reply({ message: 'no' }, 403),
      /endpoint responded 403 with an unreadable body$/,
    ],
    [
      'a page',
      { status: 200, contentType: 'text/html', body: '<html>' },
      /the registration endpoint responded 200 with text\/html, not JSON$/,
    ],
    ['nothing', { status: 201, contentType: '', body: '' }, /responded 201 with an empty body$/],
    ['no client', reply({}), /the response \(status 201\) has no client_id$/],
    ['a number for a client', reply({ client_id: 7 }), /has an unusable client_id$/],
    ['a client of two lines', reply({ client_id: 'a\nb' }), /has an unusable client_id$/],
    [
      'a secret that no header can carry',
      reply({ client_id: 'c', client_secret: 'tell-nobody\nb' }),
      /has an unusable client_secret$/,
    ],
    [
      'a method that we do not have',
      reply({ client_id: 'c', token_endpoint_auth_method: 'private_key_jwt' }),
      /does not support: token_endpoint_auth_method private_key_jwt$/,
    ],
  ])('fails on %s and says what to do', (_, answer, message) => {
    let thrown: unknown;
    try {
      readRegistration(answer, 'acme', byHand);
    } catch (error) {
      thrown = error;
    }
    expect(String(thrown)).not.toContain('tell-nobody');
    expect(thrown).toMatchObject({
      code: 'SignInFailed',
      message: expect.stringMatching(message),
      hint: expect.stringMatching(
        /yourself, then sign in with: authsome login acme --connection work --flow pkce$/,
      ),
    });
  });
});
