import { describe, expect, it } from 'vitest';
import { AuthsomeError } from '../errors.ts';
import {
  discoverIssuerAt,
  discoverResource,
  discoverServer,
  readResourceMetadata,
  readServerMetadata,
  serverMetadataUrls,
} from './discovery.ts';

/** Answers what is in `pages`, 404 otherwise; keeps a list of what was asked. */
function site(pages: Readonly<Record<string, () => Response>>) {
  const asked: string[] = [];
  const fetch = async (input: string | URL | Request) => {
    asked.push(String(input));
    return pages[String(input)]?.() ?? new Response('<html>not here</html>', { status: 404 });
  };
  return { asked, fetch };
}

const metadata = { issuer: 'https://id.example/tenant', token_endpoint: 'https://id.example/token' };

describe('an address that a person typed', () => {
  const document = (issuer: string) => () => Response.json({ ...metadata, issuer });
  const wellKnown = 'https://id.example/.well-known/oauth-authorization-server';

  it.each([
    ['an issuer', 'https://id.example/tenant', `${wellKnown}/tenant`, 'https://id.example/tenant'],
    ['one that ends on a slash', 'https://id.example', wellKnown, 'https://id.example/'],
    ['a service whose origin is one', 'https://id.example/mcp', wellKnown, 'https://id.example'],
  ])('leads to %s', async (_, typed, address, issuer) => {
    const { fetch } = site({ [address]: document(issuer) });
    expect(await discoverIssuerAt(fetch, typed, () => undefined)).toMatchObject({ issuer });
  });

  it('does not lead to somebody else', async () => {
    for (const issuer of ['https://evil.example', 'https://id.example/other', 'https://id.example//']) {
      const { fetch } = site({ [wellKnown]: document(issuer) });
      await expect(discoverIssuerAt(fetch, 'https://id.example', () => undefined)).rejects.toThrow(
        /another issuer/,
      );
    }
  });
});

describe('metadata at the typed host that names another issuer', () => {
  const domainOf = (host: string) => host.split('.').slice(-2).join('.');
  const at = (host: string) => `https://${host}/.well-known/oauth-authorization-server`;
  const document = (changes: object) => () =>
    Response.json({
      issuer: 'https://id.acme.example',
      authorization_endpoint: 'https://mcp.acme.example/authorize',
      token_endpoint: 'https://mcp.acme.example/token',
      ...changes,
    });
  const acmeOf = (host: string) => (host.endsWith('acme.example') ? 'acme.example' : domainOf(host));

  it('gives way to that of the issuer, where that is a sibling', async () => {
    const own = 'https://id.acme.example/token';
    const { fetch } = site({
      [at('mcp.acme.example')]: document({}),
      [at('id.acme.example')]: document({ token_endpoint: own }),
    });
    for (const found of [
      await discoverIssuerAt(fetch, 'https://mcp.acme.example/mcp', acmeOf),
      await discoverServer(fetch, 'https://mcp.acme.example', acmeOf),
    ]) {
      expect(found).toMatchObject({ issuer: 'https://id.acme.example', tokenUrl: own, isConfirmed: true });
    }
  });

  it('is taken where the issuer publishes none, while every endpoint is on their domain', async () => {
    const typed = 'https://mcp.acme.example';
    const { fetch } = site({ [at('mcp.acme.example')]: document({}) });
    expect(await discoverIssuerAt(fetch, typed, acmeOf)).toMatchObject({
      issuer: 'https://id.acme.example',
      tokenUrl: 'https://mcp.acme.example/token',
      isConfirmed: false,
    });
    const unreachable = async (input: string | URL | Request) => {
      if (new URL(String(input)).hostname === 'mcp.acme.example') return await fetch(input);
      throw new AuthsomeError('EndpointUnreachable', 'nobody there');
    };
    expect(await discoverIssuerAt(unreachable, typed, acmeOf)).toMatchObject({ isConfirmed: false });
    for (const name of [
      'authorization_endpoint',
      'token_endpoint',
      'revocation_endpoint',
      'device_authorization_endpoint',
      'registration_endpoint',
      'pushed_authorization_request_endpoint',
    ]) {
      const stray = site({
        [at('mcp.acme.example')]: document({ [name]: 'https://acme.example.evil.test/x' }),
      });
      await expect(discoverIssuerAt(stray.fetch, typed, acmeOf)).rejects.toThrow(
        /another issuer, .* outside acme\.example$/,
      );
    }
  });

  it.each([
    ['of another domain', 'https://id.honest.test', 'https://mcp.acme.example'],
    ['that is no https URL', 'http://id.acme.example', 'https://mcp.acme.example'],
    ['with a query', 'https://id.acme.example?', 'https://mcp.acme.example'],
    ['of the same host', 'https://mcp.acme.example/other', 'https://mcp.acme.example'],
    ['where no domain has an owner', 'https://two.test', 'https://one.test'],
  ])('is refused for an issuer %s, which is not even asked', async (_, issuer, typed) => {
    const { asked, fetch } = site({
      [at(new URL(typed).hostname)]: document({ issuer }),
      [at(new URL(issuer).hostname)]: document({ issuer }),
    });
    const ownerOf = (host: string) => (host.split('.').length > 2 ? acmeOf(host) : undefined);
    await expect(discoverIssuerAt(fetch, typed, ownerOf)).rejects.toThrow(/another issuer$/);
    expect(asked.every((url) => new URL(url).hostname === new URL(typed).hostname)).toBe(true);
  });

  it('is refused where the issuer itself names yet another, or nobody typed the host', async () => {
    const { fetch } = site({
      [at('mcp.acme.example')]: document({}),
      [at('id.acme.example')]: document({ issuer: 'https://mcp.acme.example' }),
    });
    await expect(discoverIssuerAt(fetch, 'https://mcp.acme.example', acmeOf)).rejects.toThrow(
      /another issuer/,
    );
    await expect(discoverServer(fetch, 'https://mcp.acme.example')).rejects.toThrow(/another issuer/);
  });
});

describe('server metadata', () => {
  it('is looked for before the path of the issuer, then where OpenID puts it (RFC 8414 §3.1, §5)', () => {
    expect(serverMetadataUrls('https://example.com/issuer1')).toEqual([
      'https://example.com/.well-known/oauth-authorization-server/issuer1',
      'https://example.com/.well-known/openid-configuration/issuer1',
      'https://example.com/issuer1/.well-known/openid-configuration',
    ]);
    expect(serverMetadataUrls('https://example.com/')).toEqual([
      'https://example.com/.well-known/oauth-authorization-server',
      'https://example.com/.well-known/openid-configuration',
    ]);
  });

  it('is taken from the first place that has it', async () => {
    const openid = 'https://id.example/tenant/.well-known/openid-configuration';
    const { asked, fetch } = site({
      [openid]: () =>
        Response.json({
          ...metadata,
          authorization_endpoint: 'https://id.example/authorize',
          token_endpoint_auth_methods_supported: ['none'],
          code_challenge_methods_supported: ['plain', 'S256'],
          authorization_response_iss_parameter_supported: true,
        }),
    });
    expect(await discoverServer(fetch, 'https://id.example/tenant')).toMatchObject({
      issuer: 'https://id.example/tenant',
      authorizationUrl: 'https://id.example/authorize',
      registrationEndpoint: undefined,
      authMethods: ['none'],
      issRequired: true,
    });
    expect(asked.at(-1)).toBe(openid);
    expect(asked).toHaveLength(3);
  });

  it.each<[string, object, RegExp]>([
    ['of another issuer', { ...metadata, issuer: 'https://evil.example' }, /another issuer/],
    ['of nearly the same issuer', { ...metadata, issuer: 'https://id.example/tenant/' }, /another issuer/],
    ['without S256', { ...metadata, code_challenge_methods_supported: ['plain'] }, /S256/],
    ['without a token endpoint', { issuer: metadata.issuer }, /token_endpoint/],
    [
      'with an endpoint over plain http',
      { ...metadata, revocation_endpoint: 'http://id.example/r' },
      /not an https URL/,
    ],
  ])('%s is refused', (_, document, message) => {
    expect(() => readServerMetadata(document as Record<string, unknown>, metadata.issuer)).toThrow(message);
  });

  it('says where authorization requests are pushed to, and whether they have to be (RFC 9126 §5)', () => {
    const endpoint = 'https://id.example/par';
    const offered = { ...metadata, pushed_authorization_request_endpoint: endpoint };
    expect(readServerMetadata(offered, metadata.issuer)).toMatchObject({
      pushedAuthorizationUrl: endpoint,
      pushRequired: false,
    });
    const required = { ...offered, require_pushed_authorization_requests: true };
    expect(readServerMetadata(required, metadata.issuer)).toMatchObject({ pushRequired: true });
    const plain = { ...metadata, pushed_authorization_request_endpoint: 'http://id.example/par' };
    expect(() => readServerMetadata(plain, metadata.issuer)).toThrow(/not an https URL/);
  });

  it('that is nowhere is a failure that says what to do', async () => {
    const { fetch } = site({});
    await expect(discoverServer(fetch, 'https://id.example')).rejects.toMatchObject({
      code: 'SignInFailed',
      message: 'id.example publishes no authorization server metadata',
    });
  });
});

describe('resource metadata', () => {
  const resource = 'https://mcp.example/v1/mcp';

  it('is where the challenge points, with the scopes that it asks for', async () => {
    const { asked, fetch } = site({
      [resource]: () =>
        new Response('', {
          status: 401,
          headers: {
            'www-authenticate': 'Bearer scope="a b", resource_metadata="https://mcp.example/about"',
          },
        }),
      'https://mcp.example/about': () =>
        Response.json({
          resource,
          authorization_servers: ['https://id.example'],
          scopes_supported: ['a', 'b', 'c'],
        }),
    });
    expect(await discoverResource(fetch, resource)).toEqual({
      resource,
      issuers: ['https://id.example'],
      scopes: ['a', 'b'],
    });
    expect(asked).toEqual([resource, 'https://mcp.example/about']);
  });

  it.each(['/about', '../about', '//mcp.example/about', 'https://mcp.example/about'])(
    'may be named relative to what was asked: %s',
    async (pointer) => {
      const { asked, fetch } = site({
        [resource]: () =>
          new Response('', {
            status: 401,
            headers: { 'www-authenticate': `Bearer resource_metadata="${pointer}"` },
          }),
        'https://mcp.example/about': () => Response.json({ resource }),
      });
      expect(await discoverResource(fetch, resource)).toMatchObject({ resource });
      expect(asked).toEqual([resource, 'https://mcp.example/about']);
    },
  );

  it.each(['//evil.example/about', 'http://mcp.example/about', 'file:///about', 'http://['])(
    'is held to the same rules when it is written so: %s',
    async (pointer) => {
      const headers = { 'www-authenticate': `Bearer resource_metadata="${pointer}"` };
      const { fetch } = site({
        [resource]: () => new Response('', { status: 401, headers }),
        'https://evil.example/about': () => Response.json({ resource: 'https://evil.example/about' }),
      });
      await expect(discoverResource(fetch, resource)).rejects.toThrow(/not an https URL|another resource/);
    },
  );

  it('else with the path inserted, else at the root (RFC 9728 §3.1)', async () => {
    const root = 'https://mcp.example/.well-known/oauth-protected-resource';
    const { asked, fetch } = site({ [root]: () => Response.json({ resource: 'https://mcp.example' }) });
    expect(await discoverResource(fetch, resource)).toMatchObject({
      resource: 'https://mcp.example',
      issuers: [],
    });
    expect(asked).toEqual([resource, resource, `${root}/v1/mcp`, root]);
    expect(await discoverResource(site({}).fetch, resource)).toBeUndefined();
  });

  it('is asked for by POST where GET says nothing, and by no call that changes anything', async () => {
    const sent: unknown[] = [];
    const pointer = 'Basic realm="x", Bearer resource_metadata="https://mcp.example/about"';
    const fetch = async (input: string | URL | Request, init?: RequestInit) => {
      const url = String(input);
      if (init?.method === 'POST') sent.push(JSON.parse(String(init.body)).method);
      if (url === resource && init?.method === 'POST')
        return new Response('', { status: 401, headers: { 'www-authenticate': pointer } });
      return url === 'https://mcp.example/about'
        ? Response.json({ resource })
        : new Response('', { status: 405 });
    };
    expect(await discoverResource(fetch, resource)).toMatchObject({ resource });
    expect(sent).toEqual(['tools/list']);
  });

  it('is found although other addresses of the site mislead', async () => {
    const root = 'https://mcp.example/.well-known/oauth-protected-resource';
    const fetch = async (input: string | URL | Request) => {
      if (String(input) === root) return Response.json({ resource });
      throw new AuthsomeError('EndpointUnreachable', 'it answers with a redirect');
    };
    expect(await discoverResource(fetch, resource)).toMatchObject({ resource });
  });

  it('of a service that is down is a failure of its own', async () => {
    const fetch = () => Promise.reject(new AuthsomeError('EndpointUnreachable', 'nobody there'));
    await expect(discoverResource(fetch, resource)).rejects.toMatchObject({ code: 'EndpointUnreachable' });
  });

  it.each([
    'https://evil.example/v1/mcp',
    'https://mcp.example/v1/m',
    'https://mcp.example/v1/mcp/deeper',
    'http://mcp.example/v1/mcp',
    'https://mcp.example/?x=1',
    7,
  ])('about %s is refused', (named) => {
    expect(() => readResourceMetadata({ resource: named }, new URL(resource))).toThrow(/another resource/);
  });
});
