import {
  chmodSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { entry, type Fixture, openFixture, register, withFixture } from '../support/fixture.ts';
import { pixel } from '../support/service/index.ts';

const keys = {
  pixel: `px_${'a1b2c3d4'.repeat(4)}`,
  other: `px_${'z9y8x7w6'.repeat(4)}`,
  openai: 'sk-q7W8e9R0t1Y2u3I4o5P6#not-a-comment',
  anthropic: 'sk-ant-api03-Zx9Cv8Bn7Mq6Wp5Er4Ty3',
  github: 'ghp_0a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R',
} as const;

interface Found {
  readonly provider: string;
  readonly variable: string;
  readonly file: string | null;
  readonly line: number | null;
  readonly in_vault: string;
}

/** A project folder beside the home. */
async function createProject(): Promise<Fixture & { readonly project: string; path(name: string): string }> {
  const fixture = await openFixture({ AUTHSOME_LOG_LEVEL: 'debug' });
  await register(fixture, pixel);
  const project = join(fixture.directory, 'project');
  mkdirSync(project);
  return { ...fixture, project, path: (name) => join(project, name) };
}

function filesUnder(directory: string): readonly string[] {
  return readdirSync(directory, { withFileTypes: true, recursive: true })
    .filter((file) => file.isFile())
    .map((file) => join(file.parentPath, file.name));
}

const absent = { in_vault: 'absent', connection: null };
const rows = (found: readonly Found[]) =>
  found.map(({ provider, file, line, in_vault }) => [provider, file, line, in_vault]);

it('reports, imports, rewrites and undoes, and shows no value to anybody', async () => {
  await withFixture(await createProject(), async (fixture) => {
    const { project: cwd, path } = fixture;
    const original = [
      '\ufeff# our keys',
      `export PIXEL_API_KEY="${keys.pixel}"  # for the demo`,
      `CLAUDE = '${keys.anthropic}' `,
      `GH_TOKEN=${keys.github} # mine`,
      'NAME=value',
      'GITHUB_TOKEN=$GH_TOKEN',
      'LAST=1',
    ].join('\r\n');
    writeFileSync(path('.env'), original);
    chmodSync(path('.env'), 0o640);
    const profile = `if true; then export PIXEL_API_KEY=${keys.other}; fi\n`;
    writeFileSync(path('profile.sh'), profile);
    const env = { MY_PIXEL: keys.pixel, PATH: fixture.env.PATH ?? '' };

    const first = await fixture.json(['scan'], 0, { cwd, env });
    expect(first).toEqual({
      v: 1,
      found: [
        { provider: 'pixel', variable: 'PIXEL_API_KEY', file: '.env', line: 2, ...absent },
        { provider: 'anthropic', variable: 'CLAUDE', file: '.env', line: 3, ...absent },
        { provider: 'github', variable: 'GH_TOKEN', file: '.env', line: 4, ...absent },
        { provider: 'pixel', variable: 'MY_PIXEL', file: null, line: null, ...absent },
      ],
      without_provider: [],
    });
    expect(
      (await fixture.json(['list'])).providers.flatMap((each: Record<string, unknown>) => each.connections),
    ).toEqual([]);

    const moved = await fixture.json(['scan', '--import', '--yes'], 0, { cwd, env });
    expect(rows(moved.found).map(([, , , inVault]) => inVault)).toEqual(Array(4).fill('same'));
    expect(moved.imported).toContainEqual({
      provider: 'pixel',
      connection: 'default',
      variable: 'PIXEL_API_KEY',
      file: '.env',
      line: 2,
    });
    expect(moved.left).toEqual([]);
    expect(readFileSync(path('.env'), 'utf8')).toBe(original);
    expect(
      (await fixture.authsome(['get', 'pixel', '--field', 'api_key', '--show-secret'])).stdout.trim(),
    ).toBe(keys.pixel);
    // This one was asked to show it: its stdout and stderr do not count.
    fixture.written.splice(-2);

    const differs = await fixture.json(['scan', 'profile.sh'], 0, { cwd });
    expect(rows(differs.found)).toEqual([['pixel', 'profile.sh', 1, 'different']]);
    const second = await fixture.json(['scan', 'profile.sh', '--import', '--yes'], 0, { cwd });
    expect(second.imported).toMatchObject([{ provider: 'pixel', connection: 'pixel-api-key' }]);
    expect(rows(second.found)).toEqual([['pixel', 'profile.sh', 1, 'same']]);

    const inode = statSync(path('.env')).ino;
    const rewriting = await fixture.authsome(['scan', '--rewrite'], { cwd, env });
    expect(rewriting.code).toBe(0);
    expect(rewriting.stderr).toContain('Rewrote .env: 3 values replaced');
    const rewritten = readFileSync(path('.env'), 'utf8');
    expect(rewritten.split('\r\n')).toEqual([
      '\ufeff# our keys',
      expect.stringMatching(/^export PIXEL_API_KEY="px_\w{32}" {2}# for the demo$/),
      expect.stringMatching(/^CLAUDE = 'sk-ant-api03-\w*phantom\w+' $/),
      expect.stringMatching(/^GH_TOKEN=ghp_\w*phantom\w+ # mine$/),
      'NAME=value',
      'GITHUB_TOKEN=$GH_TOKEN',
      'LAST=1',
    ]);
    const stats = statSync(path('.env'));
    expect([stats.mode & 0o777, stats.ino === inode]).toEqual([0o640, false]);
    expect(readdirSync(cwd).sort()).toEqual(['.env', 'profile.sh']);
    expect((await fixture.json(['scan'], 0, { cwd })).found).toEqual([]);

    const backups = join(fixture.home, 'backups');
    expect(statSync(backups).mode & 0o777).toBe(0o700);
    for (const file of filesUnder(backups)) expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(filesUnder(backups)).toHaveLength(1);

    writeFileSync(path('.env'), `${rewritten}\r\nMORE=1`);
    expect(await fixture.json(['scan', '--undo'], 4, { cwd })).toMatchObject({
      error: 'OperationNotAllowed',
      message: expect.stringContaining('was changed since'),
    });
    expect(readFileSync(path('.env'), 'utf8')).toContain('MORE=1');
    // Everything is as it is after use, with the values nowhere but in the vault.
    writeFileSync(path('profile.sh'), '');
    await fixture.authsome(['log', '-n', '200', '--json']);
    await fixture.authsome(['daemon', 'logs']);
    const everything = [
      ...filesUnder(fixture.home).map((file) => [file, readFileSync(file, 'latin1')] as const),
      ...filesUnder(cwd).map((file) => [file, readFileSync(file, 'latin1')] as const),
      ...fixture.written.map((text) => ['an output', text] as const),
    ];
    expect(everything.map(([file]) => file)).toContain(join(fixture.home, 'server/authsome.db'));
    for (const key of Object.values(keys)) {
      // Not a part of it either: what follows the prefix that all keys of the service share.
      const forms = [
        key.slice(-16),
        Buffer.from(key).toString('base64').slice(4, 24),
        Buffer.from(key).toString('hex'),
      ];
      const places = everything.filter(([, text]) => forms.some((form) => text.includes(form)));
      expect(places.map(([where]) => where)).toEqual([]);
    }
    expect(fixture.written.join('')).toContain('secret.compared');

    const undone = await fixture.json(['scan', '--undo', '--force'], 0, { cwd });
    expect(undone.restored).toHaveLength(1);
    expect(readFileSync(path('.env'), 'utf8')).toBe(original);
    expect(statSync(path('.env')).mode & 0o777).toBe(0o640);
    expect(filesUnder(backups)).toEqual([]);
    expect((await fixture.authsome(['scan', '--undo'], { cwd })).code).toBe(4);
  });
});

it('names connections when there are several values, and continues when one is refused', async () => {
  await withFixture(await createProject(), async (fixture) => {
    const { project: cwd, path } = fixture;
    writeFileSync(path('.env'), `PIXEL_API_KEY=${keys.pixel}\nOPENAI_API_KEY=${keys.openai}\n`);
    writeFileSync(path('.env.production'), `PIXEL_API_KEY=${keys.other}\n`);
    const outcome = await fixture.authsome(['scan', '--import', '--rewrite', '--yes', '--json'], { cwd });
    // The whole value was read: no OpenAI key has a `#`, and half of one must not be stored.
    expect(outcome.code).toBe(10);
    const document = JSON.parse(outcome.stdout);
    expect(rows(document.found)).toEqual([
      ['pixel', '.env', 1, 'same'],
      ['openai', '.env', 2, 'absent'],
      ['pixel', '.env.production', 1, 'same'],
    ]);
    expect(document.imported.map(({ connection }: { connection: string }) => connection)).toEqual([
      'default',
      'production',
    ]);
    expect(document.left).toMatchObject([{ provider: 'openai', error: 'InvalidKey' }]);
    expect(document.rewritten).toEqual([
      { file: '.env', values: 1 },
      { file: '.env.production', values: 1 },
    ]);
    expect(readFileSync(path('.env'), 'utf8')).toContain(`OPENAI_API_KEY=${keys.openai}\n`);
    const phantomIn = (file: string) => /^PIXEL_API_KEY=(.+)$/m.exec(readFileSync(path(file), 'utf8'))?.[1];
    const phantoms = [phantomIn('.env'), phantomIn('.env.production')];
    expect(phantoms).toEqual(Array(2).fill(expect.stringMatching(/^px_\w{32}$/)));
    expect(new Set([...phantoms, keys.pixel, keys.other]).size).toBe(4);
    // The same again, in every run.
    const shown = await fixture.authsome(['run', '--', 'sh', '-c', 'echo $PIXEL_API_KEY']);
    expect(shown.stdout.trim()).toBe(phantoms[0]);
    expect(outcome.stdout + outcome.stderr).not.toMatch(/q7W8|not-a-comment|z9y8|a1b2/);

    writeFileSync(path('.env'), `PIXEL_API_KEY=px_${'forced00'.repeat(4)}\n`);
    const forced = await fixture.json(['scan', '.env', '--import', '--force', '--yes'], 0, { cwd });
    expect(forced.imported).toMatchObject([{ provider: 'pixel', connection: 'default' }]);
  });
});

it('leaves out what it cannot read, says why, and refuses it when it was named', async () => {
  await withFixture(await createProject(), async (fixture) => {
    const { project: cwd, path } = fixture;
    writeFileSync(path('.env'), `PIXEL_API_KEY=${keys.pixel}\n`);
    symlinkSync(path('.env'), path('.env.link'));
    writeFileSync(path('.env.binary'), Buffer.from([0x41, 0x3d, 0x00, 0x42]));
    writeFileSync(path('.env.latin'), Buffer.from([0x41, 0x3d, 0xe9]));
    writeFileSync(path('.env.huge'), 'A=1\n'.repeat(300_000));
    mkdirSync(path('.env.d'));
    const reasons = {
      '.env.link': 'is a symbolic link',
      '.env.binary': 'is not a text file: it contains NUL bytes',
      '.env.latin': 'is not UTF-8 text',
      '.env.huge': 'is larger than 1 MiB',
    };
    const outcome = await fixture.authsome(['scan', '--quiet'], { cwd });
    expect(outcome.code).toBe(0);
    expect(outcome.stdout).toMatch(
      /^PROVIDER +VARIABLE +WHERE +IN VAULT\npixel +PIXEL_API_KEY +\.env:1 +absent\n$/,
    );
    for (const [file, reason] of Object.entries(reasons)) {
      expect(outcome.stderr).toContain(`Skipped: ${path(file)} ${reason}`);
      expect(await fixture.json(['scan', file], 2, { cwd })).toMatchObject({
        error: 'Usage',
        message: `${path(file)} ${reason}`,
      });
    }
    expect(await fixture.json(['scan', 'nowhere'], 2, { cwd })).toMatchObject({ error: 'Usage' });
    expect((await fixture.json(['scan', '.env.d'], 0, { cwd })).found).toEqual([]);
    expect((await fixture.authsome(['scan', '--undo', '--rewrite'], { cwd })).code).toBe(2);
    expect((await fixture.authsome(['scan', '--force'], { cwd })).code).toBe(2);
    expect(readFileSync(path('.env'), 'utf8')).toBe(`PIXEL_API_KEY=${keys.pixel}\n`);
  });
});

it('does not rewrite a file whose secret would stay under another name', async () => {
  await withFixture(await createProject(), async (fixture) => {
    const { project: cwd, path } = fixture;
    const text = `PIXEL_API_KEY=${keys.pixel}\n`;
    writeFileSync(path('.env'), text);
    linkSync(path('.env'), path('copy'));
    writeFileSync(path('.env.other'), text);
    const outcome = await fixture.json(['scan', '--import', '--rewrite', '--yes'], 4, { cwd });
    expect(outcome.imported).toHaveLength(2);
    expect(outcome.rewritten).toEqual([{ file: '.env.other', values: 1 }]);
    expect(outcome.not_rewritten).toMatchObject([
      { file: '.env', error: 'OperationNotAllowed', message: `${path('.env')} has 2 hard links` },
    ]);
    expect([readFileSync(path('.env'), 'utf8'), readFileSync(path('copy'), 'utf8')]).toEqual([text, text]);
    expect(filesUnder(join(fixture.home, 'backups'))).toHaveLength(1);
    expect(readdirSync(cwd).sort()).toEqual(['.env', '.env.other', 'copy']);
  });
});

it('sees no secret in the phantoms of a run', async () => {
  await withFixture(await createProject(), async (fixture) => {
    const { project: cwd, path } = fixture;
    writeFileSync(path('.env'), `PIXEL_API_KEY=${keys.pixel}\n`);
    await fixture.json(['scan', '--import', '--rewrite', '--yes'], 0, { cwd });
    const outcome = await fixture.authsome(['run', '--', process.execPath, entry, 'scan', '--json'], { cwd });
    expect(JSON.parse(outcome.stdout)).toEqual({ v: 1, found: [], without_provider: [] });
  });
});

it('has its help, its page and its completion', async () => {
  await withFixture(await createProject(), async (fixture) => {
    expect((await fixture.authsome(['scan', '--help'])).stdout).toContain('authsome scan --machine');
    expect((await fixture.authsome(['help', 'scan'])).stdout).toContain('No value is ever printed');
    expect((await fixture.authsome(['complete', '--', 'scan', '--re'])).stdout).toContain('--rewrite');
  });
});
