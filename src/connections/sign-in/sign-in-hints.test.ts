import { describe, expect, it } from 'vitest';
import type { FlowName } from '../../providers/index.ts';
import { createConnections } from '../connections.ts';
import { oauthProvider, openFixture } from '../testing/test-fixture.ts';

const issuer = 'https://id.example';
const baseUrl = 'https://acme.example.com';
const place = 'authsome login acme --connection work';
const client = { clientId: 'mine', clientSecret: 'my-secret' };

interface Server {
  readonly metadata?: object;
  /** To everything that is not metadata. */
  readonly answer?: () => Response | undefined;
  readonly flow: FlowName;
}

/** A sign-in to `acme/work` on a server of its own, there by `flow`. */
function signIn({ metadata = {}, answer, flow }: Server) {
  const { options } = openFixture(
    [
      oauthProvider(
        {
          issuer,
          authorizationUrl: undefined,
          tokenUrl: undefined,
          supportsDcr: true,
          supportsDeviceCode: true,
        },
        { flow, baseUrl },
      ),
    ],
    {
      fetchFor: () => async (input) => {
        const { pathname } = new URL(String(input));
        if (!pathname.startsWith('/.well-known/')) return answer?.() ?? new Response('', { status: 404 });
        const endpoints = {
          authorization_endpoint: `${issuer}/authorize`,
          token_endpoint: `${issuer}/token`,
        };
        return Response.json({ issuer, ...endpoints, ...metadata });
      },
    },
  );
  const { signIns } = createConnections(options);
  const request = { provider: 'acme', connection: 'work', baseUrl, force: false };
  return { signIns, options, start: (given = {}) => signIns.start({ ...request, ...given }) };
}

const refusal = (error: string) => Response.json({ error }, { status: 400 });

describe('the hint of a sign-in that fails leads back to its own connection and server', () => {
  it.each([
    [
      'where no client can be registered',
      { flow: 'dcr_pkce', metadata: {} },
      `Register a client yourself, then sign in with: ${place} --flow pkce --base-url ${baseUrl} --force`,
    ],
    [
      'where registering one is refused',
      {
        flow: 'dcr_pkce',
        metadata: { registration_endpoint: `${issuer}/register` },
        answer: () => refusal('invalid_redirect_uri'),
      },
      `Register a client yourself, then sign in with: ${place} --flow pkce --base-url ${baseUrl} --force`,
    ],
    [
      'where the client would have to prove itself in a way that we do not have',
      {
        flow: 'dcr_pkce',
        metadata: { registration_endpoint: `${issuer}/register` },
        answer: () => Response.json({ client_id: 'c', token_endpoint_auth_method: 'private_key_jwt' }),
      },
      `Register a client yourself, then sign in with: ${place} --flow pkce --base-url ${baseUrl} --force`,
    ],
    [
      'where there is no device flow after all',
      { flow: 'device_code' },
      `Run: ${place} --flow pkce --base-url ${baseUrl} --force`,
    ],
    [
      'where the device flow is not for this client',
      {
        flow: 'device_code',
        metadata: { device_authorization_endpoint: `${issuer}/device` },
        answer: () => refusal('unauthorized_client'),
      },
      `The client may not be allowed to use the device flow. Sign in with: ${place} --flow pkce --base-url ${baseUrl} --force`,
    ],
  ] as const)('%s', async (_, server, hint) => {
    const { start, options } = signIn(server);
    await expect(start(server.flow === 'device_code' ? client : {})).rejects.toMatchObject({ hint });
    expect(await options.vault.list('connection')).toEqual([]);
  });

  it('of a client on its own', async () => {
    const wrong = signIn({ flow: 'client_credentials', answer: () => refusal('invalid_client') });
    expect((await wrong.start(client)).failure?.hint).toBe(
      'acme rejected the stored client ID and secret. Clear them, then enter them again:\n' +
        `authsome revoke acme\n${place} --base-url ${baseUrl}`,
    );
    const scope = signIn({ flow: 'client_credentials', answer: () => refusal('invalid_scope') });
    expect((await scope.start(client)).failure?.hint).toBe(
      `Request only scopes that the client is allowed: ${place} --base-url ${baseUrl} --scopes "<scope1>,<scope2>"`,
    );
  });

  it('of a pushed request, whose client the server forgets while a person looks for the page', async () => {
    const pushing = {
      registration_endpoint: `${issuer}/register`,
      pushed_authorization_request_endpoint: `${issuer}/par`,
      require_pushed_authorization_requests: true,
    };
    const answers = [
      Response.json({ client_id: 'registered' }, { status: 201 }),
      Response.json({ request_uri: 'urn:1', expires_in: 60 }, { status: 201 }),
      refusal('invalid_client'),
    ];
    const { start, signIns } = signIn({ flow: 'dcr_pkce', metadata: pushing, answer: () => answers.shift() });
    const { id } = await start();
    await expect(signIns.renewAddress(id)).rejects.toMatchObject({
      hint: `acme no longer accepts the client that authsome registered there. Signing in again registers a new one: ${place} --base-url ${baseUrl} --force`,
    });
    expect((await signIns.read(id)).status).toBe('waiting');
  });
});
