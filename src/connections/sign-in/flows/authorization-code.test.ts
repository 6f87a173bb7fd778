import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createConnections } from '../../connections.ts';
import {
  landingWith,
  startAuthorizationServer,
  type TestAuthorizationServer,
  testClient,
  testRedirectUri,
} from '../../testing/test-authorization-server.ts';
import { type Fixture, oauthProvider, openFixture } from '../../testing/test-fixture.ts';

let server: TestAuthorizationServer;
beforeAll(async () => {
  server = await startAuthorizationServer();
});
afterAll(() => server.close());

function fixture(overrides: Parameters<typeof openFixture>[1] = {}): Fixture {
  return openFixture([oauthProvider(server.oauth)], {
    fetchFor: () => fetch,
    redirectUri: testRedirectUri,
    ...overrides,
  });
}

async function waitingAtProvider(connections: ReturnType<typeof createConnections>, connection = 'default') {
  const asked = await connections.signIns.start({ provider: 'acme', connection, force: false });
  const session =
    asked.asksFor === 'client' ? await connections.signIns.submitClient(asked.id, testClient) : asked;
  const { providerUrl } = session;
  if (providerUrl === undefined) throw new Error('nowhere to go');
  return { id: session.id, providerUrl };
}

describe('signing in with PKCE', () => {
  it('takes the token to no account URL of a definition that came meanwhile', async () => {
    const asked: string[] = [];
    const known = [oauthProvider({ ...server.oauth, account: undefined })];
    const { options } = openFixture(known, {
      fetchFor: () => (url, init) => {
        asked.push(String(url));
        return fetch(url, init);
      },
      redirectUri: testRedirectUri,
    });
    const connections = createConnections(options);
    const { providerUrl } = await waitingAtProvider(connections);
    const account = { url: 'https://api.evil.example/me', field: 'login' };
    const evil = oauthProvider({ ...server.oauth, account });
    Object.assign(options.catalog, { find: () => evil, resolve: () => evil });
    const done = await connections.signIns.callback(await server.approve(providerUrl));
    expect([done.status, done.granted?.account]).toEqual(['connected', undefined]);
    expect(asked.filter((url) => url.includes('evil'))).toEqual([]);
    expect(asked).toContain(`${server.issuer}/token`);
  });

  it('asks for the client once, then goes to the provider and comes back connected', async () => {
    const { options, events } = fixture();
    const connections = createConnections(options);
    const changes: string[] = [];
    connections.onChange(({ connection, kind }) => changes.push(`${kind} ${connection}`));
    const first = await connections.signIns.start({ provider: 'acme', force: false });
    expect(first).toMatchObject({ asksFor: 'client', status: 'waiting', redirectUri: testRedirectUri });
    const seen = connections.signIns.waitForChange(first.id, first.revision, 5_000);
    const atProvider = await connections.signIns.submitClient(first.id, testClient);
    expect(atProvider.providerUrl).toContain(`${server.issuer}/auth?`);
    expect((await seen).providerUrl).toBe(atProvider.providerUrl);

    const landed = await server.approve(atProvider.providerUrl ?? '');
    const done = await connections.signIns.callback(landed);
    expect(done).toMatchObject({
      status: 'connected',
      granted: { account: 'octocat' },
      providerUrl: undefined,
    });
    expect(done.granted?.scopes).toEqual(['openid', 'offline_access']);
    expect(changes).toEqual(['connected acme/default']);
    const { secret } = await connections.credentials.acquire('acme/default');
    expect(await server.accepts(secret)).toBe(true);
    expect(events.map(({ event }) => event)).toEqual(['sign_in.started', 'sign_in.completed']);

    const second = await connections.signIns.start({ provider: 'acme', connection: 'work', force: false });
    expect(second.asksFor).toBeUndefined();
    expect(second.providerUrl).toContain(server.issuer);
  });

  it('a stale or foreign callback warns the live sign-in, which keeps waiting', async () => {
    const { options, events } = fixture();
    const connections = createConnections(options);
    const { id, providerUrl } = await waitingAtProvider(connections);
    for (const query of [
      'code=x&state=stale',
      'code=x',
      'error=access_denied&state=stale',
      'state=a&state=b&code=x',
    ]) {
      await expect(connections.signIns.callback(landingWith(query))).rejects.toMatchObject({
        code: 'StateMismatch',
        message: 'OAuth state parameter does not match',
      });
    }
    const session = await connections.signIns.read(id);
    expect(session).toMatchObject({ status: 'waiting', failure: undefined, providerUrl });
    expect(session.warnings).toHaveLength(4);
    expect(session.warnings[0]).toMatchObject({ error: 'StateMismatch' });
    expect(events.filter(({ event }) => event === 'sign_in.state_mismatch')).toHaveLength(4);

    const landed = await server.approve(providerUrl);
    expect((await connections.signIns.callback(landed)).status).toBe('connected');
  });

  it('a callback works once: its second use is refused and changes nothing', async () => {
    const { options } = fixture();
    const connections = createConnections(options);
    const { id, providerUrl } = await waitingAtProvider(connections);
    const landed = await server.approve(providerUrl);
    const before = server.requests.length;
    const outcomes = await Promise.allSettled([
      connections.signIns.callback(landed),
      connections.signIns.callback(landed),
      connections.signIns.callbackFromPaste(id, landed.href),
    ]);
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    await expect(connections.signIns.callback(landed)).rejects.toMatchObject({
      code: 'StateMismatch',
    });
    expect(server.requests.slice(before)).toEqual([{ path: '/token', status: 200 }]);
    expect(await server.accepts((await connections.credentials.acquire('acme/default')).secret)).toBe(true);
  });

  it('takes a pasted redirect URL, and only its own', async () => {
    const connections = createConnections(fixture().options);
    const { id, providerUrl } = await waitingAtProvider(connections);
    const landed = await server.approve(providerUrl);
    for (const foreign of [
      landed.href.replace('/auth/callback', '/other'),
      landed.href.replace('7998', '7999'),
      'hello',
    ]) {
      const error = await connections.signIns
        .callbackFromPaste(id, foreign)
        .catch((caught: unknown) => caught);
      expect(error).toMatchObject({ code: 'Usage' });
      expect(String(error)).not.toContain(landed.searchParams.get('code') ?? '');
    }
    const wrongState = `${testRedirectUri}?code=x&state=other`;
    await expect(connections.signIns.callbackFromPaste(id, wrongState)).rejects.toMatchObject({
      code: 'StateMismatch',
    });
    expect((await connections.signIns.callbackFromPaste(id, ` ${landed.href}\n`)).status).toBe('connected');
  });

  it("ends with the provider's error, its description and a hint", async () => {
    const connections = createConnections(fixture().options);
    const { id, providerUrl } = await waitingAtProvider(connections);
    const state = new URL(providerUrl).searchParams.get('state') ?? '';
    const query = landingWith({
      state,
      iss: server.issuer,
      error: 'access_denied',
      error_description: 'not today',
    });
    expect(await connections.signIns.callback(query)).toMatchObject({
      id,
      status: 'failed',
      failure: { error: 'SignInFailed', message: 'acme refused the sign-in: access_denied: not today' },
    });
    expect(await connections.summaries()).toEqual([]);
  });

  it('says invalid_client and the two commands when the secret is wrong, and revoke clears the client', async () => {
    const { options } = fixture();
    const connections = createConnections(options);
    const { id } = await connections.signIns.start({ provider: 'acme', force: false });
    const { providerUrl } = await connections.signIns.submitClient(id, {
      ...testClient,
      clientSecret: 'mistyped',
    });
    const landed = await server.approve(providerUrl ?? '');
    const failed = await connections.signIns.callback(landed);
    expect(failed.failure).toMatchObject({
      error: 'TokenExchangeFailed',
      message: 'token exchange failed: invalid_client',
      hint: expect.stringMatching(/authsome revoke acme\nauthsome login acme$/),
    });
    expect(await connections.revoke('acme')).toMatchObject({ clientCleared: true, connections: [] });
    expect((await connections.signIns.start({ provider: 'acme', force: false })).asksFor).toBe('client');
  });

  it('loses nothing when the daemon restarts during it', async () => {
    const { options } = fixture();
    const { id, providerUrl } = await waitingAtProvider(createConnections(options));
    const landed = await server.approve(providerUrl);
    const restarted = createConnections(options);
    await restarted.signIns.resume();
    expect(await restarted.signIns.read(id)).toMatchObject({ status: 'waiting', providerUrl });
    expect((await restarted.signIns.callback(landed)).status).toBe('connected');
  });

  it('takes up an exchange that a dead daemon had begun', async () => {
    const { options } = fixture();
    const { exclusively } = options.vault;
    let isDead = false;
    const died = createConnections({
      ...options,
      fetchFor: () => () => new Promise<never>(() => undefined),
      vault: {
        ...options.vault,
        exclusively: (...args: Parameters<typeof exclusively>) =>
          isDead ? new Promise<never>(() => undefined) : (exclusively(...args) as Promise<never>),
      },
    });
    const { id, providerUrl } = await waitingAtProvider(died);
    const landed = await server.approve(providerUrl);
    isDead = true;
    void died.signIns.callback(landed);
    const restarted = createConnections(options);
    while ((await restarted.signIns.read(id)).providerUrl !== undefined) await new Promise(setImmediate);
    const { revision } = await restarted.signIns.read(id);
    await restarted.signIns.resume();
    expect(await restarted.signIns.waitForChange(id, revision, 5_000)).toMatchObject({ status: 'connected' });
    await restarted.signIns.resume();
    expect(await server.accepts((await restarted.credentials.acquire('acme/default')).secret)).toBe(true);
  });

  it('expires, and says so to a late callback', async () => {
    const { options, clock } = fixture();
    const connections = createConnections(options);
    const { id, providerUrl } = await waitingAtProvider(connections);
    const landed = await server.approve(providerUrl);
    clock.nowMs += 10 * 60_000;
    for (const _ of [1, 2]) {
      expect(await connections.signIns.callback(landed)).toMatchObject({ status: 'expired' });
    }
    expect(await connections.summaries()).toEqual([]);
    expect((await options.vault.read('auth-session', id))?.secrets).toEqual({});
    expect(await connections.signIns.read(id)).toMatchObject({
      status: 'expired',
      providerUrl: undefined,
      failure: { error: 'SignInExpired', hint: expect.stringContaining('NO_PROXY') },
    });
    clock.nowMs += 2 * 60 * 60_000;
    await connections.signIns.resume();
    await expect(connections.signIns.read(id)).rejects.toMatchObject({ code: 'SessionNotFound' });
  });

  it('asks for the scopes that were named, and refuses what is none', async () => {
    const connections = createConnections(fixture().options);
    const start = (scopes: readonly string[]) =>
      connections.signIns.start({ provider: 'acme', force: false, scopes, ...testClient });
    const { providerUrl } = await start(['openid']);
    expect(new URL(providerUrl ?? '').searchParams.get('scope')).toBe('openid');
    for (const scope of ['', 'a b', 'a"b', 'ä', 'a\u0000']) {
      await expect(start([scope])).rejects.toMatchObject({ code: 'Usage' });
    }
  });

  it('can be cancelled, and stays so', async () => {
    const connections = createConnections(fixture().options);
    const { id, providerUrl } = await waitingAtProvider(connections);
    const landed = await server.approve(providerUrl);
    expect((await connections.signIns.cancel(id)).status).toBe('cancelled');
    await expect(connections.signIns.callback(landed)).rejects.toMatchObject({
      code: 'StateMismatch',
    });
    expect((await connections.signIns.cancel(id)).status).toBe('cancelled');
    expect(await connections.summaries()).toEqual([]);
  });

  it.each<[string, () => Response | Promise<never>]>([
    ['HTML', () => new Response('<html>', { headers: { 'content-type': 'text/html' } })],
    ['half a document', () => new Response('{"access_token": "at_half')],
    ['a token and an error', () => Response.json({ access_token: 'at_half', error: 'nearly' })],
    ['a token that no header can carry', () => Response.json({ access_token: 'at_half\n' })],
    ['no answer', () => Promise.reject(new TypeError('fetch failed'))],
  ])('leaves nothing of an exchange behind that ends with %s', async (_, answer) => {
    const { options } = fixture({ fetchFor: () => async () => answer() });
    const connections = createConnections(options);
    const { id, providerUrl } = await waitingAtProvider(connections);
    const landed = await server.approve(providerUrl);
    expect((await connections.signIns.callback(landed)).status).toBe('failed');
    expect(await options.vault.list('connection')).toEqual([]);
    expect((await options.vault.read('auth-session', id))?.secrets).toEqual({});
    expect((await options.vault.list('client')).map(({ name }) => name)).toEqual(['acme']);
  });

  it('shows no secret in any error or event, even when the provider echoes what it was sent', async () => {
    const echoing = async (_: unknown, init: RequestInit = {}) =>
      Response.json(
        {
          error: 'invalid_request',
          error_description: `${init.body} ${new Headers(init.headers).get('authorization')}`,
        },
        { status: 400 },
      );
    const { options, events } = fixture({ fetchFor: () => echoing });
    const connections = createConnections(options);
    const { id, providerUrl } = await waitingAtProvider(connections);
    const landed = await server.approve(providerUrl);
    const { codeVerifier = '' } = (await options.vault.read('auth-session', id))?.secrets ?? {};
    const session = await connections.signIns.callback(landed);
    expect(session.status).toBe('failed');
    const told = JSON.stringify([events, session, await connections.signIns.read(id)]);
    const sentBasic = Buffer.from(`${testClient.clientId}:${testClient.clientSecret}`).toString('base64');
    for (const secret of [
      landed.searchParams.get('code'),
      landed.searchParams.get('state'),
      codeVerifier,
      testClient.clientSecret,
      sentBasic,
    ]) {
      expect(secret).toMatch(/.{16,}/);
      expect(told).not.toContain(secret);
    }
    expect((await options.vault.read('auth-session', id))?.secrets).toEqual({});
  });
});
