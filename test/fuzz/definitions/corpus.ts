/** A definition's text, as a stranger's file or URL has it, and the base URL that a person names with it. */
export interface DefinitionInput {
  readonly text: string;
  readonly baseUrl: string | undefined;
}

const definition = (document: unknown, baseUrl?: string): DefinitionInput => ({
  text: JSON.stringify(document),
  baseUrl,
});

const oauth = {
  authorization_url: 'https://id.acme.example/authorize',
  token_url: 'https://id.acme.example/token',
  issuer: 'https://id.acme.example',
  scopes: ['read', 'write'],
  account: { url: 'https://api.acme.example/me', field: 'user.login' },
};

const keys = { name: 'keys', auth_type: 'api_key', api_url: 'api.keys.example' };

/** Where the fuzzer starts from: definitions as people write them, and as an attacker does. */
export const corpus: readonly DefinitionInput[] = [
  definition({
    schema_version: 1,
    name: 'acme',
    auth_type: 'oauth2',
    api_url: ['https://api.acme.example', '*.acme.example', 'https://acme.example/api'],
    oauth,
    client: { client_id_env: 'ACME_CLIENT_ID', client_secret_env: 'ACME_CLIENT_SECRET' },
    export: { env: { access_token: ['ACME_TOKEN', 'ACME_ACCESS'] }, phantom: 'acme_{random}' },
    setup: { url: 'https://acme.example/apps', steps: ['Create an app.'] },
  }),
  definition({
    name: 'keys',
    auth_type: 'api_key',
    api_url: 'regex:^([a-z0-9-]+\\.)*keys\\.example$',
    api_key: { header_name: 'X-Key', env_var: 'KEYS_API_KEY', key_pattern: '^sk-[A-Za-z0-9_-]{20,}$' },
    export: { env: { api_key: 'KEYS_API_KEY' } },
    scrub: false,
  }),
  definition(
    {
      name: 'own-git',
      auth_type: 'oauth2',
      flow: 'device_code',
      api_url: '{base_url}/api',
      oauth: {
        base_url: 'https://git.example',
        token_url: '{base_url}/token',
        device_authorization_url: '{base_url}/device',
      },
      inject: [
        { hosts: ['{base_url}'], placements: [{ kind: 'basic', username: 'x', secret_as: 'password' }] },
      ],
      self_hosted: { api_url: '{base_url}', export: { env: { access_token: 'OWN_GIT_TOKEN' } } },
    },
    'https://git.own.example',
  ),
  definition({
    name: 'old',
    auth_type: 'oauth2',
    host_url: 'api.old.example',
    oauth: { authorization_url: 'https://old.example/a', token_url: 'https://old.example/t' },
    registration: { client_id_env: 'OLD_ID', docs_url: 'https://old.example/docs' },
    env: { access_token: 'OLD_TOKEN' },
  }),
  definition({ ...keys, api_key: { key_pattern: '^;id#[a-z]{32}$', env_var: 'KEYS_KEY' } }),
  definition({ ...keys, export: { env: { api_key: ['EDITOR', 'KEYS_OPTIONS'] }, phantom: '{random};id#' } }),
  definition({
    ...keys,
    any_of: [[{ kind: 'query', name: 'key' }], [{ kind: 'basic', secret_as: 'username', when: 'phantom' }]],
    inject: [
      {
        hosts: 'bot.keys.example',
        placements: [
          { kind: 'path', template: '/v1/bot{secret}/send' },
          { kind: 'header', name: 'X-Key', when: 'phantom' },
        ],
        any_of: [
          [{ kind: 'body', pointer: '/auth/a~1b' }],
          [{ kind: 'body', field: 'token' }],
          [{ kind: 'websocket', pointer: '/d/token' }, { kind: 'websocket' }],
        ],
      },
    ],
  }),
  definition({ ...keys, api_url: '*.com' }),
  definition({ ...keys, api_url: 'regex:^[a-z-]*keys\\.example$' }),
  definition({
    ...keys,
    auth_type: 'oauth2',
    flow: 'client_credentials',
    oauth: { token_url: 'http://127.0.0.1:9600/containers/create', token_request: 'json' },
    client: { client_secret_env: 'LD_PRELOAD' },
  }),
  definition({ ...keys, auth_type: 'oauth2', oauth: { issuer: 'https://[::ffff:7f00:1]:9600' } }),
];
