import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createConnections } from '../connections.ts';
import {
  startAuthorizationServer,
  type TestAuthorizationServer,
  testResource,
} from '../testing/test-authorization-server.ts';
import { openFlowFixture } from '../testing/test-sign-in.ts';

let server: TestAuthorizationServer;
beforeAll(async () => {
  server = await startAuthorizationServer();
});
afterAll(() => server.close());

describe('a URL', () => {
  /** The service, which is elsewhere, and the authorization server that it trusts. */
  const service = () => async (input: string | URL | Request, init?: RequestInit) => {
    const url = new URL(String(input));
    if (url.host !== 'mcp.localhost') return await fetch(url, init);
    if (url.href === testResource) {
      const pointer = 'Bearer resource_metadata="https://mcp.localhost/about", error="invalid_token"';
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

  it('leads to a definition of its own, and a sign-in', async () => {
    const { options } = openFlowFixture(server, [{}], { fetchFor: service });
    const connections = createConnections(options);
    const session = await connections.signIns.start({ provider: testResource, force: false });
    expect(session).toMatchObject({ provider: 'mcp-localhost', flow: 'dcr_pkce' });
    expect(new URL(session.providerUrl ?? '').searchParams.get('resource')).toBe(testResource);
    expect(options.catalog.find('mcp-localhost')?.document).toMatchObject({
      oauth: { issuer: server.issuer, resource: testResource, scopes: ['read', 'offline_access'] },
    });
    const landed = await server.approve(session.providerUrl ?? '');
    expect(await connections.signIns.callback(landed)).toMatchObject({ status: 'connected' });
    const again = await connections.signIns.start({
      provider: testResource,
      connection: 'work',
      force: false,
    });
    expect(again.provider).toBe('mcp-localhost');
  });

  it('is left alone by the next sign-in while its server wants that', async () => {
    let asked = 0;
    const { options, clock } = openFlowFixture(server, [{}], {
      fetchFor: () => async () => {
        asked += 1;
        return new Response('', { status: 503, headers: { 'retry-after': '60' } });
      },
    });
    const { signIns } = createConnections(options);
    const starting = () => signIns.start({ provider: testResource, force: false });
    await expect(starting()).rejects.toMatchObject({ code: 'EndpointUnreachable' });
    const once = asked;
    clock.nowMs += 59_000;
    await expect(starting()).rejects.toMatchObject({ hint: 'Try again in 1 s.' });
    expect(asked).toBe(once);
    clock.nowMs += 1_000;
    await expect(starting()).rejects.toMatchObject({ code: 'EndpointUnreachable' });
    expect(asked).toBeGreaterThan(once);
  });

  it('is looked at again at the next sign-in: a service may have moved', async () => {
    const { options } = openFlowFixture(server, [{}], { fetchFor: service });
    const connections = createConnections(options);
    await connections.signIns.start({ provider: testResource, force: false });
    const { document } = options.catalog.find('mcp-localhost') ?? {};
    const old = {
      ...document,
      display_name: 'Mine',
      oauth: { issuer: 'https://gone.example', scopes: ['x'] },
    };
    for (const provider of [testResource, 'mcp-localhost']) {
      await options.catalog.add(old, { replace: true, allowLoopback: true });
      await connections.signIns.start({ provider, force: true });
      expect(options.catalog.find('mcp-localhost')?.document).toMatchObject({
        display_name: 'Mine',
        oauth: { issuer: server.issuer, resource: testResource, scopes: ['read', 'offline_access'] },
      });
    }
    // One that has not is left as a person may have edited it.
    const edited = { ...document, oauth: { ...(document?.oauth as object), scopes: ['openid'] } };
    await options.catalog.add(edited, { replace: true, allowLoopback: true });
    const { providerUrl } = await connections.signIns.start({ provider: testResource, force: true });
    expect(new URL(providerUrl ?? '').searchParams.get('scope')).toBe('openid');
  });

  it('is signed in to as the published document where the server reads such', async () => {
    const clientMetadataUrl = 'https://client.example/authsome.json';
    const issuer = 'https://id.example';
    const { options } = openFlowFixture(server, [{}], {
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
    expect(new URL(first.providerUrl ?? '').searchParams.get('client_id')).toBe(clientMetadataUrl);
    expect((await options.vault.list('client'))[0]?.fields).toMatchObject({ origin: 'document', issuer });
    expect(await options.vault.read('client', 'id-example')).toMatchObject({ secrets: {} });
  });

  it.each([
    [['client_secret_post', 'private_key_jwt'], 'client_secret_post'],
    [['client_secret_post', 'client_secret_basic'], 'client_secret_basic'],
    [[], undefined],
  ] as const)(
    'without registration asks for a client, and proves it as the server takes it: %s',
    async (offered, method) => {
      const issuer = 'https://id.example';
      const { options } = openFlowFixture(server, [{}], {
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

  it.each([true, false])(
    'can be signed in to by a code where its server has such a flow: %s',
    async (has) => {
      const issuer = 'https://id.example';
      const { options } = openFlowFixture(server, [{}], {
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

  it('gains the flow by a code when its server does, and loses nothing that a person has edited', async () => {
    const published = { issuer: 'https://id.example', hasCode: false };
    const { options } = openFlowFixture(server, [{}], {
      fetchFor: () => async (input) => {
        const { issuer, hasCode } = published;
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
    const { provider } = await signIns.start({ provider: published.issuer, force: false });
    const { document } = catalog.find(provider) ?? {};
    const edited = { ...document, oauth: { ...(document?.oauth as object), scopes: ['mine'] } };
    await options.catalog.add(edited, { replace: true, allowLoopback: true });
    const byCode = (provider: string) => signIns.start({ provider, flow: 'device_code', force: true });
    await expect(byCode(published.issuer)).rejects.toMatchObject({ code: 'OperationNotAllowed' });
    expect(added).toHaveLength(1);

    published.hasCode = true;
    for (const named of [published.issuer, provider]) {
      await options.catalog.add(edited, { replace: true, allowLoopback: true });
      expect(await byCode(named)).toMatchObject({ provider, flow: 'device_code', asksFor: 'client' });
      expect(catalog.find(provider)).toMatchObject({
        flow: 'pkce',
        oauth: { supportsDeviceCode: true, scopes: ['mine'], issuer: published.issuer },
      });
    }
    await byCode(published.issuer);
    expect(added).toHaveLength(3);
  });

  it('that has moved to a server without a device flow no longer has one', async () => {
    let issuer = 'https://old.example';
    const { options } = openFlowFixture(server, [{}], {
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
    expect(options.catalog.find('mcp-localhost')?.oauth).toMatchObject({ issuer, supportsDeviceCode: false });
  });

  it.each(['http://mcp.example/mcp', 'https://me:pw@mcp.example/', 'https://'])(
    'must be https and bare: %s',
    async (url) => {
      const connections = createConnections(openFlowFixture(server, [{}]).options);
      await expect(connections.signIns.start({ provider: url, force: false })).rejects.toMatchObject({
        code: 'Usage',
      });
    },
  );

  it('reaches private addresses only where the person named that very host', async () => {
    const asked: [string, boolean][] = [];
    const { options } = openFlowFixture(server, [{}], {
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
