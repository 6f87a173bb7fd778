import type { Chance } from '../../soak/payload.ts';
import { withText } from '../campaign.ts';
import type { DefinitionInput } from './corpus.ts';

type Json = unknown;

const names = [
  ...[
    'name',
    'auth_type',
    'flow',
    'api_url',
    'base_url',
    'self_hosted',
    'export',
    'env',
    'phantom',
    'client',
  ],
  ...[
    'client_id_env',
    'client_secret_env',
    'env_var',
    'key_pattern',
    'oauth',
    'token_url',
    'issuer',
    'setup',
  ],
  ...['any_of', 'kind', 'when', 'template', 'field', 'pointer'],
  ...['access_token', 'api_key', 'inject', 'hosts', 'placements', 'alternatives', 'registration', 'resource'],
  ...[
    'authorization_params',
    'token_params',
    'account',
    'allow_loopback',
    '__proto__',
    'constructor',
    'toString',
  ],
];
const values: readonly Json[] = [
  ...[null, true, false, 0, -1, 1e308, '', ' ', [], {}, [[]], [null], 'x'.repeat(2_000), '\ud800', 'a\r\nb'],
  ...[
    'EDITOR',
    'PAGER',
    'PATH',
    'GIT_TOKEN',
    'NODE_OPTIONS',
    'X_BASE_URL',
    'https_proxy',
    'AUTHSOME_KEY',
    'X_KEY',
  ],
  ...[
    'editor',
    'git',
    'node',
    'ssh',
    'ld',
    'npm-config',
    'x',
    'GIT_SSH_COMMAND',
    'SSH_ASKPASS',
    'LD_PRELOAD',
  ],
  ...[
    'EDITOR_CMD',
    'MAKEFLAGS',
    'ACME',
    'KEYS',
    'TOKEN',
    'npm_config_registry',
    'ACME_CA_KEY',
    'PS4',
    'id;#{random}',
    '{random}',
    '{random}/{random}',
  ],
  ...['^;id#[a-z]{32}$', '^[/~]{40}$', '^(?:a|b)[0-9]{30}$', '(a+)+$', '^[\\x00-\\x1f]{40}$', '^.{40}$'],
  ...[
    '*.com',
    '*.co.uk',
    '*.github.io',
    'regex:.*',
    'regex:^.*acme\\.example$',
    'regex:^a.example$',
    '*',
    '*.',
  ],
  ...[
    'regex:^([a-z]+\\.)?(acme|evil)\\.example$',
    'regex:^api[.]acme[.]example$',
    'acme.example.',
    'ACME.EXAMPLE',
  ],
  ...[
    'http://127.0.0.1:9600/x',
    'https://localhost/',
    'https://[::ffff:7f00:1]/',
    'https://0.0.0.0/',
    '{base_url}',
  ],
  ...[
    'http://acme.example/',
    'https://u:p@acme.example/',
    'javascript:alert(1)',
    'https://acme.example\\evil.example',
  ],
  ...[
    'https://acme.example/%2e%2e/',
    'https://acme.example/a/../b',
    'https://xn--80ak6aa92e.example',
    'localhost:1',
  ],
  ...[
    'path',
    'body',
    'websocket',
    'phantom',
    '/bot{secret}/',
    '/{secret}/{secret}',
    '{secret}',
    '/../{secret}',
  ],
  ...[
    '/a%2f{secret}',
    '/{secret}?a=1',
    '/{secret}#',
    '/a//{secret}',
    '/d/token',
    '/~2',
    '/a~1b/0',
    'd/token',
  ],
  ...[
    { kind: 'path', template: '/bot{secret}/' },
    [[{ kind: 'body', field: 'token' }], [{ kind: 'websocket' }]],
  ],
  ...[
    { env: { api_key: 'MAKEFLAGS', access_token: ['GIT_TOKEN'] } },
    { env: { access_token: ['EDITOR', 'PS4'] } },
  ],
  ...[{ env_var: 'KUBECONFIG' }, { client_secret_env: 'LD_PRELOAD' }, { phantom: 'id;#{random}' }],
  ...[
    { key_pattern: '^;id#[a-z]{32}$' },
    { token_url: 'http://127.0.0.1:9600/x' },
    ['*.com', 'acme.example'],
  ],
];
const pieces = [
  '{',
  '}',
  '[',
  ']',
  '"',
  ',',
  ':',
  '//',
  '/*',
  '*/',
  '\\',
  '\\u0000',
  '\0',
  '\ufeff',
  '1e999',
];
const baseUrls = [undefined, 'https://git.own.example', 'http://127.0.0.1:3000', 'https://own.example/path/'];
const maxText = 20_000;

/** Changes a definition in a few places; `other` gives what is spliced in. */
export function mutate(chance: Chance, input: DefinitionInput, other: DefinitionInput): DefinitionInput {
  let { text } = input;
  for (let times = 1 + chance.below(3); times > 0; times -= 1) {
    const document = chance.happens(0.85) ? parsed(text) : undefined;
    text =
      document === undefined
        ? withText(chance, text, pieces)
        : JSON.stringify(withValue(chance, document, parsed(other.text) ?? {}));
  }
  const baseUrl = chance.happens(0.2) ? chance.pick(baseUrls) : input.baseUrl;
  return { text: text.slice(0, maxText), baseUrl };
}

function parsed(text: string): Json {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The document with another value somewhere in it. */
function withValue(chance: Chance, document: Json, other: Json): Json {
  if (typeof document !== 'object' || document === null || chance.happens(0.15))
    return pickValue(chance, other);
  if (Array.isArray(document)) {
    const at = chance.below(document.length + 1);
    if (at === document.length) return [...document, pickValue(chance, other)];
    return chance.happens(0.2)
      ? document.toSpliced(at, 1)
      : document.with(at, withValue(chance, document[at], other));
  }
  const entries = Object.entries(document);
  const isNew = entries.length === 0 || chance.happens(0.25);
  const [name, value] = isNew ? [chance.pick(names), pickValue(chance, other)] : chance.pick(entries);
  const rest = entries.filter(([key]) => key !== name);
  if (!isNew && chance.happens(0.1)) return Object.fromEntries(rest);
  return Object.fromEntries([...rest, [name, isNew ? value : withValue(chance, value, other)]]);
}

/** A value of the list, or a part of another definition. */
function pickValue(chance: Chance, other: Json): Json {
  if (chance.happens(0.7) || typeof other !== 'object' || other === null) return chance.pick(values);
  const parts = Object.values(other);
  return parts.length === 0 ? null : chance.pick(parts);
}
