import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createConnections } from '../connections.ts';
import {
  startAuthorizationServer,
  type TestAuthorizationServer,
} from '../testing/test-authorization-server.ts';
import { acmeKey, openServerFixture, signIn } from '../testing/test-sign-in.ts';

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
      code: 'ConnectionNotFound',
    });
    expect(await connections.summaries()).toEqual([]);
    for (const kind of ['connection', 'default', 'client'] as const) {
      expect(await options.vault.list(kind)).toEqual([]);
    }
    expect(events.filter(({ event }) => event === 'connection.revoked')).toHaveLength(2);
    await signIn(server, connections);
  });

  it('clears here even when the provider cannot be reached', async () => {
    const connections = createConnections(openServerFixture(server).options);
    await signIn(server, connections);
    server.broken.add('/token/revocation');
    expect((await connections.revoke('acme')).remote).toEqual({ default: 'unreachable' });
    await expect(connections.credentials.acquire(acmeKey)).rejects.toMatchObject({
      code: 'ConnectionNotFound',
    });
  });

  it('forgets at start what an earlier version kept of a revoked connection, and nothing else', async () => {
    const { options } = openServerFixture(server);
    const connections = createConnections(options);
    await signIn(server, connections);
    await signIn(server, connections, 'old');
    const kept = await options.vault.read('connection', 'acme/old');
    if (kept === undefined) throw new Error('no connection');
    const tombstone = { ...kept, fields: { ...kept.fields, state: 'revoked' }, secrets: {} };
    await options.vault.write(tombstone, kept.version);
    await connections.start();
    await connections.close();
    expect((await connections.summaries()).map(({ name }) => name)).toEqual(['default']);
    expect(await connections.credentials.acquire(acmeKey)).toBeDefined();
  });

  it('a logout forgets one connection, and tells the provider', async () => {
    const connections = createConnections(openServerFixture(server).options);
    await signIn(server, connections);
    await signIn(server, connections, 'work');
    const { secret } = await connections.credentials.acquire('acme/work');
    expect(await connections.logout('acme', 'work')).toMatchObject({ newDefault: undefined });
    expect(connections.credentials.peek('acme/work')).toBeUndefined();
    expect(await server.accepts(secret)).toBe(false);
    expect((await connections.summaries()).map(({ name }) => name)).toEqual(['default']);
    expect(await server.accepts((await connections.credentials.acquire(acmeKey)).secret)).toBe(true);
    await expect(connections.logout('acme', 'work')).rejects.toMatchObject({ code: 'ConnectionNotFound' });
  });

  it('a logout of the default connection names the one that is used from then on', async () => {
    const connections = createConnections(openServerFixture(server).options);
    await signIn(server, connections);
    await signIn(server, connections, 'work');
    expect(await connections.logout('acme')).toMatchObject({ connection: 'default', newDefault: 'work' });
    expect(await connections.logout('acme')).toMatchObject({ connection: 'work', newDefault: undefined });
  });

  it('says what could be ended instead where there is no such connection, and never how to sign in', async () => {
    const connections = createConnections(openServerFixture(server).options);
    const nothing = {
      code: 'ConnectionNotFound',
      hint: 'Nothing of it is stored here. To see what is: authsome list',
    };
    await expect(connections.logout('acme')).rejects.toMatchObject(nothing);
    await expect(connections.revoke('acme')).rejects.toMatchObject(nothing);
    await expect(connections.logout('acmee')).rejects.toMatchObject({ code: 'ProviderNotFound' });
    await signIn(server, connections);
    await expect(connections.logout('acme', 'work')).rejects.toMatchObject({
      message: 'there is no connection acme/work',
      hint: 'Connected: acme/default',
    });
    await connections.logout('acme');
    await expect(connections.logout('acme')).rejects.toMatchObject({
      hint: 'To clear its OAuth client: authsome revoke acme',
    });
    await connections.revoke('acme');
    await expect(connections.revoke('acme')).rejects.toMatchObject(nothing);
    expect(await connections.forget('acme')).toMatchObject({ connections: [], clientCleared: false });
  });
});
