import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Connections, createConnections } from '../../connections.ts';
import {
  deviceClient,
  machineClient,
  startAuthorizationServer,
  type TestAuthorizationServer,
  testRedirectUri,
  testResource,
} from '../../testing/test-authorization-server.ts';
import { oauthProvider, type TestBench, testBench } from '../../testing/test-bench.ts';

let server: TestAuthorizationServer;
beforeAll(async () => {
  server = await startAuthorizationServer();
});
afterAll(() => server.close());

const pauses: number[] = [];

function bench(
  provider: Parameters<typeof oauthProvider>,
  overrides: Parameters<typeof testBench>[1] = {},
): TestBench {
  pauses.length = 0;
  return testBench([oauthProvider({ ...server.oauth, ...provider[0] }, provider[1])], {
    fetchFor: () => fetch,
    redirectUri: testRedirectUri,
    pause: async (ms) => {
      pauses.push(ms);
      await new Promise((resolve) => setTimeout(resolve, 5));
    },
    ...overrides,
  });
}

async function ended(connections: Connections, id: string) {
  let session = await connections.signIns.read(id);
  while (session.status === 'waiting') {
    session = await connections.signIns.waitForChange(id, session.revision, 5_000);
  }
  return session;
}

describe('the device flow', () => {
  const device = [{ supportsDeviceCode: true }, { flow: 'device_code' }] as const;

  test('shows the code, polls until it is entered, and refreshes like any other', async () => {
    const { options, clock } = bench([...device]);
    const connections = createConnections(options);
    const asked = await connections.signIns.start({ provider: 'acme', force: false });
    expect(asked.asksFor).toBe('client');
    const session = await connections.signIns.submitClient(asked.id, deviceClient);
    expect(session).toMatchObject({
      status: 'waiting',
      asksFor: undefined,
      userCode: expect.stringMatching(/^\S{4,}$/),
      verificationUri: `${server.issuer}/device`,
      authUrl: expect.stringContaining(`${server.issuer}/device?user_code=`),
    });
    await server.approveDevice(session.authUrl ?? '');
    expect(await ended(connections, session.id)).toMatchObject({ status: 'connected' });
    expect(new Set(pauses)).toEqual(new Set([5_000]));
    const old = await connections.credentials.acquire('acme/default');
    clock.nowMs += 3_600_000;
    const fresh = await connections.credentials.acquire('acme/default');
    expect(fresh.secret).not.toBe(old.secret);
    expect(await server.accepts(fresh.secret)).toBe(true);
  });

  test('goes on after a restart of the daemon', async () => {
    const { options } = bench([...device]);
    const died = createConnections({ ...options, pause: () => new Promise(() => undefined) });
    const { id } = await died.signIns.start({ provider: 'acme', force: false });
    const { authUrl } = await died.signIns.submitClient(id, deviceClient);
    await server.approveDevice(authUrl ?? '');
    const restarted = createConnections(options);
    await restarted.signIns.resume();
    expect(await ended(restarted, id)).toMatchObject({ status: 'connected' });
  });

  const authorization = {
    device_code: 'the-device-code-0123456789',
    user_code: 'WDJB-MJHT',
    verification_uri: 'https://id.example/device',
    expires_in: 900,
    interval: 5,
  };

  /** A device flow against these replies to the polls. */
  async function polled(...replies: (() => Response)[]) {
    const left = [() => Response.json(authorization), ...replies];
    const bodies: string[] = [];
    const { options, events } = bench(
      [
        { deviceTokenRequest: 'form', ...device[0] },
        { ...device[1], client: { clientId: 'public', clientIdEnv: undefined, clientSecretEnv: undefined } },
      ],
      {
        fetchFor: () => async (_, init) => {
          bodies.push(String(init?.body));
          const next = left.shift();
          if (next === undefined) throw new Error('asked too often');
          return next();
        },
      },
    );
    const connections = createConnections(options);
    const { id } = await connections.signIns.start({ provider: 'acme', force: false });
    const session = await ended(connections, id);
    return { session, events, bodies, left };
  }

  const pending = () => Response.json({ error: 'authorization_pending' }, { status: 400 });

  test('adds five seconds for good when told to slow down, and backs off when nobody answers', async () => {
    const { session, left } = await polled(
      pending,
      () => Response.json({ error: 'slow_down' }),
      pending,
      () => new Response('<html>', { status: 502 }),
      () => {
        throw new TypeError('fetch failed');
      },
      () => Response.json({ access_token: 'the-token' }),
    );
    expect(session.status).toBe('connected');
    expect(left).toEqual([]);
    expect(pauses).toEqual([5_000, 5_000, 10_000, 10_000, 20_000, 40_000]);
  });

  test.each([301, 302, 307, 308])(
    'stops on a redirect (%i), which no later poll could do without',
    async (status) => {
      const elsewhere = { headers: { location: 'https://evil.example/?the-device-code' }, status };
      const { session, bodies } = await polled(pending, () => new Response(null, elsewhere));
      expect(session).toMatchObject({
        status: 'failed',
        failure: {
          error: 'TokenExchangeFailed',
          message: `token exchange failed: the token endpoint answered with a redirect (status ${status}), which is never followed`,
          hint: 'Check the token URL with: authsome inspect acme',
        },
      });
      // One for the code, two polls, and nothing after them.
      expect(bodies).toHaveLength(3);
      expect(JSON.stringify(session)).not.toContain('evil');
    },
  );

  test.each([
    ['access_denied', 'SignInFailed'],
    ['expired_token', 'SignInExpired'],
    ['invalid_client', 'TokenExchangeFailed'],
  ])('stops on %s', async (error, code) => {
    const { session, events } = await polled(pending, () =>
      Response.json({ error, error_description: 'about the-device-code-0123456789' }, { status: 400 }),
    );
    expect(session).toMatchObject({ status: 'failed', failure: { error: code } });
    expect(JSON.stringify([session, events])).not.toContain('the-device-code');
  });
});

describe('client credentials', () => {
  const machine = [
    { tokenEndpointAuthMethod: 'client_secret_post', scopes: ['read'], account: undefined },
    { flow: 'client_credentials' },
  ] as const;

  test('sign in without a person, and again when the token ends', async () => {
    const { options, clock } = bench([{ ...machine[0], resource: testResource }, machine[1]]);
    const connections = createConnections(options);
    const session = await connections.signIns.start({ provider: 'acme', force: false, ...machineClient });
    expect(session).toMatchObject({ status: 'connected', flow: 'client_credentials' });
    const old = await connections.credentials.acquire('acme/default');
    clock.nowMs += 3_600_000;
    expect((await connections.credentials.acquire('acme/default')).secret).not.toBe(old.secret);
  });

  test('fail with the server’s word for it', async () => {
    const { options } = bench([...machine]);
    const connections = createConnections(options);
    const wrong = { ...machineClient, clientSecret: 'not-the-secret' };
    const session = await connections.signIns.start({ provider: 'acme', force: false, ...wrong });
    expect(session.failure).toMatchObject({ message: 'token exchange failed: invalid_client' });
  });
});

describe('dynamic registration', () => {
  const discovered = () =>
    [
      { authorizationUrl: undefined, tokenUrl: undefined, revocationUrl: undefined, supportsDcr: true },
      { flow: 'dcr_pkce' },
    ] as const;

  test('finds the endpoints, registers once, and signs in with nothing to fill in', async () => {
    const { options } = bench([...discovered()]);
    const connections = createConnections(options);
    const session = await connections.signIns.start({ provider: 'acme', force: false });
    expect(session.asksFor).toBeUndefined();
    const landed = await server.approve(session.authUrl ?? '');
    expect((await connections.signIns.callback(landed.searchParams)).status).toBe('connected');
    const [client] = await options.vault.list('client');
    expect(client?.fields).toMatchObject({ origin: 'registration', issuer: server.issuer });

    await connections.signIns.start({ provider: 'acme', connection: 'work', force: false });
    expect((await options.vault.list('client'))[0]?.version).toBe(client?.version);
    expect((await connections.revoke('acme')).remote).toEqual({ default: 'revoked' });
  });

  test('names no scopes to a server that registers no client for them, and asks for them all the same', async () => {
    const registered: unknown[] = [];
    const { options } = bench([...discovered()], {
      fetchFor: () => async (input, init) => {
        if (!String(input).endsWith('/reg')) return await fetch(input, init);
        const metadata = JSON.parse(String(init?.body));
        registered.push(metadata.scope);
        if (metadata.scope === undefined) return await fetch(input, init);
        return Response.json({ error: 'insufficient_scope' }, { status: 403 });
      },
    });
    const connections = createConnections(options);
    const { authUrl = '' } = await connections.signIns.start({ provider: 'acme', force: false });
    expect(registered).toEqual(['openid offline_access', undefined]);
    expect(new URL(authUrl).searchParams.get('scope')).toBe('openid offline_access');
    const landed = await server.approve(authUrl);
    expect((await connections.signIns.callback(landed.searchParams)).status).toBe('connected');
  });

  test('registers anew when the server has forgotten the client', async () => {
    const { options } = bench([...discovered()]);
    const connections = createConnections(options);
    await connections.signIns.start({ provider: 'acme', force: false });
    const record = await options.vault.read('client', 'acme');
    await fetch(String(record?.fields.registrationUri), {
      method: 'DELETE',
      headers: { authorization: `Bearer ${record?.secrets.registrationToken}` },
    });
    const session = await connections.signIns.start({ provider: 'acme', force: false });
    expect((await options.vault.read('client', 'acme'))?.fields.clientId).not.toBe(record?.fields.clientId);
    const landed = await server.approve(session.authUrl ?? '');
    expect((await connections.signIns.callback(landed.searchParams)).status).toBe('connected');
  });

  test('registers anew for scopes beyond the first, and keeps the older client for its grants', async () => {
    const { options, clock } = bench([...discovered()]);
    const connections = createConnections(options);
    const signIn = async (connection: string, scopes: readonly string[]) => {
      const { authUrl } = await connections.signIns.start({
        provider: 'acme',
        connection,
        scopes,
        force: true,
      });
      const landed = await server.approve(authUrl ?? '');
      expect((await connections.signIns.callback(landed.searchParams)).status).toBe('connected');
      return new URL(authUrl ?? '').searchParams.get('client_id');
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

  test('refuses an answer that lacks the iss which the server promises', async () => {
    const { options } = bench([...discovered()]);
    const connections = createConnections(options);
    const { authUrl } = await connections.signIns.start({ provider: 'acme', force: false });
    const landed = await server.approve(authUrl ?? '');
    landed.searchParams.delete('iss');
    expect((await connections.signIns.callback(landed.searchParams)).failure?.message).toMatch(/issuer/);
  });
});

describe('a URL', () => {
  /** The service, which is elsewhere, and the authorization server that it trusts. */
  const service = () => async (input: string | URL | Request, init?: RequestInit) => {
    const url = new URL(String(input));
    if (url.host !== 'mcp.example') return await fetch(url, init);
    if (url.href === testResource) {
      const pointer = 'Bearer resource_metadata="https://mcp.example/about", error="invalid_token"';
      return new Response('', { status: 401, headers: { 'www-authenticate': pointer } });
    }
    return url.pathname === '/about'
      ? Response.json({
          resource: testResource,
          authorization_servers: [server.issuer],
          scopes_supported: ['read'],
        })
      : new Response('', { status: 404 });
  };

  test('leads to a definition of its own, and a sign-in', async () => {
    const { options } = bench([{}], { fetchFor: service });
    const connections = createConnections(options);
    const session = await connections.signIns.start({ provider: testResource, force: false });
    expect(session).toMatchObject({ provider: 'mcp-example', flow: 'dcr_pkce' });
    expect(new URL(session.authUrl ?? '').searchParams.get('resource')).toBe(testResource);
    expect(options.catalog.find('mcp-example')?.document).toMatchObject({
      oauth: { issuer: server.issuer, resource: testResource, scopes: ['read', 'offline_access'] },
    });
    const landed = await server.approve(session.authUrl ?? '');
    expect(await connections.signIns.callback(landed.searchParams)).toMatchObject({ status: 'connected' });
    const again = await connections.signIns.start({
      provider: testResource,
      connection: 'work',
      force: false,
    });
    expect(again.provider).toBe('mcp-example');
  });

  test('is looked at again at the next sign-in: a service may have moved', async () => {
    const { options } = bench([{}], { fetchFor: service });
    const connections = createConnections(options);
    await connections.signIns.start({ provider: testResource, force: false });
    const { document } = options.catalog.find('mcp-example') ?? {};
    const old = {
      ...document,
      display_name: 'Mine',
      oauth: { issuer: 'https://gone.example', scopes: ['x'] },
    };
    for (const provider of [testResource, 'mcp-example']) {
      await options.catalog.add(old, { replace: true });
      await connections.signIns.start({ provider, force: true });
      expect(options.catalog.find('mcp-example')?.document).toMatchObject({
        display_name: 'Mine',
        oauth: { issuer: server.issuer, resource: testResource, scopes: ['read', 'offline_access'] },
      });
    }
    // One that has not is left as a person may have edited it.
    const edited = { ...document, oauth: { ...(document?.oauth as object), scopes: ['openid'] } };
    await options.catalog.add(edited, { replace: true });
    const { authUrl } = await connections.signIns.start({ provider: testResource, force: true });
    expect(new URL(authUrl ?? '').searchParams.get('scope')).toBe('openid');
  });

  test('is signed in to as the published document where the server reads such', async () => {
    const clientMetadataUrl = 'https://client.example/authsome.json';
    const issuer = 'https://id.example';
    const { options } = bench([{}], {
      clientMetadataUrl,
      fetchFor: () => async (input) => {
        const { href } = new URL(String(input));
        if (href === `${issuer}/.well-known/oauth-authorization-server`)
          return Response.json({
            issuer,
            authorization_endpoint: `${issuer}/authorize`,
            token_endpoint: `${issuer}/token`,
            registration_endpoint: `${issuer}/register`,
            client_id_metadata_document_supported: true,
          });
        if (href === `${issuer}/register`) throw new TypeError('nothing is to be registered');
        return new Response('', { status: 404 });
      },
    });
    const { signIns } = createConnections(options);
    const first = await signIns.start({ provider: issuer, force: false });
    expect(new URL(first.authUrl ?? '').searchParams.get('client_id')).toBe(clientMetadataUrl);
    expect((await options.vault.list('client'))[0]?.fields).toMatchObject({ origin: 'document', issuer });
    expect(await options.vault.read('client', 'id-example')).toMatchObject({ secrets: {} });
  });

  test.each([
    [['client_secret_post', 'private_key_jwt'], 'client_secret_post'],
    [['client_secret_post', 'client_secret_basic'], 'client_secret_basic'],
    [[], undefined],
  ] as const)(
    'without registration asks for a client, and proves it as the server takes it: %s',
    async (offered, method) => {
      const issuer = 'https://id.example';
      const { options } = bench([{}], {
        fetchFor: () => async (input) =>
          new URL(String(input)).pathname === '/.well-known/openid-configuration'
            ? Response.json({
                issuer,
                authorization_endpoint: `${issuer}/authorize`,
                token_endpoint: `${issuer}/token`,
                ...(offered.length === 0 ? {} : { token_endpoint_auth_methods_supported: offered }),
              })
            : new Response('', { status: 404 }),
      });
      const { signIns } = createConnections(options);
      const session = await signIns.start({ provider: issuer, force: false });
      expect(session).toMatchObject({ asksFor: 'client', flow: 'pkce' });
      await signIns.submitClient(session.id, { clientId: 'mine', clientSecret: 'my-secret' });
      const [client] = await options.vault.list('client');
      expect(client?.fields.authMethod).toBe(method);
    },
  );

  test.each([true, false])(
    'can be signed in to by a code where its server has such a flow: %s',
    async (has) => {
      const issuer = 'https://id.example';
      const { options } = bench([{}], {
        fetchFor: () => async (input) =>
          new URL(String(input)).href === `${issuer}/.well-known/oauth-authorization-server`
            ? Response.json({
                issuer,
                authorization_endpoint: `${issuer}/authorize`,
                token_endpoint: `${issuer}/token`,
                ...(has ? { device_authorization_endpoint: `${issuer}/device` } : {}),
              })
            : new Response('', { status: 404 }),
      });
      const { signIns } = createConnections(options);
      const starting = signIns.start({ provider: issuer, flow: 'device_code', force: false });
      if (has) expect(await starting).toMatchObject({ flow: 'device_code', asksFor: 'client' });
      else await expect(starting).rejects.toMatchObject({ code: 'OperationNotAllowed' });
    },
  );

  test('gains the flow by a code when its server does, and loses nothing that a person has edited', async () => {
    const server = { issuer: 'https://id.example', hasCode: false };
    const { options } = bench([{}], {
      fetchFor: () => async (input) => {
        const { issuer, hasCode } = server;
        if (String(input) !== `${issuer}/.well-known/oauth-authorization-server`)
          return new Response('', { status: 404 });
        return Response.json({
          issuer,
          authorization_endpoint: `${issuer}/authorize`,
          token_endpoint: `${issuer}/token`,
          ...(hasCode ? { device_authorization_endpoint: `${issuer}/device` } : {}),
        });
      },
    });
    const added: string[] = [];
    const catalog = {
      ...options.catalog,
      add: async (...[document, how]: Parameters<typeof options.catalog.add>) => {
        added.push(JSON.stringify(document));
        return await options.catalog.add(document, how);
      },
    };
    const { signIns } = createConnections({ ...options, catalog });
    const { provider } = await signIns.start({ provider: server.issuer, force: false });
    const { document } = catalog.find(provider) ?? {};
    const edited = { ...document, oauth: { ...(document?.oauth as object), scopes: ['mine'] } };
    await options.catalog.add(edited, { replace: true });
    const byCode = (provider: string) => signIns.start({ provider, flow: 'device_code', force: true });
    await expect(byCode(server.issuer)).rejects.toMatchObject({ code: 'OperationNotAllowed' });
    expect(added).toHaveLength(1);

    server.hasCode = true;
    for (const named of [server.issuer, provider]) {
      await options.catalog.add(edited, { replace: true });
      expect(await byCode(named)).toMatchObject({ provider, flow: 'device_code', asksFor: 'client' });
      expect(catalog.find(provider)).toMatchObject({
        flow: 'pkce',
        oauth: { supportsDeviceCode: true, scopes: ['mine'], issuer: server.issuer },
      });
    }
    await byCode(server.issuer);
    expect(added).toHaveLength(3);
  });

  test('that has moved to a server without a device flow no longer has one', async () => {
    let issuer = 'https://old.example';
    const { options } = bench([{}], {
      fetchFor: () => async (input) => {
        const { host, pathname } = new URL(String(input));
        if (pathname === '/.well-known/oauth-protected-resource/mcp')
          return Response.json({ resource: testResource, authorization_servers: [issuer] });
        if (pathname !== '/.well-known/oauth-authorization-server') return new Response('', { status: 404 });
        return Response.json({
          issuer: `https://${host}`,
          authorization_endpoint: `https://${host}/authorize`,
          token_endpoint: `https://${host}/token`,
          ...(host === 'old.example' ? { device_authorization_endpoint: `https://${host}/device` } : {}),
        });
      },
    });
    const { signIns } = createConnections(options);
    const byCode = { provider: testResource, flow: 'device_code', force: true } as const;
    await signIns.start(byCode);
    issuer = 'https://new.example';
    await expect(signIns.start(byCode)).rejects.toMatchObject({ code: 'OperationNotAllowed' });
    expect(options.catalog.find('mcp-example')?.oauth).toMatchObject({ issuer, supportsDeviceCode: false });
  });

  test.each(['http://mcp.example/mcp', 'https://me:pw@mcp.example/', 'https://'])(
    'must be https and bare: %s',
    async (url) => {
      const connections = createConnections(bench([{}]).options);
      await expect(connections.signIns.start({ provider: url, force: false })).rejects.toMatchObject({
        code: 'Usage',
      });
    },
  );

  test('reaches private addresses only where the person named that very host', async () => {
    const asked: [string, boolean][] = [];
    const { options } = bench([{}], {
      fetchFor:
        ({ publicOnly }) =>
        async (input) => {
          const url = new URL(String(input));
          asked.push([url.host, publicOnly]);
          if (url.host !== 'mcp.example') return new Response('', { status: 404 });
          return url.pathname === '/mcp'
            ? new Response('', { status: 401 })
            : Response.json({
                resource: 'https://mcp.example/mcp',
                authorization_servers: ['https://10.0.0.1'],
              });
        },
    });
    const starting = createConnections(options).signIns.start({
      provider: 'https://mcp.example/mcp',
      force: false,
    });
    await expect(starting).rejects.toMatchObject({ code: 'SignInFailed' });
    expect(new Map(asked)).toEqual(
      new Map([
        ['mcp.example', false],
        ['10.0.0.1', true],
      ]),
    );
    expect(options.catalog.find('mcp-example')).toBeUndefined();
  });
});
