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
