import { chmodSync, mkdtempSync, renameSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { entry, type Fixture, gone, isAlive, openFixture, until, withFixture } from '../support/fixture.ts';
import { type Outcome, start } from '../support/product.ts';
import { fill, free, openSmallDisk, type SmallDisk } from '../support/small-disk.ts';

const key = `sk-proj-${'a1B2'.repeat(15)}`;
const withKey = { env: { OPENAI_API_KEY: key } };

async function stop(fixture: Fixture): Promise<void> {
  const pid = fixture.daemonPid();
  await fixture.authsome(['daemon', 'stop']);
  if (pid !== undefined) await gone(pid, 10_000);
}

function expectFailure(outcome: Outcome, text: RegExp): void {
  expect([outcome.code, outcome.stdout, outcome.stderr]).toEqual([9, '', expect.stringMatching(text)]);
  expect(outcome.stderr).toMatch(/^Error: .+\n {2}\S/m);
  expect(outcome.stderr).not.toContain(key);
}

const disks: SmallDisk[] = [];
afterEach(async () => {
  for (const disk of disks.splice(0)) await disk.close();
});

/** With the home on it. */
async function diskFor(fixture: Fixture): Promise<Pick<SmallDisk, 'authsome' | 'sh'>> {
  const disk = await openSmallDisk(fixture);
  disks.push(disk);
  const home = { AUTHSOME_HOME: join(disk.path, 'home') };
  return { sh: disk.sh, authsome: (args, env) => disk.authsome(args, { ...home, ...env }) };
}

describe('a disk that is full', () => {
  it('at the first start is reported as such, and leaves nothing in the way of the next one', async () => {
    await withFixture(await openFixture(), async (fixture) => {
      const disk = await diskFor(fixture);
      await disk.sh(fill);
      expectFailure(await disk.authsome(['whoami']), /no space left/);
      await disk.sh(free);
      expect(await disk.authsome(['whoami'])).toMatchObject({ code: 0, stderr: '' });
      await disk.authsome(['daemon', 'stop']);
    });
  });

  it('while the daemon runs, and when it is started again, costs nothing that was stored', async () => {
    await withFixture(await openFixture(), async (fixture) => {
      const disk = await diskFor(fixture);
      expect((await disk.authsome(['login', 'openai'], withKey.env)).code).toBe(0);
      const whileFull = async (args: readonly string[], env?: Readonly<Record<string, string>>) => {
        await disk.sh(fill);
        return disk.authsome(args, env);
      };
      expect((await whileFull(['list'])).stdout).toMatch(/openai +default +connected/);
      const more = { ANTHROPIC_API_KEY: `sk-ant-api03-${'c4D5'.repeat(23)}AAA` };
      expectFailure(await whileFull(['login', 'anthropic'], more), /no space left/);
      expectFailure(await whileFull(['logout', 'openai']), /no space left/);
      // Last: the directory of a run that cannot be opened is given back, at a moment of the daemon's choosing.
      expectFailure(await whileFull(['run', '--', 'true']), /no space left/);
      expect((await disk.authsome(['doctor'])).stdout).toMatch(/warn +disk/);
      expect((await disk.authsome(['daemon', 'stop'])).code).toBe(0);
      // What the database gave back when it was closed.
      await disk.sh(fill);
      expectFailure(await disk.authsome(['list']), /no space left/);
      expectFailure(await disk.authsome(['list']), /no space left/);
      await disk.sh(free);
      expect(await disk.authsome(['get', 'openai', '--show-secret', '--field', 'api_key'])).toMatchObject({
        code: 0,
        stdout: `${key}\n`,
      });
      expect((await disk.authsome(['get', 'anthropic'])).code).toBe(3);
      expect((await disk.authsome(['doctor', '--json'])).stdout).toMatch(/"audit","status":"ok"/);
      await disk.authsome(['daemon', 'stop']);
    });
  });
});

describe('a home that cannot be written', () => {
  it('is reported as such, whether it exists already or not', async () => {
    await withFixture(await openFixture(), async (fixture) => {
      const disk = await diskFor(fixture);
      expect((await disk.authsome(['login', 'openai'], withKey.env)).code).toBe(0);
      await disk.authsome(['daemon', 'stop']);
      await until(async () => (await disk.sh('mount -o remount,ro "$1"')).code === 0, 5_000);
      expectFailure(await disk.authsome(['list']), /home\/server.* cannot be written: read-only file system/);
      const other = { AUTHSOME_HOME: join(fixture.directory, 'disk/other') };
      expectFailure(await disk.authsome(['list'], other), /other.* cannot be created/);
      await disk.sh('mount -o remount,rw "$1"');
      expect((await disk.authsome(['list'])).stdout).toMatch(/openai +default +connected/);
      await disk.authsome(['daemon', 'stop']);
    });
  });
});

describe('no home at all', () => {
  const { PATH = '' } = process.env;

  it.each([['list'], ['run', '--', 'true'], ['daemon', 'serve']])(
    'is reported as such to: %s %s, of a user whom the system does not know',
    async (...args) => {
      const stranger = ['--user', '--map-user=12345', '--map-group=12345', process.execPath, entry];
      const outcome = await start({ program: 'unshare', args: [...stranger, ...args], env: { PATH } }).ended;
      expect([outcome.code, outcome.stdout]).toEqual([9, '']);
      expect(outcome.stderr).toContain('authsome cannot tell where its home is: HOME is not set');
      expect(outcome.stderr).toContain('Set AUTHSOME_HOME to the full path of a directory');
    },
  );

  it.each([
    ['a home that is named from there', { AUTHSOME_HOME: 'home' }, ['list'], 9],
    ['files that are named from there', { HOME: '/nowhere' }, ['scan'], 2],
  ] as const)('is left of a directory that was removed: not for %s', async (_what, named, args, code) => {
    const away = mkdtempSync(join(tmpdir(), 'authsome-away-'));
    const script = 'rmdir "$0"; exec "$@"';
    const command = [process.execPath, entry, ...args];
    const env = { PATH, ...named };
    const outcome = await start({ program: 'sh', args: ['-c', script, away, ...command], env, cwd: away })
      .ended;
    expect([outcome.code, outcome.stdout]).toEqual([code, '']);
    expect(outcome.stderr).toMatch(/^Error: .*the current directory no longer exists\n {2}\S/m);
  });
});

describe('a home on a file system that takes no directories', () => {
  // Node's own way of making parents goes round for ever in /proc: what is asserted is that each command ends.
  it.each([['list'], ['whoami'], ['scan'], ['run', '--', 'true'], ['daemon', 'serve']])(
    'is reported as such to: %s %s',
    async (...args) => {
      await withFixture(await openFixture({ AUTHSOME_HOME: '/proc/nobody/home' }), async (fixture) => {
        const { code, stdout, stderr } = await fixture.authsome(args);
        expect([code, stdout]).toEqual([9, '']);
        expect(stderr).toMatch(
          /\/proc\/nobody\/home.* cannot be created \(its file system does not allow new directories\)/,
        );
        expect(stderr).toContain('Set AUTHSOME_HOME to a directory that you can write to.');
      });
    },
  );
});

describe('a home that somebody changed', () => {
  it.each([
    ['server/authsome.db', '0644', 'chmod 600'],
    ['server/authsome.db', '0640', 'chmod 600'],
    ['server', '0750', 'chmod 700'],
    ['identities', '0755', 'chmod 700'],
    ['identities/current', '0644', 'chmod 600'],
  ])('%s with mode %s is refused with: %s', async (name, mode, fix) => {
    await withFixture(await openFixture(), async (fixture) => {
      await fixture.authsome(['whoami']);
      await stop(fixture);
      const path = join(fixture.home, name);
      const before = statSync(path).mode & 0o777;
      chmodSync(path, Number.parseInt(mode, 8));
      const outcome = await fixture.authsome(['whoami']);
      expectFailure(outcome, new RegExp(`${fix} ${path}`));
      expect(statSync(path).mode & 0o777).toBe(Number.parseInt(mode, 8));
      chmodSync(path, before);
      expect((await fixture.authsome(['whoami'])).code).toBe(0);
    });
  });

  it('without its master key is refused, and no new key is made in its place', async () => {
    await withFixture(await openFixture(), async (fixture) => {
      await fixture.authsome(['login', 'openai'], withKey);
      const file = join(fixture.home, 'server/master.key');
      renameSync(file, `${fixture.directory}/kept`);
      // The daemon that has it in memory continues.
      expect((await fixture.authsome(['get', 'openai', '--show-secret', '--field', 'api_key'])).stdout).toBe(
        `${key}\n`,
      );
      await stop(fixture);
      expectFailure(await fixture.authsome(['list']), /master key/);
      expect(statSync(file, { throwIfNoEntry: false })).toBeUndefined();
      renameSync(`${fixture.directory}/kept`, file);
      expect((await fixture.authsome(['get', 'openai', '--show-secret', '--field', 'api_key'])).stdout).toBe(
        `${key}\n`,
      );
    });
  });

  it('with another master key in its place ends the daemon by itself, at once', async () => {
    await withFixture(await openFixture(), async (fixture) => {
      await fixture.authsome(['login', 'openai'], withKey);
      await stop(fixture);
      writeFileSync(join(fixture.home, 'server/master.key'), `${Buffer.alloc(32, 7).toString('base64')}\n`);
      // The daemon ends the process by force when something keeps it alive; here that would show in the exit code.
      const preload = join(fixture.directory, 'no-exit.cjs');
      writeFileSync(preload, 'process.exit = () => process.reallyExit(99);');
      const env = { NODE_OPTIONS: `--require=${preload}` };
      const { code, stdout, stderr } = await fixture.authsome(['daemon', 'serve'], { env });
      expect([code, stdout]).toEqual([9, '']);
      expect(JSON.parse(stderr)).toMatchObject({ error: 'WrongMasterKey' });
      expect(statSync(join(fixture.home, 'server/daemon.json'), { throwIfNoEntry: false })).toBeUndefined();
    });
  });

  it('with half a database is refused, and left as it is', async () => {
    await withFixture(await openFixture(), async (fixture) => {
      await fixture.authsome(['login', 'openai'], withKey);
      await stop(fixture);
      const database = join(fixture.home, 'server/authsome.db');
      truncateSync(database, 6_000);
      expectFailure(await fixture.authsome(['list']), /damaged.*authsome\.db/);
      expect(statSync(database).size).toBe(6_000);
    });
  });
});

describe('a home that is removed under its daemon', () => {
  it('ends the daemon, and the next command starts afresh on the same port', async () => {
    await withFixture(await openFixture(), async (fixture) => {
      await fixture.authsome(['login', 'openai'], withKey);
      const pid = fixture.daemonPid() ?? 0;
      rmSync(fixture.home, { recursive: true });
      await gone(pid, 10_000);
      const list = await fixture.authsome(['list']);
      expect(list).toMatchObject({ code: 0, stdout: '' });
      expect(isAlive(fixture.daemonPid() ?? 0)).toBe(true);
    });
  });
});
