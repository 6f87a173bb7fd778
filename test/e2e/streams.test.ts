import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { entry, type Fixture, gone, openFixture, until } from '../support/fixture.ts';
import { type Outcome, start } from '../support/product.ts';

let fixture: Fixture;
beforeAll(async () => {
  fixture = await openFixture();
});
afterAll(() => fixture.close());

/** A line of bash in which `a` is authsome. */
function bash(line: string): Promise<Outcome> {
  const script = `a() { "${process.execPath}" "${entry}" "$@"; }; ${line}`;
  return start({ program: 'bash', args: ['-c', script], env: fixture.env, cwd: fixture.directory }).ended;
}

describe('output that goes nowhere', () => {
  it.each([['list --all'], ['list --json'], ['--help'], ['completion bash'], ['inspect githb --json']])(
    '%s: on a full disk it is a failure, reported in one line',
    async (args) => {
      expect(await bash(`a ${args} > /dev/full`)).toEqual({
        code: 9,
        stdout: '',
        stderr: 'Error: the output cannot be written (ENOSPC)\n',
      });
    },
  );

  it('ends quietly where its reader has ended', async () => {
    expect(await bash('set -o pipefail; a list --all --json | true')).toEqual({
      code: 0,
      stdout: '',
      stderr: '',
    });
  });

  it('has the exit code of what went wrong, whether or not anybody reads the message', async () => {
    expect((await bash('set -o pipefail; a inspect githb --json | true')).code).toBe(4);
    expect((await bash('a inspect githb 2> >(exec true)')).code).toBe(4);
    expect((await bash('a inspect githb 2> /dev/full')).code).toBe(4);
    expect((await bash('a inspect githb >&- 2>&-')).code).toBe(4);
  });

  it('does not lose the data when only stderr cannot be written', async () => {
    const outcome = await bash('a list --all 2> /dev/full');
    expect(outcome).toMatchObject({ code: 0, stdout: expect.stringContaining('github') });
  });
});

describe('--log-file', () => {
  it('that cannot be written is a usage error, before anything is done', async () => {
    for (const args of [
      ['init', '--log-file', 'nowhere/a.log'],
      ['run', '--log-file=nowhere/a.log', '--', 'touch', 'started'],
    ]) {
      const outcome = await fixture.authsome(args);
      expect(outcome).toMatchObject({ code: 2, stdout: '' });
      expect(outcome.stderr).toMatch(
        /^Error: the log file cannot be written: nowhere\/a\.log \(no such file or directory\)\n/,
      );
    }
    expect(existsSync(join(fixture.directory, 'started'))).toBe(false);
  });

  it('has the failures of run as well, as they are shown', async () => {
    const outcome = await fixture.authsome(
      ['--no-color', 'run', '--log-file', 'run.log', '--', 'no-such-command'],
      { env: { FORCE_COLOR: '1' } },
    );
    expect(outcome).toMatchObject({
      code: 127,
      stderr: expect.stringMatching(
        /^authsome: this run has: no connections.\nError: command not found: no-such-command\n/,
      ),
    });
    expect(readFileSync(join(fixture.directory, 'run.log'), 'utf8')).toMatch(
      / warn Error: command not found: no-such-command\n/,
    );
  });
});

describe('a daemon that is killed during a run', () => {
  const runUntilKilled = async (...flags: string[]): Promise<Outcome> => {
    const running = fixture.startAuthsome(['run', ...flags, '--', 'sh', '-c', 'echo up; read line; exit 7'], {
      stdin: 'open',
    });
    await running.seen('stdout', /up/);
    const pid = fixture.daemonPid() ?? 0;
    process.kill(pid, 'SIGKILL');
    await gone(pid, 10_000);
    // The end of the connection to it is noticed by then.
    await until(() => !isConnected(running.child.pid ?? 0), 10_000);
    running.type('\n');
    return running.ended;
  };

  it('is reported when the command has ended, whose exit code it leaves alone', async () => {
    expect(await runUntilKilled()).toEqual({
      code: 7,
      stdout: 'up\n',
      stderr:
        'authsome: this run has: no connections.\n' +
        'authsome: the daemon ended before sh did, so its later requests failed. See: authsome daemon logs\n',
    });
  });

  it('is not reported under --quiet', async () => {
    expect(await runUntilKilled('--quiet')).toEqual({ code: 7, stdout: 'up\n', stderr: '' });
  });
});

/** Whether this process holds a TCP connection, if only the half that the other side has left. */
function isConnected(pid: number): boolean {
  const table = readFileSync(`/proc/${pid}/net/tcp`, 'utf8').split('\n');
  const inodes = new Set(table.map((line) => line.trim().split(/\s+/)[9]));
  return readdirSync(`/proc/${pid}/fd`).some((descriptor) => {
    const [, inode] = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${descriptor}`)) ?? [];
    return inode !== undefined && inodes.has(inode);
  });
}
