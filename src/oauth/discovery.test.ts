import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  challengeParameter,
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

describe('server metadata', () => {
  test('is looked for before the path of the issuer, then where OpenID puts it (RFC 8414 §3.1, §5)', () => {
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

  test('is taken from the first place that has it', async () => {
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

  test.each<[string, object, RegExp]>([
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

  test('that is nowhere is a failure with a way out', async () => {
    const { fetch } = site({});
    await expect(discoverServer(fetch, 'https://id.example')).rejects.toMatchObject({
      code: 'SignInFailed',
      message: 'id.example publishes no authorization server metadata',
    });
  });
});

describe('resource metadata', () => {
  const resource = 'https://mcp.example/v1/mcp';

  test('is where the challenge points, with the scopes that it asks for', async () => {
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

  test('else with the path inserted, else at the root (RFC 9728 §3.1)', async () => {
    const root = 'https://mcp.example/.well-known/oauth-protected-resource';
    const { asked, fetch } = site({ [root]: () => Response.json({ resource: 'https://mcp.example' }) });
    expect(await discoverResource(fetch, resource)).toMatchObject({
      resource: 'https://mcp.example',
      issuers: [],
    });
    expect(asked).toEqual([resource, `${root}/v1/mcp`, root]);
    expect(await discoverResource(site({}).fetch, resource)).toBeUndefined();
  });

  test.each([
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

describe('a challenge', () => {
  test('gives its parameters, quoted or not', () => {
    const challenge =
      'Bearer realm="a, scope=wrong", error="insufficient_scope", scope="repo user:\\"x\\"" , max=7';
    expect(challengeParameter(challenge, 'error')).toBe('insufficient_scope');
    expect(challengeParameter(challenge, 'max')).toBe('7');
    expect(challengeParameter(challenge, 'scope')).toBe('repo user:"x"');
    expect(challengeParameter('Bearer', 'scope')).toBeUndefined();
  });

  test('of any shape is read without a throw', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        challengeParameter(text, 'scope');
      }),
    );
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z:]{1,20}$/), fc.string(), (scope, realm) => {
        const quoted = realm.replace(/[\\"]/g, '\\$&');
        expect(challengeParameter(`Bearer realm="${quoted}", scope="${scope}"`, 'scope')).toBe(scope);
      }),
    );
  });
});
