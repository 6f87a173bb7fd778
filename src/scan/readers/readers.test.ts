import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { replaceValues } from '../syntax/index.ts';
import { readerMet, readerOf, readers, type Where } from './index.ts';

const braced = (name: string) => `$\{${name}}`;
const base64 = (text: string) => Buffer.from(text).toString('base64');

interface Sample {
  readonly path: string;
  readonly text: string;
  /** Name, value, line and host of each secret, in order. */
  readonly found: readonly (readonly [name: string, value: string, line: number, host?: string])[];
}

/** `@1`, `@2` stand for the secrets, so that each text is its own expectation when others are written. */
const samples: Readonly<Record<string, Sample>> = {
  gh: {
    path: '/h/.config/gh/hosts.yml',
    text: 'github.com:\r\n    user: me\r\n    oauth_token: "@1" # mine\r\n    users:\r\n        me:\r\n            oauth_token: @1\r\nghe.corp.example:\r\n    oauth_token: @2',
    found: [
      ['oauth_token', '@1', 3, 'github.com'],
      ['oauth_token', '@1', 6, 'github.com'],
      ['oauth_token', '@2', 8, 'ghe.corp.example'],
    ],
  },
  git: {
    path: '/h/.git-credentials',
    text: 'https://me:@1@github.com\nhttps://@2:x-oauth-basic@github.com\nhttps://nobody@example.org:8443/path\n',
    found: [
      ['password', '@1', 1, 'github.com'],
      ['password', '@2', 2, 'github.com'],
      ['password', 'nobody', 3, 'example.org'],
    ],
  },
  netrc: {
    path: '/h/.netrc',
    text: '# machine no password @0\nmachine API.example.com\n\tlogin me\n\tpassword @1\nmacdef init\n  password @0\n\ndefault login x password "@2"',
    found: [
      ['password', '@1', 4, 'api.example.com'],
      ['password', '@2', 8],
    ],
  },
  npm: {
    path: '/p/.npmrc',
    text: '\ufeff; mine\n//registry.npmjs.org/:_authToken=@1\n//npm.pkg.github.com/:_authToken = "@2"\nsave-exact=true\n_authToken=@3\n',
    found: [
      ['_authToken', '@1', 2, 'registry.npmjs.org'],
      ['_authToken', '@2', 3, 'npm.pkg.github.com'],
      ['_authToken', '@3', 5, 'registry.npmjs.org'],
    ],
  },
  pip: {
    path: '/h/.config/pip/pip.conf',
    text: '[global]\nindex-url = https://me:@1@pypi.corp.example/simple\nextra-index-url =\n    https://public.example/simple\n    https://me:@2@other.example/simple\n# https://me:@0@old.example\n',
    found: [
      ['index-url', '@1', 2, 'pypi.corp.example'],
      ['extra-index-url', '@2', 5, 'other.example'],
    ],
  },
  pypi: {
    path: '/h/.pypirc',
    text: '[distutils]\nindex-servers = pypi corp\n[pypi]\nusername = __token__\npassword = @1\n[corp]\nrepository = https://pypi.corp.example/legacy/\npassword: @0\npassword=@2\n',
    found: [
      ['password', '@1', 5, 'upload.pypi.org'],
      ['password', '@2', 9, 'pypi.corp.example'],
    ],
  },
  aws: {
    path: '/h/.aws/credentials',
    text: '[default]\naws_access_key_id = AKIA\naws_secret_access_key = @1\n[work]\naws_session_token=@2',
    found: [
      ['aws_secret_access_key', '@1', 3, 'amazonaws.com'],
      ['aws_session_token', '@2', 5, 'amazonaws.com'],
    ],
  },
  gcloud: {
    path: '/h/.config/gcloud/application_default_credentials.json',
    text: '{"client_id":"x","client_secret":"public","refresh_token":"@1","type":"authorized_user"}',
    found: [['refresh_token', '@1', 1, 'oauth2.googleapis.com']],
  },
  'claude-code': {
    path: '/h/.claude/.credentials.json',
    text: '{"claudeAiOauth":{"accessToken":"@1","refreshToken":"@2","scopes":["a"]}}',
    found: [
      ['accessToken', '@1', 1],
      ['refreshToken', '@2', 1],
    ],
  },
  codex: {
    path: '/h/.codex/auth.json',
    text: '{\n  "OPENAI_API_KEY": "@1",\n  "tokens": {"access_token": "@2", "account_id": "x"}\n}',
    found: [
      ['OPENAI_API_KEY', '@1', 2],
      ['access_token', '@2', 3],
    ],
  },
  'gemini-cli': {
    path: '/h/.gemini/oauth_creds.json',
    text: '{\n  "access_token": "@1",\n  "scope": "a",\n  "id_token": "@2",\n  "other": {"access_token": "@0"}\n}',
    found: [
      ['access_token', '@1', 2],
      ['id_token', '@2', 4],
    ],
  },
  'github-copilot': {
    path: '/h/.copilot/config.json',
    text: '// "copilotTokens": {"a": "@0"}\n{"copilotTokens": {"https://github.com:me": "@1"},\n"authTokens": {"https://github.com:me:github": {"token": "@2", "host": "x"}}, "theme": "auto"}',
    found: [
      ['https://github.com:me', '@1', 2],
      ['token', '@2', 3],
    ],
  },
  mcp: {
    path: '/p/.cursor/mcp.json',
    text: '{\n// "env": {"KEY": "@0"}\n"mcpServers": {\n  "a": {"env": {"KEY": "@1",}},\n  "b": {"headers": {"Authorization": "Bearer @2", "Accept": "x"}, "url": "https://mcp.example.com/x"}}}',
    found: [
      ['KEY', '@1', 4],
      ['Authorization', '@2', 5, 'mcp.example.com'],
    ],
  },
};

const secrets: Readonly<Record<string, string>> = {
  '@0': 'zz0',
  '@1': 'one-1',
  '@2': 'two-2',
  '@3': 'three-3',
};
const others: Readonly<Record<string, string>> = {
  '@0': 'zz0',
  '@1': 'other1',
  '@2': 'other-22',
  '@3': 'o3',
};
const filled = (text: string, by: Readonly<Record<string, string>>) =>
  text.replace(/@[0-3]/g, (mark) => by[mark] ?? mark);

describe.each(Object.entries(samples))('the reader of %s', (name, { path, text, found }) => {
  const reader = readerOf(path);
  const read = (content: string) => reader.read(content) ?? [];

  it('is chosen by the path, and finds each secret with its line and its host', () => {
    expect(reader.name).toBe(name);
    expect(readerMet(path)).toBe(reader);
    const assignments = read(filled(text, secrets));
    expect(assignments.map(({ name: field, value, line, host }) => [field, value, line, host])).toEqual(
      found.map(([field, value, line, host]) => [field, filled(value, secrets), line, host]),
    );
    for (const { isReference } of assignments) expect(isReference).toBe(false);
  });

  it('says where each value stands, to the byte', () => {
    const before = filled(text, secrets);
    const replacements = read(before).map((assignment, index) => {
      const mark = found[index]?.[1] ?? '';
      return { assignment, value: others[mark] ?? mark };
    });
    expect(replaceValues(before, replacements)).toBe(filled(text, others));
  });

  it('reads what is cut off anywhere without an error', () => {
    const whole = filled(text, secrets);
    for (let length = 0; length < whole.length; length += 1) reader.read(whole.slice(0, length));
  });
});

describe('a password in base64', () => {
  it.each([
    [
      '/h/.docker/config.json',
      '{"auths":{"ghcr.io":{"auth":"@"},"https://index.docker.io/v1/":{}}}',
      'ghcr.io',
    ],
    ['/p/.npmrc', '//npm.corp.example/:_auth=@\n', 'npm.corp.example'],
    [
      '/p/.vscode/mcp.json',
      '{"servers":{"a":{"headers":{"Authorization":"Basic @"},"url":"https://a.example"}}}',
      'a.example',
    ],
  ])('is found in %s, and another one is written in its place', (path, text, host) => {
    const before = text.replace('@', base64('me:secret'));
    const [assignment, ...more] = readerOf(path).read(before) ?? [];
    expect(more).toEqual([]);
    if (assignment === undefined) throw new Error('not found');
    expect(assignment).toMatchObject({ value: 'secret', host });
    expect(replaceValues(before, [{ assignment, value: 'phantom-1' }])).toBe(
      text.replace('@', base64('me:phantom-1')),
    );
  });

  it('of npm has no user', () => {
    const [assignment] = readerOf('.npmrc').read(`//a.example/:_password=${base64('secret')}`) ?? [];
    expect(assignment?.value).toBe('secret');
    expect(assignment?.spell?.('other')).toBe(base64('other'));
  });
});

describe('what is no secret of the file', () => {
  it.each([
    ['.npmrc', `//x.example/:_authToken=${braced('NPM_TOKEN')}`],
    ['.cursor/mcp.json', `{"servers":{"a":{"env":{"KEY":"${braced('input:key')}"}}}}`],
    ['.cursor/mcp.json', `{"servers":{"a":{"headers":{"Authorization":"Bearer ${braced('env:KEY')}"}}}}`],
  ])('in %s is a reference: %s', (path, text) => {
    expect(readerOf(path).read(text)).toMatchObject([{ isReference: true }]);
  });

  it.each([
    ['.docker/config.json', '{"credsStore":"desktop","auths":{"ghcr.io":{}}}'],
    ['.cursor/mcp.json', '{"mcpServers":{"a":{"command":"npx","args":["KEY"]}},"env":{"KEY":"x"}}'],
    ['.codex/auth.json', '{"OPENAI_API_KEY":null}'],
    ['.netrc', 'machine a.example login me'],
    ['.git-credentials', 'https://github.com/me/repository\nssh://github.com\n'],
  ])('in %s is nothing: %s', (path, text) => {
    expect(readerOf(path).read(text)).toEqual([]);
  });
});

it('says that a file is not of its format, and reads JSON with comments', () => {
  const json = readers.filter(({ format }) => format === 'JSON');
  expect(json.length).toBeGreaterThan(3);
  for (const reader of json) {
    for (const text of ['', '{', 'a=1', '{"a":1}}', '['.repeat(10_000)])
      expect(reader.read(text)).toBeUndefined();
    expect(reader.read('// nothing\n{/* at all */}')).toEqual([]);
  }
});

it('stays quick on hostile text', () => {
  const texts = [
    'a.'.repeat(200_000),
    'https://'.repeat(50_000),
    '"\\'.repeat(200_000),
    ' =\n'.repeat(200_000),
    `a${' '.repeat(400_000)}b`,
  ];
  for (const reader of readers) for (const text of texts) reader.read(text);
});

it('never says that a value stands where it does not', () => {
  fc.assert(
    fc.property(fc.constantFrom(...readers), fc.string({ unit: 'binary' }), ({ read }, noise) => {
      for (const { start, end } of read(noise) ?? []) {
        expect(start).toBeLessThanOrEqual(end);
        expect(end).toBeLessThanOrEqual(noise.length);
      }
    }),
  );
});

describe('the places of a machine', () => {
  const where: Where = { home: '/h', environment: {}, platform: 'linux' };
  const places = (more: Partial<Where> = {}) =>
    readers.flatMap((reader) => reader.places({ ...where, ...more }));

  it('are each read by the reader that names them', () => {
    for (const reader of readers) {
      for (const place of reader.places(where))
        expect([place, readerOf(place).name]).toEqual([place, reader.name]);
    }
  });

  it('follow the variables that tools have for them', () => {
    const environment = {
      XDG_CONFIG_HOME: '/x',
      APPDATA: '/appdata',
      DOCKER_CONFIG: '/d',
      CODEX_HOME: '/c',
      CLAUDE_CONFIG_DIR: 'relative',
    };
    expect(places({ environment })).toEqual(
      expect.arrayContaining([
        '/x/gh/hosts.yml',
        '/appdata/GitHub CLI/hosts.yml',
        '/appdata/Claude/claude_desktop_config.json',
        '/d/config.json',
        '/c/auth.json',
        '/h/.claude/.credentials.json',
      ]),
    );
    expect(places({ platform: 'darwin' })).toContain(
      '/h/Library/Application Support/Claude/claude_desktop_config.json',
    );
  });
});
