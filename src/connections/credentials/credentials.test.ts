import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { AuthsomeError } from '../../errors.ts';
import { openStorage, type Storage } from '../../storage/index.ts';
import { openVault, type Vault } from '../../vault/index.ts';
import { type Connections, createConnections } from '../connections.ts';
import {
  startAuthorizationServer,
  type TestAuthorizationServer,
  testClient,
  testRedirectUri,
} from '../testing/test-authorization-server.ts';
import { keyProvider, memoryVault, oauthProvider, type TestBench, testBench } from '../testing/test-bench.ts';
import type { LiveCredential } from './credential.ts';

const key = 'acme/default';
const hourMs = 3_600_000;

let server: TestAuthorizationServer;
beforeAll(async () => {
  server = await startAuthorizationServer();
});
afterAll(() => server.close());
beforeEach(() => {
  server.broken.clear();
});

function bench(overrides: Parameters<typeof testBench>[1] = {}): TestBench {
  return testBench([oauthProvider(server.oauth), keyProvider()], {
    fetchFor: () => fetch,
    redirectUri: testRedirectUri,
    ...overrides,
  });
}

async function signIn(connections: Connections, connection = 'default', force = false): Promise<void> {
  const asked = await connections.signIns.start({ provider: 'acme', connection, force });
  const { authUrl } =
    asked.asksFor === 'client' ? await connections.signIns.submitClient(asked.id, testClient) : asked;
  const landed = await server.approve(authUrl ?? '');
  const { status } = await connections.signIns.callback(landed.searchParams);
  if (status !== 'connected') throw new Error(`the sign-in ended as ${status}`);
}

/** Token requests that reached the server while `work` ran. */
async function tokenRequests(work: () => Promise<unknown>): Promise<readonly number[]> {
  const before = server.requests.length;
  await work();
  return server.requests.slice(before).flatMap(({ path, status }) => (path === '/token' ? [status] : []));
}

async function statusOf(connections: Connections): Promise<string | undefined> {
  return (await connections.summaries('acme'))[0]?.status;
}

/** Until the refresh in the background has changed what `peek` gives. */
async function changedFrom(connections: Connections, old: LiveCredential): Promise<LiveCredential> {
  for (;;) {
    const now = connections.credentials.peek(key);
    if (now !== undefined && now !== old) return now;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

describe('a live credential', () => {
  test('is one object until it changes, without a look into the vault', async () => {
    const vault = memoryVault();
    let reads = 0;
    const counted: Vault = {
      ...vault,
      read: (kind, name) => {
        reads += 1;
        return vault.read(kind, name);
      },
    };
    const { options } = bench({ vault: counted });
    const connections = createConnections(options);
    await signIn(connections);
    expect(connections.credentials.peek(key)).toBeUndefined();
    const live = await connections.credentials.acquire(key);
    reads = 0;
    expect(connections.credentials.peek(key)).toBe(live);
    expect(await connections.credentials.acquire(key)).toBe(live);
    expect(reads).toBe(0);
  });

  test('is refreshed in the background from 300 s before its end, while the old one goes on working', async () => {
    const { options, clock, events } = bench();
    const connections = createConnections(options);
    await signIn(connections);
    const old = await connections.credentials.acquire(key);
    clock.nowMs += hourMs - 305_000;
    expect(await tokenRequests(async () => connections.credentials.peek(key))).toEqual([]);
    clock.nowMs += 6_000;
    const asked = await tokenRequests(async () => {
      for (let index = 0; index < 20; index += 1) expect(connections.credentials.peek(key)).toBe(old);
      expect(await connections.credentials.acquire(key)).toBe(old);
      const fresh = await changedFrom(connections, old);
      expect(fresh.secret).not.toBe(old.secret);
      expect(await server.accepts(fresh.secret)).toBe(true);
    });
    expect(asked).toEqual([200]);
    expect(events.filter(({ event }) => event === 'token.refreshed')).toHaveLength(1);
  });

  test('is no longer given out a minute before its end', async () => {
    const { options, clock } = bench();
    const connections = createConnections(options);
    await signIn(connections);
    const old = await connections.credentials.acquire(key);
    clock.nowMs += hourMs - 59_000;
    expect(connections.credentials.peek(key)).toBeUndefined();
    expect((await connections.credentials.acquire(key)).secret).not.toBe(old.secret);
  });

  test('serves on to its real end when the provider has a problem, and nobody hammers the provider', async () => {
    const { options, clock } = bench();
    const connections = createConnections(options);
    await signIn(connections);
    const old = await connections.credentials.acquire(key);
    server.broken.add('/token');
    clock.nowMs += hourMs - 30_000;
    const asked = await tokenRequests(async () => {
      const lives = await Promise.all(Array.from({ length: 10 }, () => connections.credentials.acquire(key)));
      expect(new Set(lives)).toEqual(new Set([old]));
      for (let index = 0; index < 10; index += 1)
        expect(await connections.credentials.acquire(key)).toBe(old);
    });
    expect(asked).toEqual([503]);
    clock.nowMs += 31_000;
    await expect(connections.credentials.acquire(key)).rejects.toMatchObject({ code: 'RefreshFailed' });
    expect(await statusOf(connections)).toBe('expired');
    server.broken.clear();
    clock.nowMs += 60_000;
    expect((await connections.credentials.acquire(key)).secret).not.toBe(old.secret);
    expect(await statusOf(connections)).toBe('connected');
  });

  test('that died at the provider is invalid: asked for once, and never again', async () => {
    const { options, clock, events } = bench();
    const connections = createConnections(options);
    await signIn(connections);
    const { secret } = await connections.credentials.acquire(key);
    const details = await connections.read('acme', undefined, { showSecret: true });
    await fetch(`${server.issuer}/token/revocation`, {
      method: 'POST',
      headers: {
        authorization: `Basic ${Buffer.from(`${testClient.clientId}:${testClient.clientSecret}`).toString('base64')}`,
      },
      body: new URLSearchParams({ token: details.refreshToken ?? '' }),
    });
    clock.nowMs += hourMs;
    const asked = await tokenRequests(async () => {
      for (let index = 0; index < 5; index += 1) {
        const error = await connections.credentials.acquire(key).catch((caught: unknown) => caught);
        expect(error).toMatchObject({
          code: 'CredentialExpired',
          hint: expect.stringContaining('authsome login acme'),
        });
        clock.nowMs += 10 * 60_000;
      }
    });
    expect(asked).toEqual([400]);
    expect(await statusOf(connections)).toBe('invalid');
    expect((await options.vault.read('connection', key))?.secrets).toEqual({});
    for (const gone of [secret, details.refreshToken ?? '?'])
      expect(JSON.stringify(events)).not.toContain(gone);
    await signIn(connections);
    expect(await server.accepts((await connections.credentials.acquire(key)).secret)).toBe(true);
  });

  test('of a connection that is not there says how to sign in', async () => {
    const connections = createConnections(bench().options);
    await expect(connections.credentials.acquire(key)).rejects.toMatchObject({
      code: 'ConnectionNotFound',
      hint: 'Sign in with: authsome login acme',
    });
  });
});

describe('a refresh that nobody asked for', () => {
  /** A provider that answers when it is told to, with a vault that may refuse to write. */
  async function signedIn() {
    const vault = memoryVault();
    const state = { full: false, asked: 0, respond: async (): Promise<Response | undefined> => undefined };
    const { options, clock, events } = bench({
      vault: {
        ...vault,
        write: (record, expected) =>
          state.full && record.kind === 'connection'
            ? Promise.reject(new AuthsomeError('StorageFull', 'no space left'))
            : vault.write(record, expected),
      },
      fetchFor: () => async (input, init) => {
        if (!String(input).endsWith('/token')) return await fetch(input, init);
        state.asked += 1;
        const response = await fetch(input, init);
        return (await state.respond()) ?? response;
      },
      pause: () => new Promise((resolve) => setTimeout(resolve, 5).unref()),
    });
    const connections = createConnections(options);
    await signIn(connections);
    state.asked = 0;
    return { connections, options, clock, events, state };
  }

  const until = async (holds: () => boolean): Promise<void> => {
    while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5));
  };

  test('comes 300 s before the end, and backs off for up to an hour while the provider is away', async () => {
    const { connections, clock, events, state } = await signedIn();
    await connections.start();
    state.respond = async () => new Response('<html>maintenance</html>', { status: 503 });
    clock.nowMs += hourMs - 299_000;
    const failures = () => events.filter(({ event }) => event === 'token.refresh_failed').length;
    for (let count = 1; count <= 14; count += 1) {
      await until(() => failures() === count);
      const pauseMs = Math.min(1_000 * 2 ** (count - 1), hourMs);
      clock.nowMs += pauseMs - 1;
      await new Promise((resolve) => setTimeout(resolve, 20));
      expect([failures(), state.asked]).toEqual([count, count]);
      clock.nowMs += 1;
    }
    await connections.close();
  });

  test('keeps what the provider answered while the vault cannot take it, and stores it later', async () => {
    const { connections, options, clock, state } = await signedIn();
    const old = await connections.credentials.acquire(key);
    clock.nowMs += hourMs - 30_000;
    state.full = true;
    expect(await connections.credentials.acquire(key)).toBe(old);
    expect(state.asked).toBe(1);
    clock.nowMs += 31_000;
    await expect(connections.credentials.acquire(key)).rejects.toMatchObject({ code: 'StorageFull' });
    state.full = false;
    clock.nowMs += 60_000;
    const live = await connections.credentials.acquire(key);
    expect(state.asked).toBe(1);
    expect(await server.accepts(live.secret)).toBe(true);
    clock.nowMs += hourMs;
    // Not even the refresh token was lost.
    await createConnections(options).credentials.acquire(key);
    expect(state.asked).toBe(2);
    expect(await statusOf(connections)).toBe('connected');
  });

  test('that is under way when the daemon stops is stored before it does', async () => {
    const { connections, options, clock, state } = await signedIn();
    let answer: () => void = () => undefined;
    state.respond = () =>
      new Promise((resolve) => {
        answer = () => resolve(undefined);
      });
    await connections.start();
    clock.nowMs += hourMs;
    await until(() => state.asked === 1);
    let isClosed = false;
    const closed = connections.close().then(() => {
      isClosed = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(isClosed).toBe(false);
    answer();
    await closed;
    const next = createConnections(options);
    expect(await server.accepts((await next.credentials.acquire(key)).secret)).toBe(true);
    expect(state.asked).toBe(1);
  });

  test('waits no longer when the clock was set back', async () => {
    const { connections, clock } = await signedIn();
    clock.nowMs += hourMs;
    server.broken.add('/token');
    await expect(connections.credentials.acquire(key)).rejects.toMatchObject({ code: 'RefreshFailed' });
    server.broken.clear();
    await expect(connections.credentials.acquire(key)).rejects.toMatchObject({ code: 'RefreshFailed' });
    clock.nowMs -= 500;
    expect(await server.accepts((await connections.credentials.acquire(key)).secret)).toBe(true);
  });
});

describe('a secret that is shown', () => {
  test('is one that works', async () => {
    const { options, clock } = bench();
    const shown = createConnections(options);
    await signIn(shown);
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
  test('is replaced by a newer one, once', async () => {
    const connections = createConnections(bench().options);
    await signIn(connections);
    const first = await connections.credentials.acquire(key);
    const asked = await tokenRequests(async () => {
      const renewals = await Promise.all(
        Array.from({ length: 20 }, () => connections.credentials.renew(key, first)),
      );
      const [second] = renewals;
      expect(second?.secret).not.toBe(first.secret);
      expect(new Set(renewals).size).toBe(1);
      expect(await connections.credentials.renew(key, first)).toBe(second);
      expect(second === undefined ? '' : await connections.credentials.renew(key, second)).toBeUndefined();
    });
    expect(asked).toEqual([200]);
  });

  test('stays for an API key, which has no successor', async () => {
    const connections = createConnections(bench().options);
    await connections.signIns.start({ provider: 'keys', force: false, apiKey: 'sk-1' });
    const live = await connections.credentials.acquire('keys/default');
    expect(await connections.credentials.renew('keys/default', live)).toBeUndefined();
    expect(connections.credentials.peek('keys/default')).toBe(live);
  });
});

describe('revoking', () => {
  test('takes effect at once here, and at the provider', async () => {
    const { options, events } = bench();
    const connections = createConnections(options);
    await signIn(connections);
    await signIn(connections, 'work');
    const live = await connections.credentials.acquire(key);
    const seen: unknown[] = [];
    connections.onChange(({ connection, kind }) =>
      seen.push([kind, connection, connections.credentials.peek(key)]),
    );
    const report = await connections.revoke('acme');
    expect(seen).toContainEqual(['revoked', key, undefined]);
    expect(report).toEqual({
      provider: 'acme',
      connections: ['default', 'work'],
      remote: { default: 'revoked', work: 'revoked' },
      clientCleared: true,
    });
    expect(await server.accepts(live.secret)).toBe(false);
    expect(await connections.credentials.renew(key, live)).toBeUndefined();
    await expect(connections.credentials.acquire(key)).rejects.toMatchObject({ code: 'CredentialMissing' });
    expect(await statusOf(connections)).toBe('revoked');
    expect((await options.vault.read('connection', key))?.secrets).toEqual({});
    expect(await options.vault.list('client')).toEqual([]);
    expect(events.filter(({ event }) => event === 'connection.revoked')).toHaveLength(2);
    await signIn(connections);
  });

  test('clears here even when the provider cannot be reached', async () => {
    const connections = createConnections(bench().options);
    await signIn(connections);
    server.broken.add('/token/revocation');
    expect((await connections.revoke('acme')).remote).toEqual({ default: 'unreachable' });
    await expect(connections.credentials.acquire(key)).rejects.toMatchObject({ code: 'CredentialMissing' });
  });

  test('a logout forgets one connection, and tells the provider', async () => {
    const connections = createConnections(bench().options);
    await signIn(connections);
    await signIn(connections, 'work');
    const { secret } = await connections.credentials.acquire('acme/work');
    await connections.logout('acme', 'work');
    expect(connections.credentials.peek('acme/work')).toBeUndefined();
    expect(await server.accepts(secret)).toBe(false);
    expect((await connections.summaries()).map(({ name }) => name)).toEqual(['default']);
    expect(await server.accepts((await connections.credentials.acquire(key)).secret)).toBe(true);
    await expect(connections.logout('acme', 'work')).rejects.toMatchObject({ code: 'ConnectionNotFound' });
  });
});

describe('daemons that share a database', () => {
  let directory: string;
  const storages: Storage[] = [];
  const masterKey = randomBytes(32);

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'authsome-connections-'));
  });
  afterEach(async () => {
    for (const storage of storages.splice(0)) await storage.close();
    rmSync(directory, { recursive: true });
  });

  async function vaultOnDisk(): Promise<Vault> {
    const storage = await openStorage(join(directory, 'authsome.db'));
    storages.push(storage);
    return await openVault({ storage, masterKey, vaultId: 'vault', randomBytes, nowMs: Date.now });
  }

  test('refresh once, however many ask at the moment of expiry', async () => {
    const { options, clock } = bench({ vault: await vaultOnDisk() });
    const first = createConnections(options);
    await signIn(first);
    const others = await Promise.all(
      Array.from({ length: 4 }, async () => createConnections({ ...options, vault: await vaultOnDisk() })),
    );
    const daemons = [first, ...others];
    for (const daemon of daemons) await daemon.credentials.acquire(key);
    clock.nowMs += hourMs;
    const asked = await tokenRequests(async () => {
      const lives = await Promise.all(
        Array.from({ length: 50 }, (_, index) => daemons[index % daemons.length]?.credentials.acquire(key)),
      );
      const secrets = new Set(lives.map((live) => live?.secret));
      expect(secrets.size).toBe(1);
      expect(await server.accepts([...secrets][0] ?? '')).toBe(true);
    });
    expect(asked).toEqual([200]);

    clock.nowMs += hourMs;
    const again = await tokenRequests(() =>
      Promise.all(daemons.map((daemon) => daemon.credentials.acquire(key))),
    );
    expect(again).toEqual([200]);
    expect(await statusOf(first)).toBe('connected');
  });

  test('keep a revocation that came while a refresh was under way', async () => {
    const { options, clock } = bench({ vault: await vaultOnDisk() });
    const refreshing = createConnections(options);
    await signIn(refreshing);
    const revoking = createConnections({ ...options, vault: await vaultOnDisk() });
    clock.nowMs += hourMs;
    const [, report] = await Promise.all([
      refreshing.credentials.acquire(key).catch(() => undefined),
      revoking.revoke('acme'),
    ]);
    expect(report.remote).toEqual({ default: 'revoked' });
    expect(await statusOf(revoking)).toBe('revoked');
    expect((await options.vault.read('connection', key))?.secrets).toEqual({});
  });
});

describe('a refresh', () => {
  const answers: Response[] = [];
  let asked = 0;
  const answering = async (): Promise<Response> => {
    asked += 1;
    const next = answers.shift();
    if (next === undefined) throw new Error('no answer left');
    return next;
  };

  async function connected(tokens: object) {
    answers.splice(0, answers.length, Response.json(tokens));
    const prepared = testBench([oauthProvider({ authorizationUrl: `${server.issuer}/auth` })], {
      fetchFor: () => answering,
    });
    const connections = createConnections(prepared.options);
    const { id } = await connections.signIns.start({ provider: 'acme', force: false });
    const { authUrl } = await connections.signIns.submitClient(id, testClient);
    const state = new URL(authUrl ?? '').searchParams.get('state') ?? '';
    await connections.signIns.callback(new URLSearchParams({ state, code: 'c' }));
    asked = 0;
    return { ...prepared, connections };
  }

  test('keeps the old refresh token when none comes back', async () => {
    const { connections, clock } = await connected({
      access_token: 'a1',
      refresh_token: 'r1',
      expires_in: 3600,
    });
    clock.nowMs += hourMs;
    answers.push(Response.json({ access_token: 'a2', expires_in: 3600 }));
    expect((await connections.credentials.acquire(key)).secret).toBe('a2');
    const { refreshToken } = await connections.read('acme', undefined, { showSecret: true });
    expect(refreshToken).toBe('r1');
  });

  test('without an expiry happens after a 401 only', async () => {
    const { connections, clock } = await connected({ access_token: 'a1', refresh_token: 'r1' });
    clock.nowMs += 1000 * hourMs;
    const live = await connections.credentials.acquire(key);
    expect([live.secret, asked]).toEqual(['a1', 0]);
    answers.push(Response.json({ access_token: 'a2' }));
    expect((await connections.credentials.renew(key, live))?.secret).toBe('a2');
  });

  test('is not tried without a refresh token', async () => {
    const { connections, clock } = await connected({ access_token: 'a1', expires_in: 3600 });
    await connections.credentials.acquire(key);
    clock.nowMs += hourMs;
    await expect(connections.credentials.acquire(key)).rejects.toMatchObject({ code: 'CredentialExpired' });
    expect([await statusOf(connections), asked]).toEqual(['expired', 0]);
  });

  test('of a token that lives for a minute waits for half its life', async () => {
    const { connections, clock } = await connected({
      access_token: 'a1',
      refresh_token: 'r1',
      expires_in: 60,
    });
    clock.nowMs += 20_000;
    expect((await connections.credentials.acquire(key)).secret).toBe('a1');
    expect(asked).toBe(0);
  });

  test('that is refused for the client leaves the grant alone and names the mending commands', async () => {
    const { connections, clock } = await connected({
      access_token: 'a1',
      refresh_token: 'r1',
      expires_in: 3600,
    });
    clock.nowMs += hourMs;
    answers.push(Response.json({ error: 'invalid_client' }, { status: 401 }));
    await expect(connections.credentials.acquire(key)).rejects.toMatchObject({
      code: 'RefreshFailed',
      hint: expect.stringMatching(/authsome revoke acme\nauthsome login acme$/),
    });
    expect(await statusOf(connections)).toBe('expired');
  });

  test('goes nowhere when the definition now names another token endpoint', async () => {
    const { connections, clock, options } = await connected({
      access_token: 'a1',
      refresh_token: 'r1',
      expires_in: 3600,
    });
    clock.nowMs += hourMs;
    const hosts: string[] = [];
    const elsewhere = oauthProvider({ tokenUrl: 'https://evil.example/token' });
    const moved = createConnections({
      ...options,
      catalog: {
        find: () => elsewhere,
        resolve: () => elsewhere,
        add: options.catalog.add,
      },
      fetchFor: () => async (url) => {
        hosts.push(new URL(String(url)).host);
        return Response.json({ error: 'temporarily_unavailable' }, { status: 503 });
      },
    });
    await expect(moved.credentials.acquire(key)).rejects.toMatchObject({ code: 'RefreshFailed' });
    expect(hosts).toEqual(['id.example']);
    expect(connections).toBeDefined();
  });
});
