import { describe, expect, it } from 'vitest';
import { type Connections, createConnections } from '../connections.ts';
import { landingWith } from '../testing/test-authorization-server.ts';
import { oauthProvider, openFixture } from '../testing/test-fixture.ts';

const issuer = 'https://id.example';

interface Character {
  /** RFC 7592. */
  readonly answersAboutClients?: boolean;
  readonly pushesOnly?: boolean;
  /** Where clients prove themselves, none is taken at all. */
  readonly takesNobody?: boolean;
}

/** A server that registers clients, and can forget them. */
function forgetful(character: Character = {}) {
  const known = new Set<string>();
  const registered: string[] = [];
  const asked: string[] = [];
  const refusal = () => Response.json({ error: 'invalid_client' }, { status: 401 });
  const answer = async (input: string | URL | Request, init: RequestInit = {}): Promise<Response> => {
    const { pathname } = new URL(String(input));
    asked.push(pathname);
    const form = new URLSearchParams(String(init.body ?? ''));
    const clientId = form.get('client_id') ?? '';
    switch (pathname) {
      case '/.well-known/oauth-authorization-server':
        return Response.json({
          issuer,
          authorization_endpoint: `${issuer}/authorize`,
          token_endpoint: `${issuer}/token`,
          registration_endpoint: `${issuer}/register`,
          pushed_authorization_request_endpoint: `${issuer}/par`,
          require_pushed_authorization_requests: character.pushesOnly === true,
        });
      case '/register': {
        const client_id = `client-${registered.length + 1}`;
        registered.push(client_id);
        known.add(client_id);
        const management = {
          registration_client_uri: `${issuer}/register/${client_id}`,
          registration_access_token: `rat-${client_id}`,
        };
        const body = { client_id, ...(character.answersAboutClients === true ? management : {}) };
        return Response.json(body, { status: 201 });
      }
      case '/par':
        if (!known.has(clientId) || character.takesNobody === true) return refusal();
        return Response.json({ request_uri: `urn:${clientId}`, expires_in: 60 }, { status: 201 });
      case '/token': {
        if (!known.has(clientId) || character.takesNobody === true) return refusal();
        const tokens = { access_token: `at-${asked.length}`, refresh_token: 'rt', expires_in: 3600 };
        return Response.json(tokens);
      }
      default: {
        const managed = pathname.slice('/register/'.length);
        return known.has(managed) ? Response.json({ client_id: managed }) : new Response('', { status: 401 });
      }
    }
  };
  const { options, clock, events } = openFixture(
    [oauthProvider({ issuer, authorizationUrl: undefined, tokenUrl: undefined }, { flow: 'dcr_pkce' })],
    { fetchFor: () => answer },
  );
  const connections = createConnections(options);
  const start = (connection = 'default') =>
    connections.signIns.start({ provider: 'acme', connection, force: true });
  return { known, registered, asked, options, clock, events, connections, start };
}

const clientOf = (providerUrl: string | undefined) =>
  new URL(providerUrl ?? '').searchParams.get('client_id');

/** Comes back from the provider with these parameters. */
async function comeBack(
  { options, connections }: { options: ReturnType<typeof openFixture>['options']; connections: Connections },
  id: string,
  params: Readonly<Record<string, string>> = { code: 'the-code' },
) {
  const { state = '' } = (await options.vault.read('auth-session', id))?.secrets ?? {};
  const { redirectUri } = await connections.signIns.read(id);
  return await connections.signIns.callback(landingWith({ state, ...params }, redirectUri));
}

describe('a server that has forgotten the client it registered', () => {
  it('while a person was on its page: another is registered and asked for once more', async () => {
    const fixture = forgetful();
    const { id } = await fixture.start();
    fixture.known.clear();
    const again = await comeBack(fixture, id);
    expect(again).toMatchObject({ id, status: 'waiting', failure: undefined });
    expect(clientOf(again.providerUrl)).toBe('client-2');
    expect(again.warnings).toMatchObject([
      { message: expect.stringContaining('no longer accepts the client') },
    ]);
    expect(await fixture.connections.summaries()).toEqual([]);
    expect(await comeBack(fixture, id)).toMatchObject({ status: 'connected' });
    expect(fixture.registered).toEqual(['client-1', 'client-2']);
    expect(clientOf((await fixture.start('work')).providerUrl)).toBe('client-2');
  });

  it('and forgets the next one at once: one new client, then an error that says what to do', async () => {
    const fixture = forgetful({ takesNobody: true });
    const { id } = await fixture.start();
    expect((await comeBack(fixture, id)).status).toBe('waiting');
    expect(await comeBack(fixture, id)).toMatchObject({
      status: 'failed',
      failure: {
        error: 'TokenExchangeFailed',
        message: 'token exchange failed: invalid_client',
        hint: expect.stringContaining('authsome login acme --flow pkce --force'),
      },
    });
    expect(fixture.registered).toHaveLength(2);
  });

  it('and says so late: the client that has its place by then is not doubted', async () => {
    const fixture = forgetful({ answersAboutClients: true });
    const late = await fixture.start();
    fixture.known.clear();
    expect(clientOf((await fixture.start('work')).providerUrl)).toBe('client-2');
    expect((await comeBack(fixture, late.id, { error: 'invalid_client' })).status).toBe('failed');
    expect(clientOf((await fixture.start('third')).providerUrl)).toBe('client-2');
    expect(fixture.registered).toHaveLength(2);
  });

  it('before a pushed request: another is registered, and the person notices nothing', async () => {
    const fixture = forgetful({ pushesOnly: true });
    await fixture.start();
    fixture.known.clear();
    const session = await fixture.start();
    expect(clientOf(session.providerUrl)).toBe('client-2');
    expect(session.warnings).toEqual([]);
    expect(fixture.asked.slice(-3)).toEqual(['/par', '/register', '/par']);
    expect(await comeBack(fixture, session.id)).toMatchObject({ status: 'connected' });
  });

  it('before a pushed request, and refuses the next one too: an error that says what to do', async () => {
    const fixture = forgetful({ pushesOnly: true, takesNobody: true });
    await expect(fixture.start()).rejects.toMatchObject({
      code: 'SignInFailed',
      message: 'acme refused the pushed authorization request at id.example/par: invalid_client',
      hint: expect.stringContaining('authsome login acme --flow pkce --force'),
    });
    expect(fixture.registered).toHaveLength(2);
  });

  it.each(['invalid_client', 'unauthorized_client'])(
    'and sends people back with %s: said, and fixed by the next sign-in',
    async (error) => {
      const fixture = forgetful();
      const { id } = await fixture.start();
      const failed = await comeBack(fixture, id, { error });
      expect(failed.failure).toMatchObject({
        message: `acme refused the sign-in: ${error}`,
        hint: 'acme no longer accepts the client that authsome registered there. Signing in again registers a new one: authsome login acme --force',
      });
      expect(fixture.registered).toHaveLength(1);
      expect(clientOf((await fixture.start()).providerUrl)).toBe('client-2');
    },
  );

  it('but not on the word of somebody who is not that server', async () => {
    const fixture = forgetful();
    const { id } = await fixture.start();
    const iss = 'https://evil.example';
    expect((await comeBack(fixture, id, { error: 'invalid_client', iss })).failure?.message).toMatch(
      /issuer/,
    );
    expect(clientOf((await fixture.start()).providerUrl)).toBe('client-1');
  });

  it.each(['expired', 'cancelled'])('and shows that to people: after a sign-in that was %s', async (how) => {
    const fixture = forgetful();
    const { id } = await fixture.start();
    if (how === 'cancelled') await fixture.connections.signIns.cancel(id);
    else {
      fixture.clock.nowMs += 11 * 60_000;
      const { failure } = await fixture.connections.signIns.read(id);
      expect(failure?.hint).toContain('acme may have forgotten the client that authsome registered there');
    }
    const next = await fixture.start();
    expect(clientOf(next.providerUrl)).toBe('client-2');
    expect(await comeBack(fixture, next.id)).toMatchObject({ status: 'connected' });
    expect(clientOf((await fixture.start('work')).providerUrl)).toBe('client-2');
  });

  it('is asked about it where it responds, and a client that it knows stays', async () => {
    const fixture = forgetful({ answersAboutClients: true });
    const { id } = await fixture.start();
    await fixture.connections.signIns.cancel(id);
    expect(clientOf((await fixture.start()).providerUrl)).toBe('client-1');
    fixture.known.clear();
    expect(clientOf((await fixture.start()).providerUrl)).toBe('client-2');
  });

  it('says so at a refresh: the grant stays, and the sign-in that is named registers a new one', async () => {
    const fixture = forgetful();
    for (const name of ['default', 'work']) await comeBack(fixture, (await fixture.start(name)).id);
    fixture.clock.nowMs += 3_600_000;
    fixture.known.clear();
    await expect(fixture.connections.credentials.acquire('acme/work')).rejects.toMatchObject({
      code: 'RefreshFailed',
      message: 'token refresh failed: invalid_client',
      hint: expect.stringContaining('registers a new one: authsome login acme --connection work --force'),
    });
    const session = await fixture.start('work');
    expect(clientOf(session.providerUrl)).toBe('client-2');
    expect(await comeBack(fixture, session.id)).toMatchObject({ status: 'connected' });
    expect((await fixture.connections.credentials.acquire('acme/work')).secret).toMatch(/^at-/);
    // It was only away: what it had granted to the first client still works.
    fixture.known.add('client-1');
    fixture.clock.nowMs += 60 * 60_000;
    expect((await fixture.connections.credentials.acquire('acme/default')).secret).toMatch(/^at-/);
  });
});

it('a client that a person entered is never replaced', async () => {
  const { options } = openFixture([oauthProvider()], {
    fetchFor: () => async () => Response.json({ error: 'invalid_client' }, { status: 401 }),
  });
  const connections = createConnections(options);
  const asked = await connections.signIns.start({ provider: 'acme', force: false });
  await connections.signIns.submitClient(asked.id, { clientId: 'mine', clientSecret: 'my-secret' });
  const failed = await comeBack({ options, connections }, asked.id);
  expect(failed.failure?.hint).toContain('authsome revoke acme\nauthsome login acme');
  const [client] = await options.vault.list('client');
  expect(client).toMatchObject({ version: 1, fields: { clientId: 'mine' } });
});
