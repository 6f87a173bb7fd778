/** What tools keep in a home: found, moved, replaced and restored, and never shown. */
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Fixture, openFixture } from '../support/fixture.ts';

let count = 0;
const planted: string[] = [];
/** A secret that is in one place only. */
function secret(prefix: string, length = 40): string {
  count += 1;
  const random = `q${count}Zx9Cv8Bn7Mq6Wp5Er4Ty3Ui2Op1As0Df9Gh8Jk7Lz6`.slice(0, length);
  planted.push(prefix + random);
  return prefix + random;
}
const base64 = (text: string) => Buffer.from(text).toString('base64');

const github = secret('ghp_', 36);
const files: Readonly<Record<string, string>> = {
  '.config/gh/hosts.yml': `github.com:\n    oauth_token: ${github} # mine\n    user: me\n`,
  '.git-credentials': `https://me:${github}@github.com\nhttps://oauth2:${secret('glpat-', 20)}@gitlab.com\n`,
  '.netrc': `machine api.openai.com login me password ${secret('sk-proj-')}\nmachine ftp.example.org password ${secret('')}`,
  '.npmrc': `//registry.npmjs.org/:_authToken=${secret('npm_')}\r\n//npm.pkg.github.com/:_authToken="${github}"\r\n`,
  '.config/pip/pip.conf': `[global]\nindex-url = https://me:${secret('')}@pypi.corp.example/simple\n`,
  '.pypirc': `[pypi]\nusername = __token__\npassword = ${secret('pypi-')}\n`,
  '.docker/config.json': `{\n\t"auths": {\n\t\t"ghcr.io": { "auth": "${base64(`me:${github}`)}" },\n\t\t"https://index.docker.io/v1/": {"auth": "${base64(`me:${secret('dckr_pat_')}`)}"}\n\t}\n}\n`,
  '.aws/credentials': `[default]\naws_access_key_id = AKIA0123456789ABCDEF\naws_secret_access_key = ${secret('')}\n`,
  '.config/gcloud/application_default_credentials.json': `{"client_id":"x","refresh_token":"${secret('1//0g')}","type":"authorized_user"}`,
  '.claude/.credentials.json': `{"claudeAiOauth":{"accessToken":"${secret('sk-ant-oat01-')}","refreshToken":"${secret('sk-ant-ort01-')}"}}`,
  '.codex/auth.json': `{"OPENAI_API_KEY":"${secret('sk-proj-')}","tokens":{"refresh_token":"${secret('rt_')}"}}`,
  '.cursor/mcp.json': `{\n  // of mine\n  "mcpServers": {\n    "a": {"env": {"GITHUB_PERSONAL_ACCESS_TOKEN": "${github}", "LEVEL": "debug"},},\n    "b": {"url": "https://mcp.example.com/mcp", "headers": {"Authorization": "Bearer ${secret('')}"}}\n  }\n}\n`,
  '.bashrc': `export ANTHROPIC_API_KEY="${secret('sk-ant-api03-')}" # mine\nexport DATABASE_URL=postgres://me:${secret('')}@db.example/x\n`,
};

let fixture: Fixture;
const path = (name: string) => join(fixture.directory, name);
const contents = () =>
  Object.fromEntries(Object.keys(files).map((name) => [name, readFileSync(path(name), 'utf8')]));

beforeAll(async () => {
  fixture = await openFixture({ AUTHSOME_LOG_LEVEL: 'debug' });
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(path(name)), { recursive: true });
    writeFileSync(path(name), text);
  }
  symlinkSync(path('.bashrc'), path('.zshrc'));
});
afterAll(() => fixture.close());

/** The places that have a planted secret, plain or in base64. */
function placesOf(texts: readonly (readonly [string, string])[]): readonly string[] {
  const forms = planted.flatMap((value) => [value.slice(-16), base64(`me:${value}`).slice(-20, -4)]);
  return texts.filter(([, text]) => forms.some((form) => text.includes(form))).map(([where]) => where);
}

const found = {
  '~/.config/gh/hosts.yml:2': 'github/default',
  '~/.git-credentials:1': 'github/default',
  '~/.git-credentials:2': 'gitlab/default',
  '~/.netrc:1': 'openai/default',
  '~/.npmrc:2': 'npmgh/default',
  '~/.docker/config.json:3': 'github/default',
  '~/.codex/auth.json:1': 'openai/codex',
  '~/.cursor/mcp.json:4': 'github/default',
  '~/.bashrc:1': 'anthropic/default',
};
const unclaimed = [
  '~/.netrc:2',
  '~/.npmrc:1',
  '~/.config/pip/pip.conf:2',
  '~/.pypirc:3',
  '~/.docker/config.json:4',
  '~/.aws/credentials:3',
  '~/.cursor/mcp.json:5',
  '~/.bashrc:2',
];
/** Found, and left where they are. */
const left = [
  '~/.config/gcloud/application_default_credentials.json:1',
  '~/.claude/.credentials.json:1',
  '~/.claude/.credentials.json:1',
  '~/.codex/auth.json:1',
];
interface Place {
  readonly file: string;
  readonly line: number;
}
const at = ({ file, line }: Place) => `${file}:${line}`;

describe('scan --machine', () => {
  it('lists what is there, and says nothing of what is not', async () => {
    const outcome = await fixture.authsome(['scan', '--machine']);
    expect(outcome.code).toBe(0);
    expect(outcome.stderr.split('\n')).toEqual([
      `Skipped: ${path('.zshrc')} is a symbolic link`,
      '8 secrets have no provider, and cannot be moved. Add a provider with: authsome register <file>',
      'Move them into the vault: authsome scan --machine --import',
      '',
    ]);
    const document = await fixture.json(['scan', '--machine']);
    expect(document.found.map(at).sort()).toEqual([...Object.keys(found), ...left].sort());
    expect(document.without_provider.map(at).sort()).toEqual([...unclaimed].sort());
  });

  it('moves keys to connections, writes their phantoms, and restores every byte', async () => {
    const before = contents();
    const rewriting = await fixture.authsome(['scan', '--machine', '--rewrite']);
    expect([rewriting.code, rewriting.stderr]).toEqual([0, expect.stringContaining('This is rewrite 1.')]);
    expect(rewriting.stderr).toContain('docker pull and docker push are refused');
    expect(rewriting.stderr.trim().split('\n').slice(-2)).toEqual([
      'Start what reads ~/.config/gh/hosts.yml, ~/.git-credentials, ~/.netrc, ~/.npmrc, ~/.docker/config.json, ~/.cursor/mcp.json and ~/.bashrc with: authsome run -- <gh, git, what you start, npm or docker>',
      'Start what reads ~/.codex/auth.json with: authsome run --connection openai=codex -- codex …',
    ]);
    const after = contents();
    const changed = Object.keys(files).filter((name) => after[name] !== before[name]);
    expect(changed.sort()).toEqual(
      [...new Set(Object.keys(found).map((place) => place.slice(2).replace(/:\d+$/, '')))].sort(),
    );
    const phantom = /oauth_token: (\S+)/.exec(after['.config/gh/hosts.yml'] ?? '')?.[1] ?? '';
    expect(phantom).toMatch(/^ghp_\w{36}$/);
    // The same connection, the same phantom, and not one byte else.
    expect(after['.config/gh/hosts.yml']).toBe(files['.config/gh/hosts.yml']?.replace(github, phantom));
    expect(after['.cursor/mcp.json']).toBe(files['.cursor/mcp.json']?.replace(github, phantom));
    expect(after['.docker/config.json']).toContain(`"auth": "${base64(`me:${phantom}`)}"`);
    expect(after['.docker/config.json']).toContain(
      base64(`me:${planted.find((each) => each.startsWith('dckr'))}`),
    );
    const again = await fixture.json(['scan', '--machine']);
    expect(again.found.map(at).sort()).toEqual([...left].sort());
    expect(rewriting.stderr).toContain('Take that over with: authsome login claude-code');

    expect((await fixture.authsome(['scan', '--undo'])).code).toBe(0);
    expect(contents()).toEqual(before);
    expect((await fixture.authsome(['scan', '--undo'])).code).toBe(4);
  });

  it('names the connections after where the keys were', async () => {
    const document = await fixture.json(['scan', '--machine']);
    const connections = document.found.flatMap(
      (each: Place & { readonly provider: string; readonly connection: string | null }) =>
        each.connection === null ? [] : [[at(each), `${each.provider}/${each.connection}`]],
    );
    expect(Object.fromEntries(connections)).toEqual(found);
  });

  it('has shown no secret to anybody, and left none in the home', async () => {
    await fixture.authsome(['log', '-n', '200', '--json']);
    await fixture.authsome(['daemon', 'logs']);
    const home = readdirSync(fixture.home, { withFileTypes: true, recursive: true })
      .filter((file) => file.isFile())
      .map((file) => join(file.parentPath, file.name));
    expect(home).toContain(join(fixture.home, 'server/authsome.db'));
    const texts = [
      ...fixture.written.map((text) => ['an output', text] as const),
      ...home.map((file) => [file, readFileSync(file, 'latin1')] as const),
    ];
    expect(placesOf(texts)).toEqual([]);
    // The search itself finds what is there.
    expect(placesOf(Object.entries(contents()))).toHaveLength(Object.keys(files).length);
  });
});
