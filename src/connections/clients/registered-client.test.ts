import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createConnections } from '../connections.ts';
import {
  startAuthorizationServer,
  type TestAuthorizationServer,
} from '../testing/test-authorization-server.ts';
import { openFlowFixture } from '../testing/test-sign-in.ts';

let server: TestAuthorizationServer;
beforeAll(async () => {
  server = await startAuthorizationServer();
});
afterAll(() => server.close());

describe('dynamic registration', () => {
  const discovered = () =>
    [
      { authorizationUrl: undefined, tokenUrl: undefined, revocationUrl: undefined, supportsDcr: true },
      { flow: 'dcr_pkce' },
    ] as const;

  it('finds the endpoints, registers once, and signs in with nothing to fill in', async () => {
    const { options } = openFlowFixture(server, [...discovered()]);
    const connections = createConnections(options);
    const session = await connections.signIns.start({ provider: 'acme', force: false });
    expect(session.asksFor).toBeUndefined();
    const landed = await server.approve(session.providerUrl ?? '');
    expect((await connections.signIns.callback(landed)).status).toBe('connected');
    const [client] = await options.vault.list('client');
    expect(client?.fields).toMatchObject({ origin: 'registration', issuer: server.issuer });

    await connections.signIns.start({ provider: 'acme', connection: 'work', force: false });
    expect((await options.vault.list('client'))[0]?.version).toBe(client?.version);
    expect((await connections.revoke('acme')).remote).toEqual({ default: 'revoked' });
  });

  it('names no scopes to a server that registers no client for them, and asks for them all the same', async () => {
    const registered: unknown[] = [];
    const { options } = openFlowFixture(server, [...discovered()], {
      fetchFor: () => async (input, init) => {
        if (!String(input).endsWith('/reg')) return await fetch(input, init);
        const metadata = JSON.parse(String(init?.body));
        registered.push(metadata.scope);
        if (metadata.scope === undefined) return await fetch(input, init);
        return Response.json({ error: 'insufficient_scope' }, { status: 403 });
      },
    });
    const connections = createConnections(options);
    const { providerUrl = '' } = await connections.signIns.start({ provider: 'acme', force: false });
    expect(registered).toEqual(['openid offline_access', undefined]);
    expect(new URL(providerUrl).searchParams.get('scope')).toBe('openid offline_access');
    const landed = await server.approve(providerUrl);
    expect((await connections.signIns.callback(landed)).status).toBe('connected');
  });

  describe('at a server that refuses an address in the redirect URI', () => {
    /** What was registered, in order; the first answer is this one for every address. */
    function refusing(refusal: () => Response) {
      const asked: string[] = [];
      const fixture = openFlowFixture(server, [...discovered()], {
        fetchFor: () => async (input, init) => {
          if (!String(input).endsWith('/reg')) return await fetch(input, init);
          const [redirectUri] = JSON.parse(String(init?.body)).redirect_uris;
          asked.push(redirectUri);
          return new URL(redirectUri).hostname === 'localhost' ? await fetch(input, init) : refusal();
        },
      });
      return { ...fixture, asked };
    }

    it.each([
      ['by its code', () => Response.json({ error: 'invalid_redirect_uri' }, { status: 400 })],
      ['by a firewall', () => new Response('<html>Request blocked</html>', { status: 403 })],
      [
        'in words',
        () =>
          Response.json(
            { error: 'invalid_client_metadata', error_description: 'redirect_uris must not be IPs' },
            { status: 400 },
          ),
      ],
    ])('registers the same place by name, once, and keeps it: %s', async (_, refusal) => {
      const { options, asked } = refusing(refusal);
      const connections = createConnections(options);
      const session = await connections.signIns.start({ provider: 'acme', force: false });
      const ofServer = /^http:\/\/localhost:7998\/auth\/callback\/oauth\/[\w-]{22}$/;
      expect(session.redirectUri).toMatch(ofServer);
      // The page, and its cookie, stay where they are: the daemon leads the callback there.
      expect(session.authUrl).not.toContain('localhost');
      expect(asked.map((uri) => new URL(uri).hostname)).toContain('127.0.0.1');
      expect(asked.filter((uri) => ofServer.test(uri))).toHaveLength(1);
      const landed = await server.approve(session.providerUrl ?? '');
      expect(landed.href).toMatch(/^http:\/\/localhost:7998\//);
      expect((await connections.signIns.callback(landed)).status).toBe('connected');
      const before = asked.length;
      await connections.signIns.start({ provider: 'acme', connection: 'work', force: false });
      expect(asked).toHaveLength(before);
    });

    it.each([
      ['something else', () => Response.json({ error: 'unapproved_software_statement' }, { status: 400 })],
      ['the caller', () => Response.json({ error: 'invalid_token' }, { status: 401 })],
      ['nothing, being down', () => new Response('', { status: 500 })],
    ])('does not ask again where it refuses %s', async (_, refusal) => {
      const { options, asked } = refusing(refusal);
      const starting = createConnections(options).signIns.start({ provider: 'acme', force: false });
      await expect(starting).rejects.toMatchObject({ code: 'SignInFailed' });
      expect(asked.map((uri) => new URL(uri).hostname)).not.toContain('localhost');
    });

    it('says the first reason where it refuses the name as well', async () => {
      const { options } = openFlowFixture(server, [...discovered()], {
        fetchFor: () => async (input, init) => {
          if (!String(input).endsWith('/reg')) return await fetch(input, init);
          const isName = String(init?.body).includes('localhost');
          const error = isName ? 'invalid_client_metadata' : 'invalid_redirect_uri';
          return Response.json({ error }, { status: 400 });
        },
      });
      const starting = createConnections(options).signIns.start({ provider: 'acme', force: false });
      await expect(starting).rejects.toThrow(/invalid_redirect_uri, because of redirect_uris$/);
    });
  });

  it('registers again when the server has forgotten the client', async () => {
    const { options } = openFlowFixture(server, [...discovered()]);
    const connections = createConnections(options);
    await connections.signIns.start({ provider: 'acme', force: false });
    const record = await options.vault.read('client', 'acme');
    await fetch(String(record?.fields.registrationUri), {
      method: 'DELETE',
      headers: { authorization: `Bearer ${record?.secrets.registrationToken}` },
    });
    const session = await connections.signIns.start({ provider: 'acme', force: false });
    expect((await options.vault.read('client', 'acme'))?.fields.clientId).not.toBe(record?.fields.clientId);
    const landed = await server.approve(session.providerUrl ?? '');
    expect((await connections.signIns.callback(landed)).status).toBe('connected');
  });

  it('registers again for scopes beyond the first, and keeps the older client for its grants', async () => {
    const { options, clock } = openFlowFixture(server, [...discovered()]);
    const connections = createConnections(options);
    const signIn = async (connection: string, scopes: readonly string[]) => {
      const { providerUrl } = await connections.signIns.start({
        provider: 'acme',
        connection,
        scopes,
        force: true,
      });
      const landed = await server.approve(providerUrl ?? '');
      expect((await connections.signIns.callback(landed)).status).toBe('connected');
      return new URL(providerUrl ?? '').searchParams.get('client_id');
    };
    const first = await signIn('default', ['openid', 'offline_access']);
    expect(await signIn('default', ['openid'])).toBe(first);
    const second = await signIn('work', ['openid', 'offline_access', 'read']);
    expect(second).not.toBe(first);
    expect(await signIn('work', ['openid', 'offline_access'])).toBe(second);
    clock.nowMs += 3_700_000;
    for (const key of ['acme/default', 'acme/work']) {
      expect(await server.accepts((await connections.credentials.acquire(key)).secret)).toBe(true);
    }
    await connections.revoke('acme');
    expect(await options.vault.list('client')).toEqual([]);
  });

  it('refuses a response that lacks the iss which the server promises', async () => {
    const { options } = openFlowFixture(server, [...discovered()]);
    const connections = createConnections(options);
    const { providerUrl } = await connections.signIns.start({ provider: 'acme', force: false });
    const landed = await server.approve(providerUrl ?? '');
    landed.searchParams.delete('iss');
    expect((await connections.signIns.callback(landed)).failure?.message).toMatch(/issuer/);
  });
});
