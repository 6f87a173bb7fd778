import { setImmediate as turn } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { AuthsomeError } from '../../errors.ts';
import { createConnections } from '../connections.ts';
import {
  landingWith,
  startAuthorizationServer,
  type TestAuthorizationServer,
  testClient,
} from '../testing/test-authorization-server.ts';
import { memoryVault, oauthProvider, openFixture } from '../testing/test-fixture.ts';
import { acmeKey, openServerFixture, signIn, statusOf } from '../testing/test-sign-in.ts';

const hourMs = 3_600_000;

let server: TestAuthorizationServer;
beforeAll(async () => {
  server = await startAuthorizationServer();
});
afterAll(() => server.close());
beforeEach(() => {
  server.broken.clear();
});

it('records that a token response had another type than JSON, at the sign-in and at a refresh', async () => {
  let type = 'text/plain';
  const { options, clock, events } = openServerFixture(server, {
    fetchFor: () => async (input, init) => {
      const response = await fetch(input, init);
      if (!String(input).endsWith('/token')) return response;
      return new Response(response.body, { status: response.status, headers: { 'content-type': type } });
    },
  });
  const connections = createConnections(options);
  const detailOf = (name: string) => events.findLast(({ event }) => event === name)?.detail;
  const remark = 'the token endpoint answered with text/plain, not application/json';
  await signIn(server, connections);
  expect(detailOf('sign_in.completed')).toBe(`flow pkce; ${remark}`);
  clock.nowMs += hourMs;
  await connections.credentials.acquire(acmeKey);
  expect(detailOf('token.refreshed')).toBe(remark);
  type = 'application/json';
  clock.nowMs += hourMs;
  await connections.credentials.acquire(acmeKey);
  expect(events.at(-1)).toMatchObject({ event: 'token.refreshed', outcome: 'ok' });
  expect(detailOf('token.refreshed')).toBeUndefined();
});

describe('a refresh that nobody asked for', () => {
  /** A provider that responds on command, with a vault that may refuse to write. */
  async function signedIn() {
    const vault = memoryVault();
    const state = {
      full: false,
      asked: 0,
      pauses: 0,
      respond: async (): Promise<Response | undefined> => undefined,
    };
    const { options, clock, events } = openServerFixture(server, {
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
      pause: async () => {
        state.pauses += 1;
        await turn();
      },
    });
    const connections = createConnections(options);
    await signIn(server, connections);
    state.asked = 0;
    return { connections, options, clock, events, state };
  }

  const until = async (holds: () => boolean): Promise<void> => {
    while (!holds()) await turn();
  };

  it('comes 300 s before the end, and backs off for up to an hour while the provider is away', async () => {
    const { connections, clock, events, state } = await signedIn();
    await connections.start();
    state.respond = async () => new Response('<html>maintenance</html>', { status: 503 });
    clock.nowMs += hourMs - 299_000;
    const failures = () => events.filter(({ event }) => event === 'token.refresh_failed').length;
    for (let count = 1; count <= 14; count += 1) {
      await until(() => failures() === count);
      const pauseMs = Math.min(1_000 * 2 ** (count - 1), hourMs);
      clock.nowMs += pauseMs - 1;
      const { pauses } = state;
      await until(() => state.pauses >= pauses + 3);
      expect([failures(), state.asked]).toEqual([count, count]);
      clock.nowMs += 1;
    }
    await connections.close();
  });

  it('keeps what the provider granted while the vault cannot take it, and stores it later', async () => {
    const { connections, options, clock, state } = await signedIn();
    const old = await connections.credentials.acquire(acmeKey);
    clock.nowMs += hourMs - 30_000;
    state.full = true;
    expect(await connections.credentials.acquire(acmeKey)).toBe(old);
    expect(state.asked).toBe(1);
    clock.nowMs += 31_000;
    await expect(connections.credentials.acquire(acmeKey)).rejects.toMatchObject({ code: 'StorageFull' });
    state.full = false;
    clock.nowMs += 60_000;
    const live = await connections.credentials.acquire(acmeKey);
    expect(state.asked).toBe(1);
    expect(await server.accepts(live.secret)).toBe(true);
    clock.nowMs += hourMs;
    // Not even the refresh token was lost.
    await createConnections(options).credentials.acquire(acmeKey);
    expect(state.asked).toBe(2);
    expect(await statusOf(connections)).toBe('connected');
  });

  it('is stored before an approval of hosts writes over the version that it came from', async () => {
    const { connections, options, clock, state } = await signedIn();
    await connections.credentials.acquire(acmeKey);
    clock.nowMs += hourMs - 30_000;
    state.full = true;
    await connections.credentials.acquire(acmeKey);
    state.full = false;
    clock.nowMs += 61_000;
    await connections.approveHosts('acme', undefined, []);
    expect(state.asked).toBe(1);
    clock.nowMs += hourMs;
    const next = createConnections(options);
    expect(await server.accepts((await next.credentials.acquire(acmeKey)).secret)).toBe(true);
    expect(state.asked).toBe(2);
  });

  it('that is under way when the daemon stops is stored before it does', async () => {
    const { connections, options, clock, state } = await signedIn();
    let answer: (() => void) | undefined;
    state.respond = () =>
      new Promise((resolve) => {
        answer = () => resolve(undefined);
      });
    await connections.start();
    clock.nowMs += hourMs;
    await until(() => answer !== undefined);
    let isClosed = false;
    const closed = connections.close().then(() => {
      isClosed = true;
    });
    for (let turns = 0; turns < 20; turns += 1) await turn();
    expect(isClosed).toBe(false);
    answer?.();
    await closed;
    const next = createConnections(options);
    expect(await server.accepts((await next.credentials.acquire(acmeKey)).secret)).toBe(true);
    expect(state.asked).toBe(1);
  });

  it('waits no longer when the clock was set back', async () => {
    const { connections, clock } = await signedIn();
    clock.nowMs += hourMs;
    server.broken.add('/token');
    await expect(connections.credentials.acquire(acmeKey)).rejects.toMatchObject({ code: 'RefreshFailed' });
    server.broken.clear();
    await expect(connections.credentials.acquire(acmeKey)).rejects.toMatchObject({ code: 'RefreshFailed' });
    clock.nowMs -= 500;
    expect(await server.accepts((await connections.credentials.acquire(acmeKey)).secret)).toBe(true);
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
    const prepared = openFixture([oauthProvider({ authorizationUrl: `${server.issuer}/auth` })], {
      fetchFor: () => answering,
    });
    const connections = createConnections(prepared.options);
    const { id } = await connections.signIns.start({ provider: 'acme', force: false });
    const { providerUrl } = await connections.signIns.submitClient(id, testClient);
    const state = new URL(providerUrl ?? '').searchParams.get('state') ?? '';
    await connections.signIns.callback(landingWith({ state, code: 'c' }));
    asked = 0;
    return { ...prepared, connections };
  }

  it('keeps the old refresh token when none comes back', async () => {
    const { connections, clock } = await connected({
      access_token: 'a1',
      refresh_token: 'r1',
      expires_in: 3600,
    });
    clock.nowMs += hourMs;
    answers.push(Response.json({ access_token: 'a2', expires_in: 3600 }));
    expect((await connections.credentials.acquire(acmeKey)).secret).toBe('a2');
    const { refreshToken } = await connections.read('acme', undefined, { showSecret: true });
    expect(refreshToken).toBe('r1');
  });

  it('without an expiry happens after a 401 only', async () => {
    const { connections, clock } = await connected({ access_token: 'a1', refresh_token: 'r1' });
    clock.nowMs += 1000 * hourMs;
    const live = await connections.credentials.acquire(acmeKey);
    expect([live.secret, asked]).toEqual(['a1', 0]);
    answers.push(Response.json({ access_token: 'a2' }));
    expect((await connections.credentials.renew(acmeKey, live))?.secret).toBe('a2');
  });

  it('is not tried again before the provider wants that, used or not', async () => {
    const { connections, clock } = await connected({
      access_token: 'a1',
      refresh_token: 'r1',
      expires_in: 3600,
    });
    clock.nowMs += hourMs;
    const busy = { status: 429, headers: { 'retry-after': '300' } };
    answers.push(Response.json({ error: 'too_many_requests' }, busy));
    const failure = { code: 'RefreshFailed', hint: expect.stringContaining('try again in 300 s') };
    await expect(connections.credentials.acquire(acmeKey)).rejects.toMatchObject(failure);
    clock.nowMs += 299_999;
    await expect(connections.credentials.acquire(acmeKey)).rejects.toMatchObject(failure);
    expect(asked).toBe(1);
    clock.nowMs += 1;
    answers.push(Response.json({ access_token: 'a2', expires_in: 3600 }));
    expect((await connections.credentials.acquire(acmeKey)).secret).toBe('a2');
    // A response without it counts by itself.
    clock.nowMs += hourMs;
    answers.push(new Response('', { status: 503 }));
    await expect(connections.credentials.acquire(acmeKey)).rejects.toMatchObject({ code: 'RefreshFailed' });
    clock.nowMs += 1_000;
    answers.push(Response.json({ access_token: 'a3', expires_in: 3600 }));
    expect((await connections.credentials.acquire(acmeKey)).secret).toBe('a3');
  });

  it('is not tried without a refresh token', async () => {
    const { connections, clock } = await connected({ access_token: 'a1', expires_in: 3600 });
    await connections.credentials.acquire(acmeKey);
    clock.nowMs += hourMs;
    await expect(connections.credentials.acquire(acmeKey)).rejects.toMatchObject({
      code: 'CredentialExpired',
    });
    expect([await statusOf(connections), asked]).toEqual(['expired', 0]);
  });

  it('of a token that lives for a minute waits for half its life', async () => {
    const { connections, clock } = await connected({
      access_token: 'a1',
      refresh_token: 'r1',
      expires_in: 60,
    });
    clock.nowMs += 20_000;
    expect((await connections.credentials.acquire(acmeKey)).secret).toBe('a1');
    expect(asked).toBe(0);
  });

  it('that is refused for the client leaves the grant alone and names the commands that fix it', async () => {
    const { connections, clock } = await connected({
      access_token: 'a1',
      refresh_token: 'r1',
      expires_in: 3600,
    });
    clock.nowMs += hourMs;
    answers.push(Response.json({ error: 'invalid_client' }, { status: 401 }));
    await expect(connections.credentials.acquire(acmeKey)).rejects.toMatchObject({
      code: 'RefreshFailed',
      hint: expect.stringMatching(/authsome revoke acme\nauthsome login acme$/),
    });
    expect(await statusOf(connections)).toBe('expired');
  });

  it('goes nowhere when the definition now names another token endpoint', async () => {
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
        list: () => [elsewhere],
        add: options.catalog.add,
      },
      fetchFor: () => async (url) => {
        hosts.push(new URL(String(url)).host);
        return Response.json({ error: 'temporarily_unavailable' }, { status: 503 });
      },
    });
    await expect(moved.credentials.acquire(acmeKey)).rejects.toMatchObject({ code: 'RefreshFailed' });
    expect(hosts).toEqual(['id.example']);
    expect(connections).toBeDefined();
  });
});
