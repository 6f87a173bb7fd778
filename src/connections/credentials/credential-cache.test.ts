import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Vault } from '../../vault/index.ts';
import { type Connections, createConnections } from '../connections.ts';
import {
  startAuthorizationServer,
  type TestAuthorizationServer,
  testClient,
} from '../testing/test-authorization-server.ts';
import { memoryVault } from '../testing/test-fixture.ts';
import { acmeKey, openServerFixture, signIn, statusOf, tokenRequests } from '../testing/test-sign-in.ts';
import type { LiveCredential } from './credential.ts';

const hourMs = 3_600_000;

let server: TestAuthorizationServer;
beforeAll(async () => {
  server = await startAuthorizationServer();
});
afterAll(() => server.close());
beforeEach(() => {
  server.broken.clear();
});

/** Until the refresh in the background has changed what `peek` gives. */
async function changedFrom(connections: Connections, old: LiveCredential): Promise<LiveCredential> {
  for (;;) {
    const now = connections.credentials.peek(acmeKey);
    if (now !== undefined && now !== old) return now;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

async function signedIn(options: Parameters<typeof createConnections>[0]): Promise<Connections> {
  const connections = createConnections(options);
  await signIn(server, connections);
  return connections;
}

describe('a live credential', () => {
  it('is one object until it changes, without reading the vault', async () => {
    const vault = memoryVault();
    let reads = 0;
    const counted: Vault = {
      ...vault,
      read: (kind, name) => {
        reads += 1;
        return vault.read(kind, name);
      },
    };
    const { options } = openServerFixture(server, { vault: counted });
    const connections = createConnections(options);
    await signIn(server, connections);
    expect(connections.credentials.peek(acmeKey)).toBeUndefined();
    const live = await connections.credentials.acquire(acmeKey);
    reads = 0;
    expect(connections.credentials.peek(acmeKey)).toBe(live);
    expect(await connections.credentials.acquire(acmeKey)).toBe(live);
    expect(reads).toBe(0);
  });

  it('is refreshed in the background from 300 s before its end, while the old one keeps working', async () => {
    const { options, clock, events } = openServerFixture(server);
    const connections = createConnections(options);
    await signIn(server, connections);
    const old = await connections.credentials.acquire(acmeKey);
    clock.nowMs += hourMs - 305_000;
    expect(await tokenRequests(server, async () => connections.credentials.peek(acmeKey))).toEqual([]);
    clock.nowMs += 6_000;
    const asked = await tokenRequests(server, async () => {
      for (let index = 0; index < 20; index += 1) expect(connections.credentials.peek(acmeKey)).toBe(old);
      expect(await connections.credentials.acquire(acmeKey)).toBe(old);
      const fresh = await changedFrom(connections, old);
      expect(fresh.secret).not.toBe(old.secret);
      expect(await server.accepts(fresh.secret)).toBe(true);
    });
    expect(asked).toEqual([200]);
    expect(events.filter(({ event }) => event === 'token.refreshed')).toHaveLength(1);
  });

  it('knows the one that it replaced, for one renewal, and what replaced it', async () => {
    const { options, clock } = openServerFixture(server);
    const { credentials } = await signedIn(options);
    const first = await credentials.acquire(acmeKey);
    expect([first.older, first.newer]).toEqual([undefined, undefined]);
    const second = (await credentials.renew(acmeKey, first)) as LiveCredential;
    expect(second.older).toBe(first);
    expect(first.newer).toBe(second);
    clock.nowMs += hourMs;
    const third = await credentials.acquire(acmeKey);
    expect(third.older).toBe(second);
    expect(second.newer).toBe(third);
    expect([second.older, third.newer]).toEqual([undefined, undefined]);
  });

  it('is no longer given out a minute before its end', async () => {
    const { options, clock } = openServerFixture(server);
    const connections = createConnections(options);
    await signIn(server, connections);
    const old = await connections.credentials.acquire(acmeKey);
    clock.nowMs += hourMs - 59_000;
    expect(connections.credentials.peek(acmeKey)).toBeUndefined();
    expect((await connections.credentials.acquire(acmeKey)).secret).not.toBe(old.secret);
  });

  it('is used to its real end when the provider has a problem, and nobody hammers the provider', async () => {
    const { options, clock } = openServerFixture(server);
    const connections = createConnections(options);
    await signIn(server, connections);
    const old = await connections.credentials.acquire(acmeKey);
    server.broken.add('/token');
    clock.nowMs += hourMs - 30_000;
    const asked = await tokenRequests(server, async () => {
      const lives = await Promise.all(
        Array.from({ length: 10 }, () => connections.credentials.acquire(acmeKey)),
      );
      expect(new Set(lives)).toEqual(new Set([old]));
      for (let index = 0; index < 10; index += 1)
        expect(await connections.credentials.acquire(acmeKey)).toBe(old);
    });
    expect(asked).toEqual([503]);
    clock.nowMs += 31_000;
    await expect(connections.credentials.acquire(acmeKey)).rejects.toMatchObject({ code: 'RefreshFailed' });
    expect(await statusOf(connections)).toBe('expired');
    server.broken.clear();
    clock.nowMs += 60_000;
    expect((await connections.credentials.acquire(acmeKey)).secret).not.toBe(old.secret);
    expect(await statusOf(connections)).toBe('connected');
  });

  it('that died at the provider is invalid: asked for once, and never again', async () => {
    const { options, clock, events } = openServerFixture(server);
    const connections = createConnections(options);
    await signIn(server, connections);
    const { secret } = await connections.credentials.acquire(acmeKey);
    const details = await connections.read('acme', undefined, { showSecret: true });
    await fetch(`${server.issuer}/token/revocation`, {
      method: 'POST',
      headers: {
        authorization: `Basic ${Buffer.from(`${testClient.clientId}:${testClient.clientSecret}`).toString('base64')}`,
      },
      body: new URLSearchParams({ token: details.refreshToken ?? '' }),
    });
    clock.nowMs += hourMs;
    const asked = await tokenRequests(server, async () => {
      for (let index = 0; index < 5; index += 1) {
        const error = await connections.credentials.acquire(acmeKey).catch((caught: unknown) => caught);
        expect(error).toMatchObject({
          code: 'CredentialExpired',
          hint: expect.stringContaining('authsome login acme'),
        });
        clock.nowMs += 10 * 60_000;
      }
    });
    expect(asked).toEqual([400]);
    expect(await statusOf(connections)).toBe('invalid');
    expect((await options.vault.read('connection', acmeKey))?.secrets).toEqual({});
    for (const gone of [secret, details.refreshToken ?? '?'])
      expect(JSON.stringify(events)).not.toContain(gone);
    await signIn(server, connections);
    expect(await server.accepts((await connections.credentials.acquire(acmeKey)).secret)).toBe(true);
  });

  it('of a connection that is not there says how to sign in', async () => {
    const connections = createConnections(openServerFixture(server).options);
    await expect(connections.credentials.acquire(acmeKey)).rejects.toMatchObject({
      code: 'ConnectionNotFound',
      hint: 'Sign in with: authsome login acme',
    });
  });
});

describe('a secret that is shown', () => {
  it('is one that works', async () => {
    const { options, clock } = openServerFixture(server);
    const shown = createConnections(options);
    await signIn(server, shown);
    const old = await shown.read('acme', undefined, { showSecret: true });
    clock.nowMs += hourMs;
    expect((await shown.read('acme', undefined, { showSecret: false })).status).toBe('expired');
    const fresh = await shown.read('acme', undefined, { showSecret: true });
    expect(fresh.accessToken).not.toBe(old.accessToken);
    expect(await server.accepts(fresh.accessToken ?? '')).toBe(true);
    expect(fresh.status).toBe('connected');
    server.broken.add('/token');
    clock.nowMs += hourMs;
    await expect(shown.read('acme', undefined, { showSecret: true })).rejects.toMatchObject({
      code: 'RefreshFailed',
    });
  });
});

describe('after a 401', () => {
  it('is replaced by a newer one, once', async () => {
    const connections = createConnections(openServerFixture(server).options);
    await signIn(server, connections);
    const first = await connections.credentials.acquire(acmeKey);
    const asked = await tokenRequests(server, async () => {
      const renewals = await Promise.all(
        Array.from({ length: 20 }, () => connections.credentials.renew(acmeKey, first)),
      );
      const [second] = renewals;
      expect(second?.secret).not.toBe(first.secret);
      expect(new Set(renewals).size).toBe(1);
      expect(await connections.credentials.renew(acmeKey, first)).toBe(second);
      expect(
        second === undefined ? '' : await connections.credentials.renew(acmeKey, second),
      ).toBeUndefined();
    });
    expect(asked).toEqual([200]);
  });

  it('stays for an API key, which has no successor', async () => {
    const connections = createConnections(openServerFixture(server).options);
    await connections.signIns.start({ provider: 'keys', force: false, apiKey: 'sk-1' });
    const live = await connections.credentials.acquire('keys/default');
    expect(await connections.credentials.renew('keys/default', live)).toBeUndefined();
    expect(connections.credentials.peek('keys/default')).toBe(live);
  });
});
