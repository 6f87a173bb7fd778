import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseProvider } from '../../../providers/index.ts';
import { createConnections } from '../../connections.ts';
import {
  startAuthorizationServer,
  type TestAuthorizationServer,
  testClient,
  testRedirectUri,
} from '../../testing/test-authorization-server.ts';
import { oauthProvider, openFixture } from '../../testing/test-fixture.ts';

let server: TestAuthorizationServer;
beforeAll(async () => {
  server = await startAuthorizationServer({
    pushedAuthorizationRequests: { enabled: true, requirePushedAuthorizationRequests: true },
  });
});
afterAll(() => server.close());

type Overrides = Parameters<typeof openFixture>[1];

/** Acme, whose endpoints are found by discovery; `oauth` is what the definition says besides. */
function fixture(oauth: Parameters<typeof oauthProvider>[0] = {}, overrides: Overrides = {}) {
  const discovered = { authorizationUrl: undefined, tokenUrl: undefined, revocationUrl: undefined };
  return openFixture([oauthProvider({ ...server.oauth, ...discovered, ...oauth })], {
    fetchFor: () => fetch,
    redirectUri: testRedirectUri,
    ...overrides,
  });
}

async function atProvider(connections: ReturnType<typeof createConnections>, connection = 'default') {
  const { id } = await connections.signIns.start({ provider: 'acme', connection, force: false });
  return await connections.signIns.submitClient(id, testClient);
}

const pushes = () => server.requests.filter(({ path }) => path === '/request');

describe('a server that takes pushed requests only', () => {
  it('gets the request itself, and the browser an address that reveals nothing', async () => {
    const connections = createConnections(fixture().options);
    const before = Date.now();
    const session = await atProvider(connections);
    const url = new URL(session.providerUrl ?? '');
    expect(url.origin + url.pathname).toBe(`${server.issuer}/auth`);
    expect(Object.fromEntries(url.searchParams)).toEqual({
      client_id: testClient.clientId,
      request_uri: expect.stringMatching(/^urn:ietf:params:oauth:request_uri:./),
    });
    expect(session.providerUrlExpiresAtMs).toBeGreaterThan(before);
    const landed = await server.approve(url.href);
    const done = await connections.signIns.callback(landed);
    expect(done).toMatchObject({ status: 'connected', providerUrlExpiresAtMs: undefined });
    expect(done.granted?.scopes).toEqual(['openid', 'offline_access']);
    expect(await server.accepts((await connections.credentials.acquire('acme/default')).secret)).toBe(true);
  });

  it('is signed in to likewise where a definition names the endpoint', async () => {
    const { options } = fixture({
      authorizationUrl: `${server.issuer}/auth`,
      tokenUrl: `${server.issuer}/token`,
      pushedAuthorizationUrl: `${server.issuer}/request`,
      pushRequired: true,
    });
    const connections = createConnections(options);
    const { providerUrl } = await atProvider(connections);
    const landed = await server.approve(providerUrl ?? '');
    expect((await connections.signIns.callback(landed)).status).toBe('connected');
  });

  it('gives a new address for the same attempt when it is asked for, and when the old one is over', async () => {
    const { options, clock } = fixture();
    const connections = createConnections(options);
    const first = await atProvider(connections);
    const count = pushes().length;
    expect((await connections.signIns.read(first.id)).providerUrl).toBe(first.providerUrl);
    expect(pushes()).toHaveLength(count);

    const second = await connections.signIns.renewAddress(first.id);
    expect(second.providerUrl).not.toBe(first.providerUrl);
    expect(second.revision).toBeGreaterThan(first.revision);
    clock.nowMs = (second.providerUrlExpiresAtMs ?? 0) - 2_000;
    const third = await connections.signIns.read(first.id);
    expect(third.providerUrl).not.toBe(second.providerUrl);
    expect(third.providerUrlExpiresAtMs).toBeGreaterThan(clock.nowMs);
    expect(pushes()).toHaveLength(count + 2);

    // Whichever address the person took, and however late the other ones are used.
    const landed = await server.approve(second.providerUrl ?? '');
    expect((await connections.signIns.callback(landed)).status).toBe('connected');
    const late = await server.approve(third.providerUrl ?? '');
    await expect(connections.signIns.callback(late)).rejects.toMatchObject({
      code: 'StateMismatch',
    });
    expect(await connections.signIns.renewAddress(first.id)).toMatchObject({ status: 'connected' });
    expect(pushes()).toHaveLength(count + 2);
  });

  it('ends no sign-in when there is no new address to be had', async () => {
    const { options, clock } = fixture();
    const connections = createConnections(options);
    const session = await atProvider(connections, 'work');
    clock.nowMs = session.providerUrlExpiresAtMs ?? 0;
    server.broken.add('/request');
    try {
      expect(await connections.signIns.read(session.id)).toMatchObject({
        status: 'waiting',
        providerUrl: session.providerUrl,
      });
      await expect(connections.signIns.renewAddress(session.id)).rejects.toMatchObject({
        code: 'SignInFailed',
        message: expect.stringContaining('/request responded 503 with text/html, not JSON'),
        hint: expect.stringMatching(/Try again later: authsome login acme --connection work$/),
      });
    } finally {
      server.broken.delete('/request');
    }
    const landed = await server.approve((await connections.signIns.read(session.id)).providerUrl ?? '');
    expect((await connections.signIns.callback(landed)).status).toBe('connected');
  });

  it('that refuses the request ends the sign-in with its error and what to do', async () => {
    const { options, events } = fixture();
    const connections = createConnections(options);
    const { id } = await connections.signIns.start({ provider: 'acme', connection: 'work', force: false });
    const wrong = { ...testClient, clientSecret: 'not-the-secret-0123456789' };
    const session = await connections.signIns.submitClient(id, wrong);
    expect(session).toMatchObject({
      status: 'failed',
      providerUrl: undefined,
      failure: {
        error: 'SignInFailed',
        message: expect.stringContaining('/request: invalid_client: client authentication failed'),
        hint: expect.stringContaining('authsome revoke acme\nauthsome login acme --connection work'),
      },
    });
    expect(events.at(-1)).toMatchObject({ event: 'sign_in.failed', outcome: 'SignInFailed' });
    expect(JSON.stringify([session, events])).not.toContain(wrong.clientSecret);
    expect((await options.vault.read('auth-session', id))?.secrets).toEqual({});
  });
});

describe('pushing', () => {
  const issuer = 'https://id.example';

  /** A server that says this of itself, and registers clients that say that. */
  function stranger(metadata: object, client: object = {}) {
    const asked: string[] = [];
    const ways = new Map<string, boolean>();
    const { options } = openFixture([oauthProvider({ issuer, supportsDcr: true }, { flow: 'dcr_pkce' })], {
      fetchFor: (way) => async (input) => {
        const { host, pathname } = new URL(String(input));
        asked.push(pathname);
        ways.set(host, way.publicOnly);
        if (pathname === '/.well-known/oauth-authorization-server')
          return Response.json({
            issuer,
            authorization_endpoint: `${issuer}/authorize`,
            token_endpoint: `${issuer}/token`,
            registration_endpoint: `${issuer}/register`,
            ...metadata,
          });
        if (pathname === '/register') return Response.json({ client_id: 'me', ...client }, { status: 201 });
        if (pathname === '/par') return Response.json({ request_uri: 'urn:x' }, { status: 201 });
        return new Response('', { status: 404 });
      },
    });
    const start = () => createConnections(options).signIns.start({ provider: 'acme', force: false });
    return { asked, ways, start };
  }
  const endpoint = { pushed_authorization_request_endpoint: `${issuer}/par` };

  it('is not done where it is merely offered', async () => {
    const { asked, start } = stranger({ ...endpoint, require_pushed_authorization_requests: false });
    const session = await start();
    expect(new URL(session.providerUrl ?? '').searchParams.get('code_challenge_method')).toBe('S256');
    expect(session.providerUrlExpiresAtMs).toBeUndefined();
    expect(asked).not.toContain('/par');
  });

  it('is done where the registered client has to (RFC 9126 §6)', async () => {
    const { start } = stranger(endpoint, { require_pushed_authorization_requests: true });
    expect(new URL((await start()).providerUrl ?? '').searchParams.get('request_uri')).toBe('urn:x');
  });

  it('goes to a private address only where a person named that very host', async () => {
    const required = { require_pushed_authorization_requests: true };
    const elsewhere = { pushed_authorization_request_endpoint: 'https://10.0.0.1/par', ...required };
    const { ways, start } = stranger(elsewhere);
    await start();
    expect([ways.get('id.example'), ways.get('10.0.0.1')]).toEqual([false, true]);
  });

  it('that is required but has no place to go to is refused before a client is registered', async () => {
    const { asked, start } = stranger({ require_pushed_authorization_requests: true });
    await expect(start()).rejects.toMatchObject({
      code: 'SignInFailed',
      message: expect.stringContaining('RFC 9126'),
      hint: expect.stringContaining('pushed_authorization_request_endpoint'),
    });
    expect(asked).not.toContain('/register');
  });

  it.each([
    [{ pushed_authorization_request_endpoint: `${issuer}/par` }, true],
    [{ ...endpoint, require_pushed_authorization_requests: false }, false],
    [{ require_pushed_authorization_requests: true, issuer }, true],
    [{}, false],
  ])('as a definition wants it: %j', (oauth, pushRequired) => {
    const endpoints = { authorization_url: `${issuer}/authorize`, token_url: `${issuer}/token` };
    const document = {
      schema_version: 1,
      name: 'acme',
      display_name: 'Acme',
      auth_type: 'oauth2',
      flow: 'pkce',
      api_url: 'api.id.example',
      oauth: { ...endpoints, ...oauth },
    };
    expect(parseProvider(document, 'custom').oauth?.pushRequired).toBe(pushRequired);
    const nowhere = { ...endpoints, require_pushed_authorization_requests: true };
    expect(() => parseProvider({ ...document, oauth: nowhere }, 'custom')).toThrow(
      /\/oauth\/require_pushed_authorization_requests/,
    );
  });
});
