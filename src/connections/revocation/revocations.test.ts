import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createConnections } from '../connections.ts';
import {
  startAuthorizationServer,
  type TestAuthorizationServer,
} from '../testing/test-authorization-server.ts';
import { acmeKey, openServerFixture, signIn, statusOf } from '../testing/test-sign-in.ts';

let server: TestAuthorizationServer;
beforeAll(async () => {
  server = await startAuthorizationServer();
});
afterAll(() => server.close());
beforeEach(() => {
  server.broken.clear();
});

describe('revoking', () => {
  it('takes effect at once here, and at the provider', async () => {
    const { options, events } = openServerFixture(server);
    const connections = createConnections(options);
    await signIn(server, connections);
    await signIn(server, connections, 'work');
    const live = await connections.credentials.acquire(acmeKey);
    const seen: unknown[] = [];
    connections.onChange(({ connection, kind }) =>
      seen.push([kind, connection, connections.credentials.peek(acmeKey)]),
    );
    const report = await connections.revoke('acme');
    expect(seen).toContainEqual(['revoked', acmeKey, undefined]);
    expect(report).toEqual({
      provider: 'acme',
      connections: ['default', 'work'],
      remote: { default: 'revoked', work: 'revoked' },
      clientCleared: true,
    });
    expect(await server.accepts(live.secret)).toBe(false);
    expect(await connections.credentials.renew(acmeKey, live)).toBeUndefined();
    await expect(connections.credentials.acquire(acmeKey)).rejects.toMatchObject({
      code: 'CredentialMissing',
    });
    expect(await statusOf(connections)).toBe('revoked');
    expect((await options.vault.read('connection', acmeKey))?.secrets).toEqual({});
    expect(await options.vault.list('client')).toEqual([]);
    expect(events.filter(({ event }) => event === 'connection.revoked')).toHaveLength(2);
    await signIn(server, connections);
  });

  it('clears here even when the provider cannot be reached', async () => {
    const connections = createConnections(openServerFixture(server).options);
    await signIn(server, connections);
    server.broken.add('/token/revocation');
    expect((await connections.revoke('acme')).remote).toEqual({ default: 'unreachable' });
    await expect(connections.credentials.acquire(acmeKey)).rejects.toMatchObject({
      code: 'CredentialMissing',
    });
  });

  it('a logout forgets one connection, and tells the provider', async () => {
    const connections = createConnections(openServerFixture(server).options);
    await signIn(server, connections);
    await signIn(server, connections, 'work');
    const { secret } = await connections.credentials.acquire('acme/work');
    await connections.logout('acme', 'work');
    expect(connections.credentials.peek('acme/work')).toBeUndefined();
    expect(await server.accepts(secret)).toBe(false);
    expect((await connections.summaries()).map(({ name }) => name)).toEqual(['default']);
    expect(await server.accepts((await connections.credentials.acquire(acmeKey)).secret)).toBe(true);
    await expect(connections.logout('acme', 'work')).rejects.toMatchObject({ code: 'ConnectionNotFound' });
  });
});
