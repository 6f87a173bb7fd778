import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { entry, type Fixture, openFixture, withFixture } from '../support/fixture.ts';
import { fill, free, openSmallDisk } from '../support/small-disk.ts';

/** `login` takes over what Claude Code has of its own sign-in. With the program itself: test/agents. */
let fixture: Fixture;
let file: string;
beforeAll(async () => {
  fixture = await openFixture();
  mkdirSync(join(fixture.directory, '.claude'));
  file = join(fixture.directory, '.claude', '.credentials.json');
});
beforeEach(() => writeFileSync(file, credentials('a'), { mode: 0o600 }));
afterAll(() => fixture.close());

const token = (kind: string, which: string) => `sk-ant-${kind}01-${which.repeat(80)}`;
const credentials = (which: string): string =>
  JSON.stringify({
    claudeAiOauth: {
      accessToken: token('oat', which),
      refreshToken: token('ort', which),
      expiresAt: Date.now() + 3_600_000,
      scopes: ['user:inference'],
      subscriptionType: 'max',
    },
  });
const text = () => readFileSync(file, 'utf8');
const login = (...args: readonly string[]) => fixture.authsome(['login', 'claude-code', ...args]);
const refreshToken = async () =>
  (await fixture.authsome(['get', 'claude-code', '--field', 'refresh_token', '--show-secret'])).stdout.trim();

describe('a sign-in of Claude Code', () => {
  it('is taken over after a yes, once', async () => {
    const refused = await login();
    expect([refused.code, refused.stderr]).toEqual([
      2,
      expect.stringContaining('Allow it with: authsome login claude-code --yes'),
    ]);
    expect(text()).toBe(
      credentials('a').replace(/"expiresAt":\d+/, /"expiresAt":\d+/.exec(text())?.[0] ?? ''),
    );

    const taken = await login('--yes');
    expect([taken.code, taken.stderr]).toEqual([0, expect.stringContaining('Connected claude-code/default')]);
    expect(text()).not.toContain(token('oat', 'a'));
    expect(text()).not.toContain(token('ort', 'a'));
    expect(JSON.parse(text()).claudeAiOauth).toMatchObject({
      accessToken: expect.stringMatching(/^sk-ant-oat01-/),
      refreshToken: expect.stringMatching(/^sk-ant-ort01-/),
      subscriptionType: 'max',
    });
    expect(await refreshToken()).toBe(token('ort', 'a'));

    const phantoms = text();
    const again = await login('--yes', '--force');
    expect([again.code, again.stderr]).toEqual([
      expect.any(Number),
      expect.stringContaining('has phantoms: its sign-in was taken over before'),
    ]);
    expect(again.code).not.toBe(0);
    expect([text(), await refreshToken()]).toEqual([phantoms, token('ort', 'a')]);
  });

  it('replaces another one only with --force, and keeps the same phantoms', async () => {
    writeFileSync(file, credentials('b'), { mode: 0o600 });
    const before = text();
    const refused = await login('--yes');
    expect([refused.code, text()]).toEqual([6, before]);
    const { code } = await login('--yes', '--force');
    expect([code, await refreshToken()]).toEqual([0, token('ort', 'b')]);
  });

  it('is not replaced from inside of a run', async () => {
    writeFileSync(file, credentials('c'), { mode: 0o600 });
    const before = text();
    const { code, stderr } = await fixture.authsome([
      ...['run', '--', process.execPath, entry],
      ...['login', 'claude-code', '--force', '--yes'],
    ]);
    expect([code, stderr]).toEqual([
      12,
      expect.stringContaining('not from inside a run: replacing what claude-code is signed in with'),
    ]);
    expect([text(), await refreshToken()]).toEqual([before, token('ort', 'b')]);
  });

  it('can be put back, and says how to sign in where there is none', async () => {
    const { code } = await fixture.authsome(['scan', '--undo', file, '--force']);
    expect([code, text()]).toEqual([0, expect.stringContaining(token('ort', 'b'))]);
    writeFileSync(file, '{}');
    const none = await login('--yes');
    expect([none.code, none.stderr]).toEqual([
      expect.any(Number),
      expect.stringContaining('Sign in inside a run'),
    ]);
    expect(none.stderr).toContain('authsome run -- claude');
  });
});

it.runIf(process.platform === 'linux')('loses nothing on a full disk', async () => {
  await withFixture(await openFixture(), async (own) => {
    const disk = await openSmallDisk(own);
    try {
      const directory = join(disk.path, 'claude');
      const env = { AUTHSOME_HOME: own.home, CLAUDE_CONFIG_DIR: directory };
      const content = credentials('d');
      await disk.sh(`mkdir "$1"/claude && printf %s '${content}' >"$1"/claude/.credentials.json`);
      const read = async () => (await disk.sh('cat "$1"/claude/.credentials.json; ls -A "$1"/claude')).stdout;
      await disk.sh(fill);
      const { code, stderr } = await disk.authsome(['login', 'claude-code', '--yes'], env);
      expect([code, stderr]).toEqual([9, expect.stringContaining('no space left')]);
      expect(await read()).toBe(`${content}.credentials.json\n`);
      expect(readdirSync(own.home).includes('backups') ? readdirSync(join(own.home, 'backups')) : []).toEqual(
        [],
      );
      expect((await own.authsome(['get', 'claude-code'])).code).toBe(3);
      await disk.sh(free);
      expect((await disk.authsome(['login', 'claude-code', '--yes'], env)).code).toBe(0);
      expect(await read()).not.toContain(token('oat', 'd'));
    } finally {
      await disk.close();
    }
  });
});
