import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AuthsomeError } from '../../errors.ts';
import { parseProvider } from './definition.ts';

const keyed = { name: 'acme', auth_type: 'api_key', api_url: 'api.acme.test' };
const oauth = {
  name: 'acme',
  auth_type: 'oauth2',
  api_url: 'api.acme.test',
  oauth: { authorization_url: 'https://id.acme.test/authorize', token_url: 'https://id.acme.test/token' },
};
const withOauth = (changes: object) => ({ ...oauth, oauth: { ...oauth.oauth, ...changes } });

function faultOf(document: unknown): string {
  try {
    parseProvider(document, 'custom');
  } catch (error) {
    if (error instanceof AuthsomeError) return `${error.code} ${error.message}`;
    throw error;
  }
  return 'accepted';
}

describe('provider definition', () => {
  it('fills in what the smallest API key definition leaves out', () => {
    expect(parseProvider(keyed, 'custom')).toMatchObject({
      name: 'acme',
      displayName: 'acme',
      source: 'custom',
      flow: 'api_key',
      needsBaseUrl: false,
      isBaseUrlAsked: false,
      oauth: undefined,
      apiKey: { headerName: 'Authorization', headerPrefix: 'Bearer ' },
      inject: [
        {
          hosts: [{ host: 'api.acme.test' }],
          placements: [{ kind: 'header', name: 'Authorization', prefix: 'Bearer ' }],
        },
      ],
      exportVariables: [],
      setup: { url: undefined, steps: [] },
    });
  });

  describe('a key that goes elsewhere by its shape', () => {
    const withShape = (alternative: object, more: object = {}) => ({
      ...keyed,
      api_key: {
        header_name: 'X-Key',
        key_pattern: 'k-[a-z0-9-]{20,}',
        alternatives: [{ key_pattern: 'k-oat-[a-z0-9]{20,}', ...alternative }],
        ...more,
      },
    });

    it('has its own header, and leaves the other one empty', () => {
      const [rule] = parseProvider(withShape({ headers: { 'Acme-Beta': 'oauth-1' } }), 'custom').inject;
      expect(rule).toMatchObject({
        placements: [{ kind: 'header', name: 'X-Key', prefix: '', instead: ['Authorization'] }],
        shapes: [
          {
            pattern: /^(?:k-oat-[a-z0-9]{20,})$/,
            placements: [
              {
                kind: 'header',
                name: 'Authorization',
                prefix: 'Bearer ',
                instead: ['X-Key'],
                beside: [{ name: 'Acme-Beta', value: 'oauth-1' }],
              },
            ],
          },
        ],
      });
    });

    it.each([
      ['/api_key/alternatives/0/key_pattern: must say', withShape({ key_pattern: undefined })],
      [
        '/api_key/alternatives/0/key_pattern: must be a kind of key',
        withShape({ key_pattern: 'x-[a-z]{20,}' }),
      ],
      ['/api_key/alternatives/0/header_name: must not be', withShape({ header_name: 'Host' })],
      [
        '/api_key/alternatives/0/headers/X-Method-Override: must',
        withShape({ headers: { 'X-Method-Override': 'PUT' } }),
      ],
      ['/api_key/alternatives/0/headers/A-Beta: must', withShape({ headers: { 'A-Beta': 'a\r\nb' } })],
      ['/api_key/alternatives: must not stand beside', withShape({}, { query_param: 'key' })],
      [
        '/api_key: must use the same placement',
        { ...oauth, api_key: withShape({ header_name: 'X-Key' }, { header_name: 'Authorization' }).api_key },
      ],
    ])('is refused: %s', (sentence, document) => {
      expect(faultOf(document)).toContain(`InvalidDefinition ${sentence}`);
    });
  });

  it('fills in what the smallest OAuth definition leaves out', () => {
    expect(parseProvider(oauth, 'custom')).toMatchObject({
      flow: 'pkce',
      apiKey: undefined,
      oauth: {
        pkce: true,
        supportsDeviceCode: false,
        supportsDcr: false,
        scopes: [],
        scopeSeparator: ' ',
        scopeParameter: 'scope',
        tokenRequest: 'form',
        deviceTokenRequest: 'form',
      },
      document: {
        schema_version: 1,
        flow: 'pkce',
        oauth: { pkce: true, supports_dcr: false, supports_device_code: false },
      },
    });
  });

  it.each([
    [{ header_name: 'x-api-key' }, [{ kind: 'header', name: 'x-api-key', prefix: '' }]],
    [{ header_prefix: 'Token' }, [{ kind: 'header', name: 'Authorization', prefix: 'Token ' }]],
    [{ header_prefix: 'Token token=' }, [{ kind: 'header', name: 'Authorization', prefix: 'Token token=' }]],
    [
      { header_name: 'Authorization', header_prefix: '' },
      [{ kind: 'header', name: 'Authorization', prefix: '' }],
    ],
    [{ query_param: 'key' }, [{ kind: 'query', name: 'key' }]],
    [
      { header_name: 'x-key', query_param: 'key' },
      [
        { kind: 'header', name: 'x-key', prefix: '' },
        { kind: 'query', name: 'key' },
      ],
    ],
  ])('places a key as %j says', (api_key, placements) => {
    expect(parseProvider({ ...keyed, api_key }, 'custom').inject[0]?.placements).toEqual(placements);
  });

  it('searches responses for the secret unless the definition or a rule of inject says otherwise', () => {
    const placements = [{ kind: 'query', name: 'k' }];
    const scrubs = (more: object, rule: object = {}) =>
      parseProvider(
        { ...keyed, inject: [{ hosts: 'b.acme.test', placements, ...rule }], ...more },
        'custom',
      ).inject.map(({ scrub }) => scrub);
    expect(scrubs({})).toEqual([true, true]);
    expect(scrubs({}, { scrub: false })).toEqual([true, false]);
    expect(scrubs({ scrub: false })).toEqual([false, false]);
    expect(scrubs({ scrub: false }, { scrub: true })).toEqual([false, true]);
  });

  it('adds the hosts of inject, each with its own placements', () => {
    const inject = [
      { hosts: 'git.acme.test', placements: [{ kind: 'basic', username: 'x-token' }] },
      {
        hosts: ['old.acme.test'],
        placements: [
          { kind: 'query', name: 'k' },
          { kind: 'header', name: 'X-K' },
        ],
      },
    ];
    expect(parseProvider({ ...oauth, inject }, 'custom').inject).toMatchObject([
      { hosts: [{ host: 'api.acme.test' }], placements: [{ kind: 'header', prefix: 'Bearer ' }] },
      {
        hosts: [{ host: 'git.acme.test' }],
        placements: [{ kind: 'basic', username: 'x-token', secretAs: 'password' }],
      },
      {
        hosts: [{ host: 'old.acme.test' }],
        placements: [
          { kind: 'query', name: 'k' },
          { kind: 'header', name: 'X-K', prefix: '' },
        ],
      },
    ]);
  });

  it('reads the older spellings, and shows the new ones', () => {
    const provider = parseProvider(
      {
        name: 'acme',
        auth_type: 'oauth2',
        flow: 'device_code',
        host_url: 'api.acme.test',
        env: { access_token: 'ACME_TOKEN', refresh_token: 'ACME_REFRESH' },
        oauth: {
          token_url: 'https://id.acme.test/token',
          device_authorization_url: 'https://id.acme.test/device',
          revocation_url: null,
          supports_device_flow: true,
        },
        registration: {
          url: 'https://acme.test/apps',
          instructions: ['Make an app.'],
          client_id_env: 'ACME_ID',
        },
      },
      'custom',
    );
    expect(provider.oauth).toMatchObject({ supportsDeviceCode: true, revocationUrl: undefined });
    expect(provider.exportVariables).toEqual([{ name: 'ACME_TOKEN', value: 'access_token' }]);
    expect(provider.setup).toEqual({ url: 'https://acme.test/apps', steps: ['Make an app.'] });
    expect(provider.client.clientIdEnv).toBe('ACME_ID');
    expect(provider.document).toMatchObject({
      api_url: 'api.acme.test',
      oauth: { supports_device_code: true },
    });
  });

  it('names the field as its author spelled it', () => {
    expect(faultOf({ ...keyed, api_url: undefined, host_url: '*.com' })).toContain('/host_url: ');
    expect(faultOf({ ...keyed, env: { api_key: 'not a name' } })).toContain('/env/api_key: ');
  });

  it('is refused where it is nested too deep', () => {
    const deep = JSON.parse(`${'['.repeat(100_000)}${']'.repeat(100_000)}`) as unknown;
    expect(() => parseProvider({ ...keyed, note: deep }, 'custom')).toThrow(
      '/: must not be nested more than',
    );
  });

  it('keeps fields that it does not know', () => {
    const document = { ...keyed, future: { a: [1] }, other: 2 };
    expect(parseProvider(document, 'custom').document).toMatchObject({ future: { a: [1] } });
    const hostile = JSON.parse(
      '{"name":"acme","auth_type":"api_key","api_url":"api.acme.test","__proto__":{"polluted":1}}',
    );
    expect(parseProvider(hostile, 'custom').name).toBe('acme');
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });

  it.each<[string, unknown]>([
    ['/: must be a JSON object', []],
    ['/: must be a JSON object', 'acme'],
    ['/schema_version: must be 1', { ...keyed, schema_version: 2 }],
    ['/name: must consist of', { ...keyed, name: 'Acme' }],
    ['/name: must consist of', { ...keyed, name: '-acme' }],
    ['/name: must consist of', { ...keyed, name: '../acme' }],
    ['/name: must consist of', { ...keyed, name: undefined }],
    ['/display_name: must be printable', { ...keyed, display_name: 'A\u001b[31mcme' }],
    ['/auth_type: must be one of', { ...keyed, auth_type: 'saml' }],
    ['/auth_type: must be oauth2 or api_key', { ...keyed, auth_type: undefined }],
    ['/flow: must be one of', { ...keyed, flow: 'implicit' }],
    ['/flow: must be a flow of auth_type api_key', { ...keyed, flow: 'pkce' }],
    ['/flow: must be a flow of auth_type oauth2', { ...oauth, flow: 'api_key' }],
    ['/api_url: must name at least one host', { ...keyed, api_url: [] }],
    ['/api_url: must be a string or a list', { ...keyed, api_url: 7 }],
    [
      "/api_url/1: must not match somebody else's domain",
      { ...keyed, api_url: ['api.acme.test', 'regex:.*googleapis.*'] },
    ],
    ["/api_url: must not match somebody else's domain", { ...keyed, api_url: 'regex:^.*googleapis.*$' }],
    ["/api_url: must not match somebody else's domain", { ...keyed, api_url: '*.co.uk' }],
    ['/api_url: must be an https URL', { ...keyed, api_url: 'http://api.acme.test' }],
    [
      '/inject: must not name api.acme.test twice',
      { ...keyed, inject: [{ hosts: 'api.acme.test', placements: [{ kind: 'query', name: 'k' }] }] },
    ],
    ['/scrub: must be true or false', { ...keyed, scrub: 'no' }],
    [
      '/inject/0/scrub: must be true or false',
      { ...keyed, inject: [{ hosts: 'b.acme.test', placements: [{ kind: 'query', name: 'k' }], scrub: 0 }] },
    ],
    ['/inject/0/placements: must say where', { ...keyed, inject: [{ hosts: 'b.acme.test' }] }],
    [
      '/inject/0/placements/0/kind: must be one of',
      { ...keyed, inject: [{ hosts: 'b.acme.test', placements: [{ kind: 'cookie' }] }] },
    ],
    [
      '/inject/0/placements/0/username: must be printable',
      { ...keyed, inject: [{ hosts: 'b.acme.test', placements: [{ kind: 'basic', username: 'a:b' }] }] },
    ],
    ['/api_key/header_name: must be a header name', { ...keyed, api_key: { header_name: 'X Key' } }],
    ['/api_key/header_name: must be a header name', { ...keyed, api_key: { header_name: 'X-Key\r\nX' } }],
    [
      '/api_key/header_name: must not be Content_Length',
      { ...keyed, api_key: { header_name: 'Content_Length' } },
    ],
    ['/api_key/header_name: must not be Host', { ...keyed, api_key: { header_name: 'Host' } }],
    [
      '/api_key/header_name: must not be content-length',
      { ...keyed, api_key: { header_name: 'content-length' } },
    ],
    [
      '/api_key/header_name: must not be Proxy-Authorization',
      { ...keyed, api_key: { header_name: 'Proxy-Authorization' } },
    ],
    [
      '/api_key/header_name: must not be Transfer-Encoding',
      { ...keyed, api_key: { header_name: 'Transfer-Encoding' } },
    ],
    ['/api_key/header_prefix: must be printable', { ...keyed, api_key: { header_prefix: 'a\r\nb' } }],
    ['/api_key/query_param: must be a parameter name', { ...keyed, api_key: { query_param: 'a&b' } }],
    ['/api_key/env_var: must be the name', { ...keyed, api_key: { env_var: 'A-B' } }],
    ['/api_key/key_pattern: repeats', { ...keyed, api_key: { key_pattern: '^(a+)+$' } }],
    ['/api_key/key_pattern: matches too few keys', { ...keyed, api_key: { key_pattern: '^fixed$' } }],
    [
      '/export/phantom: must satisfy key_pattern',
      { ...keyed, api_key: { key_pattern: '^[0-9]{24}$' }, export: { phantom: 'no-{random}' } },
    ],
    ['/export/phantom: must contain {random}', { ...keyed, export: { phantom: 'always-the-same' } }],
    ['/export/env/api_key: must be the name', { ...keyed, export: { env: { api_key: 'A=B' } } }],
    ['/export/env/api_key: must not be PATH', { ...keyed, export: { env: { api_key: 'PATH' } } }],
    [
      '/export/env/api_key/1: must not be https_proxy',
      { ...keyed, export: { env: { api_key: ['A_KEY', 'https_proxy'] } } },
    ],
    [
      '/export/env/api_key: must not be NODE_OPTIONS',
      { ...keyed, export: { env: { api_key: 'NODE_OPTIONS' } } },
    ],
    [
      '/export/env/api_key/1: must not name A_KEY twice',
      { ...keyed, export: { env: { api_key: ['A_KEY', 'A_KEY'] } } },
    ],
    ['/oauth: is required', { ...oauth, oauth: undefined }],
    ['/oauth: must be an object', { ...oauth, oauth: 'x' }],
    ['/oauth/token_url: must be an https URL', withOauth({ token_url: 'http://id.acme.test/token' })],
    ['/oauth/token_url: must be an https URL', withOauth({ token_url: 'javascript:alert(1)' })],
    ['/oauth/token_url: must be an https URL', withOauth({ token_url: 'http://127.0.0.1.evil.test/token' })],
    ['/oauth/token_url: must have no user name', withOauth({ token_url: 'https://a:b@id.acme.test/token' })],
    ['/oauth/token_url: must have no fragment', withOauth({ token_url: 'https://id.acme.test/token#x' })],
    ['/oauth/token_url: must name one host', withOauth({ token_url: 'https://id.acme.test\\evil.test/' })],
    ['/oauth/token_url: is required for flow pkce', withOauth({ token_url: null })],
    ['/oauth/device_authorization_url: is required', { ...oauth, flow: 'device_code' }],
    ['/oauth/registration_endpoint: is required', { ...oauth, flow: 'dcr_pkce' }],
    ['/oauth/scopes/0: must be a scope', withOauth({ scopes: ['a"b'] })],
    ['/oauth/pkce: must be true or false', withOauth({ pkce: 'yes' })],
    ['/oauth/scope_separator: must be one of', withOauth({ scope_separator: '::' })],
    [
      '/oauth/token_endpoint_auth_method: must be one of',
      withOauth({ token_endpoint_auth_method: 'private_key_jwt' }),
    ],
    [
      '/oauth/scope_parameter: must not be redirect_uri',
      withOauth({ scope_parameter: 'redirect_uri', scopes: ['https://evil.test/callback'] }),
    ],
    ['/oauth/authorization_params: must not set state', withOauth({ authorization_params: { state: 'x' } })],
    ['/oauth/token_params: must not set code_verifier', withOauth({ token_params: { code_verifier: 'x' } })],
    [
      '/oauth/authorization_params/prompt: must be a string',
      withOauth({ authorization_params: { prompt: 1 } }),
    ],
    [
      '/oauth/account/url: must be on one of',
      withOauth({ account: { url: 'https://evil.test/me', field: 'name' } }),
    ],
    [
      '/oauth/account/field: must be a dotted path',
      withOauth({ account: { url: 'https://api.acme.test/me', field: 'a b' } }),
    ],
    ['/oauth/base_url: must have no query', withOauth({ base_url: 'https://acme.test/?a=b' })],
    [
      '/api_key: must use the same placement as the OAuth token',
      { ...oauth, api_key: { header_name: 'x-key' } },
    ],
    ['/allow_loopback: must be true or false', { ...keyed, allow_loopback: 'yes' }],
    ...[
      'http://127.0.0.1:9600/containers/create?name=x',
      'http://localhost:9600/',
      'https://localhost/',
      'https://127.1.2.3/',
      'https://[::1]:9600/',
      'https://db.localhost/',
      'https://localhost./',
      'https://0.0.0.0:9600/',
      'https://[::]:9600/',
      'https://[::ffff:7f00:1]/',
      'https://[::ffff:127.0.0.1]/',
    ].flatMap((url): [string, unknown][] => [
      ['/oauth/token_url: is on this machine', withOauth({ token_url: url })],
      ['/oauth/authorization_url: is on this machine', withOauth({ authorization_url: url })],
      ['/oauth/issuer: is on this machine', withOauth({ issuer: url })],
      ['/setup/url: is on this machine', { ...keyed, setup: { url } }],
    ]),
    ['/api_url/1: is on this machine', { ...keyed, api_url: ['api.acme.test', 'localhost:9600'] }],
    ['/base_url: is on this machine', { ...keyed, base_url: 'http://127.0.0.1:9600', api_url: '{base_url}' }],
    ['/docs: must be an https URL', { ...keyed, docs: 'see the manual' }],
    ['/setup/steps/0: must be printable', { ...keyed, setup: { steps: ['\u001b]0;x\u0007'] } }],
    ['/client/client_id_env: must be the name', { ...oauth, client: { client_id_env: '1A' } }],
  ])('%s', (fault, document) => expect(faultOf(document)).toContain(`InvalidDefinition ${fault}`));

  it('takes hosts that a URL cannot have as it takes others', () => {
    const { inject } = parseProvider({ ...keyed, api_url: 'xn--zzzzzzzz.test' }, 'custom');
    expect(inject[0]?.hosts[0]?.host).toBe('xn--zzzzzzzz.test');
  });

  it('lets loopback do without TLS where a person allows loopback, as nothing else may', () => {
    for (const url of [
      'http://127.0.0.1:8080/token',
      'http://localhost:8080/token',
      'http://[::1]:8080/token',
    ]) {
      const document = { ...withOauth({ token_url: url }), allow_loopback: true };
      expect(parseProvider(document, 'custom').oauth?.tokenUrl).toBe(url);
    }
    expect(
      faultOf({ ...withOauth({ token_url: 'http://id.acme.test/token' }), allow_loopback: true }),
    ).toContain('must be an https URL');
    expect(faultOf({ ...keyed, api_url: 'http://127.0.0.1:8080' })).toContain('must be an https URL');
  });

  it('anchors a key pattern that is not', () => {
    const { apiKey } = parseProvider({ ...keyed, api_key: { key_pattern: 'sk-[a-z]{20}' } }, 'custom');
    expect(apiKey?.keyPattern?.test(`sk-${'a'.repeat(20)}`)).toBe(true);
    expect(apiKey?.keyPattern?.test(`x sk-${'a'.repeat(20)} x`)).toBe(false);
  });

  it('never throws anything but its own errors, and never an unpointed one', () => {
    const value = fc.oneof(
      fc.string(),
      fc.integer(),
      fc.constant(null),
      fc.array(fc.string()),
      fc.dictionary(fc.string(), fc.string()),
    );
    const keys = [
      'name',
      'auth_type',
      'flow',
      'api_url',
      'oauth',
      'api_key',
      'inject',
      'export',
      'setup',
      'docs',
      'client',
      'env',
      'registration',
    ];
    fc.assert(
      fc.property(
        fc.constantFrom(keyed, oauth),
        fc.dictionary(fc.constantFrom(...keys), value),
        (base, changes) => {
          expect(faultOf({ ...base, ...changes })).toMatch(/^(?:accepted|InvalidDefinition \/)/);
        },
      ),
    );
  });
});

describe('base URL', () => {
  const tenant = {
    ...oauth,
    api_url: '{base_url}/api',
    oauth: { authorization_url: '{base_url}/authorize', token_url: '{base_url}/token' },
  };

  it('stands for nothing until somebody names it', () => {
    const provider = parseProvider(tenant, 'bundled');
    expect(provider).toMatchObject({ needsBaseUrl: true, baseUrl: undefined, inject: [] });
    expect(provider.oauth?.tokenUrl).toBeUndefined();
    expect(JSON.stringify(provider)).not.toContain('base-url.invalid');
  });

  it('goes into endpoints, hosts and the document', () => {
    const provider = parseProvider(tenant, 'bundled', { baseUrl: 'https://Git.Acme.test:8443/sub/' });
    expect(provider).toMatchObject({
      needsBaseUrl: false,
      baseUrl: 'https://git.acme.test:8443/sub',
      inject: [{ hosts: [{ host: 'git.acme.test', port: 8443, pathPrefix: '/sub/api' }] }],
      oauth: { tokenUrl: 'https://git.acme.test:8443/sub/token' },
      document: {
        api_url: 'https://git.acme.test:8443/sub/api',
        oauth: { base_url: 'https://git.acme.test:8443/sub' },
      },
    });
  });

  it('wins over the default of the definition, and brings what self-hosting changes', () => {
    const both = {
      ...tenant,
      api_url: 'api.acme.test',
      oauth: { ...tenant.oauth, base_url: 'https://acme.test' },
      self_hosted: { api_url: '{base_url}/v3', oauth: { scopes: ['self'] } },
    };
    expect(parseProvider(both, 'bundled').inject[0]?.hosts[0]?.host).toBe('api.acme.test');
    expect(parseProvider(both, 'bundled', { baseUrl: 'https://acme.test/' }).inject[0]?.hosts[0]?.host).toBe(
      'api.acme.test',
    );
    const own = parseProvider(both, 'bundled', { baseUrl: 'https://own.test' });
    expect(own.inject[0]?.hosts[0]).toMatchObject({ host: 'own.test', pathPrefix: '/v3' });
    expect(own.oauth).toMatchObject({ tokenUrl: 'https://own.test/token', scopes: ['self'] });
  });

  it.each([
    'http://acme.test',
    'https://a:b@acme.test',
    'https://acme.test?x',
    'https://acme.test/#x',
    'acme.test',
    'file:///etc',
    'https://acme.test/{x}',
    '',
  ])('refuses %j', (baseUrl) =>
    expect(() => parseProvider(tenant, 'bundled', { baseUrl })).toThrow('the base URL must'),
  );

  it('is refused where it has no place', () => {
    expect(() => parseProvider(oauth, 'bundled', { baseUrl: 'https://own.test' })).toThrow(
      'does not accept a base URL',
    );
  });
});
