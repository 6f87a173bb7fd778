import { describe, expect, it } from 'vitest';
import { loadBundled } from '../bundled.ts';
import { parseProvider } from './definition.ts';

const keyed = {
  schema_version: 1,
  name: 'acme-two',
  auth_type: 'api_key',
  api_url: 'https://api.acme.test',
};
const parse = (more: Readonly<Record<string, unknown>>) => parseProvider({ ...keyed, ...more }, 'custom');
const setting = (variable: string, name = 'acme-two') =>
  parse({ name, export: { env: { api_key: variable } } });

describe('a variable that a definition sets', () => {
  it.each([
    ...['ACME_TOKEN', 'OTHER_API_KEY', 'X_SECRET', 'X_PAT', 'X_PASSWORD', 'X_CREDENTIALS'],
    ...['ACME_TWO_ACCESS', 'ACME_TWO_AUTH', 'ACME_TWO_JWT', 'ACME_TWO_KEY'],
  ])('may be %s', (variable) => {
    expect(setting(variable).exportVariables).toEqual([{ name: variable, value: 'api_key' }]);
  });

  it.each([
    'ACME',
    'TOKEN',
    'KEY',
    'ACME_TOKENS',
    'ACME_TWO',
    'ACME_TWO_',
    'ACME_TWOFOLD',
    'acme_two_access',
    'LESS',
  ])('may not be %s, which is no name of a secret', (variable) => {
    expect(() => setting(variable)).toThrow(/^\/export\/env\/api_key: must /);
    expect(() => parse({ api_key: { env_var: variable } })).toThrow(/^\/api_key\/env_var: must /);
  });

  it.each([
    ['editor', 'EDITOR'],
    ['pager', 'PAGER'],
    ['visual', 'VISUAL'],
    ['browser', 'BROWSER'],
    ['git', 'GIT_SSH_COMMAND'],
    ['git', 'GIT_TOKEN'],
    ['git', 'git_askpass'],
    ['node', 'NODE_OPTIONS'],
    ['node', 'NODE_AUTH_TOKEN'],
    ['ssh', 'SSH_ASKPASS'],
    ['sudo', 'SUDO_ASKPASS'],
    ['ld', 'LD_PRELOAD'],
    ['dyld', 'DYLD_INSERT_LIBRARIES'],
    ['python', 'PYTHONSTARTUP'],
    ['npm-config', 'NPM_CONFIG_SCRIPT_SHELL'],
    ['npm', 'npm_config_registry'],
    ['npm', 'npm_config__auth_TOKEN'],
    ['java', 'JAVA_TOOL_OPTIONS'],
    ['jdk', 'JDK_JAVA_OPTIONS'],
    ['anthropic', 'ANTHROPIC_BASE_URL'],
    ['https', 'HTTPS_PROXY'],
    ['aws', 'AWS_CA_BUNDLE'],
    ['node', 'NODE_EXTRA_CA_CERTS'],
    ['acme', 'ACME_CA_KEY'],
    ['authsome', 'AUTHSOME_IDENTITY_KEY'],
    ['docker', 'DOCKER_HOST'],
    ['pip', 'PIP_INDEX_URL'],
    ['prompt', 'PROMPT_COMMAND'],
    ['bash', 'BASH_ENV'],
    ['cargo', 'CARGO_BUILD_RUSTC_WRAPPER'],
    ['rustc', 'RUSTC_WRAPPER'],
    ['ps4', 'PS4'],
    ['rsync', 'RSYNC_RSH'],
    ['rsync', 'RSYNC_CONNECT_PROG'],
    ['svn', 'SVN_SSH'],
    ['lua', 'LUA_INIT_5_4'],
    ['claude-code', 'CLAUDE_CODE_SHELL_PREFIX'],
    ['electron', 'ELECTRON_RUN_AS_NODE'],
    ['ansible', 'ANSIBLE_LIBRARY'],
    ['tf', 'TF_CLI_ARGS_apply'],
    ['aws', 'AWS_ENDPOINT_URL_S3'],
    ['gtk', 'GTK_MODULES'],
    ['erl', 'ERL_AFLAGS'],
    ['cargo', 'CARGO_BUILD_RUSTC'],
    ['dotnet', 'DOTNET_STARTUP_HOOKS'],
    ['makeflags', 'MAKEFLAGS'],
    ['kubeconfig', 'KUBECONFIG'],
    ['sslkeylogfile', 'SSLKEYLOGFILE'],
  ])('of the provider %s may not be %s, which steers programs', (name, variable) => {
    expect(() => setting(variable, name)).toThrow(/^\/export\/env\/api_key: must /);
    expect(() => parse({ name, api_key: { env_var: variable } })).toThrow(/^\/api_key\/env_var: must /);
  });

  it('is checked in the definition for a self-hosted service, too', () => {
    const document = {
      ...keyed,
      api_url: '{base_url}',
      self_hosted: { export: { env: { api_key: 'EDITOR' } } },
    };
    expect(() => parseProvider(document, 'custom', { baseUrl: 'https://own.acme.test' })).toThrow(
      '/export/env/api_key: must not be EDITOR',
    );
  });

  it('keeps the rule in every bundled definition', async () => {
    for (const document of await loadBundled()) {
      const { exportVariables, apiKey, name } = parseProvider(document, 'bundled');
      const named = [...exportVariables.map((each) => each.name), apiKey?.envVar ?? `${name}_KEY`];
      for (const variable of named) {
        expect(variable).toMatch(/_(?:TOKEN|KEY|SECRET|PAT|PASSWORD|CREDENTIALS)$/);
      }
    }
  });
});

describe('a variable that a definition reads', () => {
  const client = (fields: object) => ({
    ...keyed,
    auth_type: 'oauth2',
    oauth: { authorization_url: 'https://id.acme.test/a', token_url: 'https://id.acme.test/t' },
    client: fields,
  });

  it('for a client may have any name', () => {
    const fields = { client_id_env: 'GOOGLE_CLIENT_ID', client_secret_env: 'ANY_NAME' };
    expect(parseProvider(client(fields), 'custom').client).toMatchObject({
      clientIdEnv: 'GOOGLE_CLIENT_ID',
      clientSecretEnv: 'ANY_NAME',
    });
  });

  it.each(['PATH', 'HOME', 'NODE_OPTIONS', 'LD_PRELOAD', 'https_proxy'])(
    'may not be %s, which a run would take from its child',
    (variable) => {
      for (const field of ['client_id_env', 'client_secret_env']) {
        expect(() => parseProvider(client({ [field]: variable }), 'custom')).toThrow(
          `/client/${field}: must not be ${variable}`,
        );
      }
    },
  );
});

describe('the text of a phantom', () => {
  it.each([
    'id>x;#{random}',
    '{random} --help',
    '$(id){random}',
    '/tmp/x{random}',
    '{random}`id`',
    'a,b-{random}',
  ])('is refused where a program could run it: %s', (phantom) => {
    expect(() => parse({ export: { phantom } })).toThrow(/^\/export\/phantom: must be 8 to 512 letters/);
  });

  it.each(['^;id#[a-z]{32}$', '^/tmp/[a-z]{32}$', '^key [a-z]{32}$', '^[/~]{4}[a-z]{32}$'])(
    'is refused where the keys need such characters: %s',
    (key_pattern) => {
      expect(() => parse({ api_key: { key_pattern } })).toThrow(
        /^\/api_key\/key_pattern: needs characters that no phantom may have/,
      );
    },
  );

  it('may have the marks of a key', () => {
    expect(parse({ export: { phantom: 'A.b_c:d@e+f=-{random}' } }).phantom).toBe('A.b_c:d@e+f=-{random}');
  });
});
