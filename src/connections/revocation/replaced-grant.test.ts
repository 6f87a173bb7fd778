import { describe, expect, it } from 'vitest';
import { createConnections } from '../connections.ts';
import { landingWith } from '../testing/test-authorization-server.ts';
import { oauthProvider, openFixture } from '../testing/test-fixture.ts';
import { mayShareGrant } from './replaced-grant.ts';

describe('two connections', () => {
  const binding = {
    clientId: 'c',
    issuer: undefined,
    tokenUrl: 'https://id.example/token',
    revocationUrl: 'https://id.example/revoke',
    namedHost: undefined,
  };
  const ada = { binding, account: 'ada' };
  it.each([
    ['the same client and account', ada, true],
    ['the same client, and nobody knows whose account', { binding, account: undefined }, true],
    ['another account', { binding, account: 'bob' }, false],
    ['another client', { binding: { ...binding, clientId: 'd' }, account: 'ada' }, false],
    [
      'another server',
      { binding: { ...binding, tokenUrl: 'https://x.example/token' }, account: 'ada' },
      false,
    ],
    ['a key', { binding: undefined, account: undefined }, false],
  ])('may share a grant or not: %s', (_, other, shared) => {
    expect(mayShareGrant(ada, other)).toBe(shared);
    expect(mayShareGrant(other, ada)).toBe(shared);
  });
});

/** A service whose tokens tell whose they are, and that may be out of reach for revocations. */
function service(reachesRevocation = true) {
  const revoked: (string | null)[] = [];
  /** Client and secret that each of them came with. */
  const revokers: string[] = [];
  let account = 'ada';
  let count = 0;
  let settle: () => void = () => undefined;
  const provider = oauthProvider(
    { account: { url: 'https://id.example/me', field: 'login' } },
    {
      apiKey: {
        headerName: undefined,
        headerPrefix: '',
        queryParam: undefined,
        envVar: undefined,
        keyPattern: undefined,
        keyPatternHint: undefined,
        shapes: [],
      },
    },
  );
  const { options, events } = openFixture([provider], {
    fetchFor: () => async (input, init) => {
      const { pathname } = new URL(String(input));
      const form = new URLSearchParams(String(init?.body ?? ''));
      if (pathname === '/me') return Response.json({ login: account });
      if (pathname === '/revoke') {
        if (!reachesRevocation) throw new TypeError('fetch failed');
        revoked.push(form.get('token'));
        revokers.push(atob(new Headers(init?.headers).get('authorization')?.slice('Basic '.length) ?? ''));
        return new Response('');
      }
      count += 1;
      return Response.json({ access_token: `at-${count}`, refresh_token: `rt-${count}`, expires_in: 3600 });
    },
  });
  const notified = options.notify;
  const connections = createConnections({
    ...options,
    notify: (event) => {
      notified(event);
      if (event.event === 'connection.replaced') settle();
    },
  });
  const signIn = async (who: string, connection = 'default', clientId = 'c') => {
    account = who;
    const { id } = await connections.signIns.start({
      provider: 'acme',
      connection,
      force: true,
      clientId,
      clientSecret: `secret-of-${clientId}`,
    });
    const { state = '' } = (await options.vault.read('auth-session', id))?.secrets ?? {};
    const ended = await connections.signIns.callback(landingWith({ state, code: 'code' }));
    expect(ended).toMatchObject({ status: 'connected', granted: { account: who } });
  };
  /** What the audit trail records of the grant that `work` replaces. */
  const recorded = async (work: () => Promise<unknown>) => {
    const settled = new Promise<void>((resolve) => {
      settle = resolve;
    });
    await work();
    await settled;
    return events.at(-1);
  };
  return { connections, events, revoked, revokers, signIn, recorded };
}

describe('a grant that a sign-in has replaced', () => {
  const left = 'the earlier grant was not revoked: it may be shared with acme';

  it('is revoked when the new one is of another account: refresh token first, and nothing of the new', async () => {
    const { connections, revoked, signIn, recorded } = service();
    await signIn('ada');
    const event = await recorded(() => signIn('bob'));
    expect(event).toEqual({
      event: 'connection.replaced',
      provider: 'acme',
      connection: 'default',
      outcome: 'ok',
      detail: 'the earlier grant, at the provider: revoked',
    });
    expect(revoked).toEqual(['rt-1', 'at-1']);
    expect((await connections.credentials.acquire('acme/default')).secret).toBe('at-2');
  });

  it('is left where the new one may be the same grant', async () => {
    const { connections, revoked, signIn, recorded } = service();
    await signIn('ada');
    expect(await recorded(() => signIn('ada'))).toMatchObject({ detail: `${left}/default` });
    expect(revoked).toEqual([]);
    expect((await connections.credentials.acquire('acme/default')).secret).toBe('at-2');
  });

  it('is left where another connection may live on it', async () => {
    const { revoked, signIn, recorded } = service();
    await signIn('ada');
    await signIn('ada', 'work');
    expect(await recorded(() => signIn('bob'))).toMatchObject({ detail: `${left}/work` });
    expect(revoked).toEqual([]);
  });

  it('is revoked when the client is another one, and when a key takes its place', async () => {
    const { connections, revoked, revokers, signIn, recorded } = service();
    await signIn('ada');
    await recorded(() => signIn('ada', 'default', 'another'));
    expect(revoked).toEqual(['rt-1', 'at-1']);
    expect(revokers).toEqual(['c:secret-of-c', 'c:secret-of-c']);
    const withKey = { provider: 'acme', flow: 'api_key', force: true, apiKey: 'a-key-0123456789' };
    await recorded(() => connections.signIns.start(withKey));
    expect(revoked).toEqual(['rt-1', 'at-1', 'rt-2', 'at-2']);
    expect((await connections.credentials.acquire('acme/default')).secret).toBe('a-key-0123456789');
  });

  it('costs nothing where the provider is unreachable, and is reported', async () => {
    const { connections, signIn, recorded } = service(false);
    await signIn('ada');
    expect(await recorded(() => signIn('bob'))).toMatchObject({
      detail: 'the earlier grant, at the provider: unreachable',
    });
    expect((await connections.credentials.acquire('acme/default')).secret).toBe('at-2');
  });

  it('is not there for a connection that was revoked before', async () => {
    const { connections, events, revoked, signIn } = service();
    await signIn('ada');
    await connections.revoke('acme');
    const before = revoked.length;
    await signIn('bob');
    await connections.close();
    expect(revoked).toHaveLength(before);
    expect(events.map(({ event }) => event)).not.toContain('connection.replaced');
  });

  it('is revoked before a daemon that stops has stopped', async () => {
    const { connections, revoked, signIn } = service();
    await signIn('ada');
    await signIn('bob');
    await connections.close();
    expect(revoked).toEqual(['rt-1', 'at-1']);
  });
});
