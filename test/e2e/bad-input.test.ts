import { chmodSync, copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { entry, type Fixture, gone, openFixture, withFixture } from '../support/fixture.ts';

const fixture = () => openFixture();

async function stop(home: Fixture): Promise<void> {
  const pid = home.daemonPid();
  await home.authsome(['daemon', 'stop']);
  if (pid !== undefined) await gone(pid, 10_000);
}

describe('what a person mistypes', () => {
  it('gets a clear error, an exit code and a suggestion', async () => {
    await withFixture(await fixture(), async (home) => {
      const cases = [
        [['gti'], 2, /unknown command/i],
        [['lits'], 2, /did you mean.*list/i],
        [['login'], 2, /provider/i],
        [['connections'], 2, /connections needs one of: set-default/],
        [['daemon'], 2, /daemon needs one of: .*restart/],
        [['login', 'githb'], 4, /did you mean.*github/i],
        [['login', 'github', '--flow', 'nonsense'], 2, /flow/i],
        [['inspect', 'nobody'], 4, /nobody/],
        [['get', 'github'], 3, /github/],
        [['get', 'github', '--connection', 'x'], 3, /github/],
        [['run'], 2, /command/],
        [['run', '--provider', 'githb', '--', 'true'], 4, /githb/],
        [['run', '--provider', 'github', '--', 'true'], 3, /github/],
        [['explain', 'last'], 4, /./],
        [
          ['log', '-n', 'many'],
          2,
          /many.*--lines: must be a whole number, 1 or more\n {2}Run: authsome log --help/,
        ],
        [['daemon', 'logs', '-n', '0'], 2, /whole number, 1 or more\n {2}Run: authsome daemon logs --help/],
        [
          ['connections', 'set-default', 'x'],
          2,
          /<connection>\n {2}Run: authsome connections set-default --help/,
        ],
        [['list', '--no-such-option'], 2, /no-such-option/],
        [['register', '/no/such/file.json'], 2, /no\/such\/file/],
      ] as const;
      for (const [args, code, text] of cases) {
        const outcome = await home.authsome(args);
        expect([args.join(' '), outcome.code, outcome.stderr]).toEqual([
          args.join(' '),
          code,
          expect.stringMatching(text),
        ]);
        expect(outcome.stdout).toBe('');
        expect(outcome.stderr).not.toMatch(/\n\s+at /);
        const asJson = await home.authsome(
          args[0] === 'run' ? ['run', '--json', ...args.slice(1)] : [...args, '--json'],
        );
        expect(JSON.parse(asJson.stdout)).toMatchObject({
          v: 1,
          error: expect.any(String),
          message: expect.any(String),
        });
        expect(asJson.code).toBe(code);
      }
    });
  });

  it('starts from a file that has no more of package.json in it than name and version', () => {
    expect(readFileSync(entry, 'utf8')).not.toContain('devDependencies');
  });

  it('gets help with examples, and the version', async () => {
    await withFixture(await fixture(), async (home) => {
      expect((await home.authsome(['--version'])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
      expect(await home.json(['--version'])).toEqual({
        v: 1,
        version: expect.stringMatching(/^\d+\.\d+\.\d+$/),
      });
      const help = await home.authsome(['--help']);
      expect(help).toMatchObject({ code: 0, stderr: '' });
      expect(help.stdout).toContain('authsome run -- ');
      for (const command of ['login', 'run', 'list', 'get', 'log', 'daemon']) {
        const page = await home.authsome([command, '--help']);
        expect([command, page.code]).toEqual([command, 0]);
        expect(page.stdout).toMatch(/example/i);
      }
      expect(home.daemonPid()).toBeUndefined();
    });
  });
});

it('refuses a wrong definition with the JSON pointer of the fault, and stores nothing', async () => {
  await withFixture(await fixture(), async (home) => {
    const good = {
      schema_version: 1,
      name: 'mine',
      display_name: 'Mine',
      auth_type: 'api_key',
      flow: 'api_key',
      api_url: 'https://api.mine.example',
      api_key: { header_name: 'X-Key' },
    };
    const cases: readonly (readonly [object, RegExp])[] = [
      [{ ...good, flow: 'telepathy' }, /\/flow/],
      [{ ...good, api_url: 'regex:.*googleapis.*' }, /\/api_url/],
      [{ ...good, api_url: '*.com' }, /\/api_url/],
      [{ ...good, name: '../../etc/passwd' }, /\/name/],
      [{ ...good, api_key: { header_name: 'X Key\r\n' } }, /\/api_key\/header_name/],
      [{ ...good, schema_version: 99 }, /\/schema_version/],
      [[], /object/],
    ];
    for (const [definition, pointer] of cases) {
      const file = join(home.directory, 'bad.json');
      writeFileSync(file, JSON.stringify(definition));
      const outcome = await home.authsome(['register', file]);
      expect([JSON.stringify(definition), outcome.code, outcome.stderr]).toEqual([
        JSON.stringify(definition),
        2,
        expect.stringMatching(pointer),
      ]);
    }
    writeFileSync(join(home.directory, 'bad.json'), '{"name": ');
    expect((await home.authsome(['register', join(home.directory, 'bad.json')])).code).toBe(2);
    expect(await home.json(['inspect', 'mine'], 4)).toMatchObject({ error: 'ProviderNotFound' });
  });
});

it('keeps working beside a definition that was broken by hand, and doctor names it', async () => {
  await withFixture(await fixture(), async (home) => {
    await home.authsome(['whoami']);
    mkdirSync(join(home.home, 'providers'), { recursive: true, mode: 0o700 });
    writeFileSync(join(home.home, 'providers/broken.json'), '{"name": "broken", "flow": 3}');
    expect((await home.authsome(['list'])).code).toBe(0);
    expect((await home.authsome(['doctor'])).stdout).toContain('broken');
  });
});

describe('a home', () => {
  it('that is open to others is refused, with the command that fixes it', async () => {
    await withFixture(await fixture(), async (home) => {
      await home.authsome(['whoami']);
      await stop(home);
      chmodSync(home.home, 0o755);
      const outcome = await home.authsome(['whoami']);
      expect(outcome.code).toBe(9);
      expect(outcome.stderr).toContain(`chmod 700 ${home.home}`);
      chmodSync(home.home, 0o700);
      chmodSync(join(home.home, 'server/master.key'), 0o644);
      const key = await home.authsome(['whoami']);
      expect(key.code).toBe(9);
      expect(key.stderr).toContain('chmod 600');
      chmodSync(join(home.home, 'server/master.key'), 0o600);
      expect((await home.authsome(['whoami'])).code).toBe(0);
    });
  });

  it('that cannot be made says so', async () => {
    await withFixture(await fixture(), async (home) => {
      writeFileSync(join(home.directory, 'file'), '');
      const outcome = await home.authsome(['whoami'], {
        env: { AUTHSOME_HOME: join(home.directory, 'file/home') },
      });
      expect(outcome.code).toBe(9);
      expect(outcome.stderr).toContain(join(home.directory, 'file'));
    });
  });

  it('whose database is corrupt is refused, and left as it was', async () => {
    await withFixture(await fixture(), async (home) => {
      await home.authsome(['whoami']);
      await stop(home);
      const database = join(home.home, 'server/authsome.db');
      for (const name of readdirSync(join(home.home, 'server'))) {
        if (name.startsWith('authsome.db-')) chmodSync(join(home.home, 'server', name), 0o600);
      }
      const copy = join(home.directory, 'copy.db');
      copyFileSync(database, copy);
      writeFileSync(database, Buffer.alloc(8192, 'not a database'));
      const outcome = await home.authsome(['whoami']);
      expect(outcome.code).toBe(9);
      expect(outcome.stderr).toContain(database);
      copyFileSync(copy, database);
      expect((await home.authsome(['whoami'])).code).toBe(0);
    });
  });

  it('opened with another master key is refused, and nothing is lost', async () => {
    await withFixture(await fixture(), async (home) => {
      const { vault } = await home.json(['whoami']);
      await stop(home);
      const env = { AUTHSOME_MASTER_KEY: Buffer.alloc(32, 7).toString('base64') };
      const outcome = await home.authsome(['whoami'], { env });
      expect(outcome.code).toBe(9);
      expect(outcome.stderr).toMatch(/master key/i);
      expect(outcome.stderr).not.toContain(env.AUTHSOME_MASTER_KEY);
      expect(await home.json(['whoami'])).toMatchObject({ vault });
    });
  });
});

describe('the environment', () => {
  it.each([
    [{ AUTHSOME_PORT: 'seven' }, /AUTHSOME_PORT/],
    [{ AUTHSOME_BASE_URL: 'not a url' }, /AUTHSOME_BASE_URL/],
    [{ AUTHSOME_RESOLVE: 'nonsense' }, /AUTHSOME_RESOLVE/],
    [{ AUTHSOME_LOG_LEVEL: 'loud' }, /AUTHSOME_LOG_LEVEL/],
  ])('%j is refused by its name', async (env, text) => {
    await withFixture(await fixture(), async (home) => {
      expect(await home.authsome(['whoami'], { env })).toMatchObject({
        code: 2,
        stdout: '',
        stderr: expect.stringMatching(text),
      });
    });
  });

  it('with an invalid master key is refused without showing it', async () => {
    await withFixture(await fixture(), async (home) => {
      const outcome = await home.authsome(['whoami'], { env: { AUTHSOME_MASTER_KEY: 'hunter2hunter2' } });
      expect(outcome.code).toBe(9);
      expect(outcome.stderr).toContain('AUTHSOME_MASTER_KEY');
      expect(outcome.stderr).not.toContain('hunter2');
    });
  });
});
