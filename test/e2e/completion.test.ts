import { spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { entry, openFixture, withFixture } from '../support/fixture.ts';

it('completes commands and providers, and starts no daemon for it', async () => {
  await withFixture(await openFixture(), async (fixture) => {
    const commands = await fixture.authsome(['complete', '--', 'lo']);
    expect(commands.stdout.split('\n').map((line) => line.split('\t')[0])).toEqual(
      expect.arrayContaining(['login', 'logout', 'log']),
    );
    const providers = await fixture.authsome(['complete', '--', 'login', 'gith']);
    expect(providers.stdout).toMatch(/^github\b/);
    expect(fixture.daemonPid()).toBeUndefined();
  });
});

it('prints a script for each shell, which bash can read', async () => {
  await withFixture(await openFixture(), async (fixture) => {
    for (const shell of ['bash', 'zsh', 'fish']) {
      const script = await fixture.authsome(['completion', shell]);
      expect([shell, script.code, script.stderr]).toEqual([shell, 0, '']);
      expect(script.stdout).toContain('authsome');
      if (shell !== 'bash') continue;
      expect(spawnSync('bash', ['-n'], { input: script.stdout }).status).toBe(0);
    }
    expect((await fixture.authsome(['completion', 'tcsh'])).code).toBe(2);
  });
});

it('completes in bash, which evaluates nothing of what was typed, and may read the script twice', async () => {
  await withFixture(await openFixture(), async (fixture) => {
    const { stdout: script } = await fixture.authsome(['completion', 'bash']);
    writeFileSync(join(fixture.directory, 'script.bash'), script);
    const complete = (...words: readonly string[]) =>
      spawnSync(
        'bash',
        [
          '--norc',
          '-c',
          `authsome() { "${process.execPath}" "${entry}" "$@"; }
           source script.bash; source script.bash
           COMP_WORDS=("$@"); COMP_CWORD=$((\${#COMP_WORDS[@]} - 1)); _authsome; printf '%s\\n' "\${COMPREPLY[@]}"`,
          'bash',
          'authsome',
          ...words,
        ],
        { cwd: fixture.directory, env: { ...fixture.env }, encoding: 'utf8' },
      );
    expect(complete('inspect', 'gith')).toMatchObject({ stdout: 'github\ngithub-copilot\n', stderr: '' });
    expect(complete('daemon', 'st').stdout.split('\n')).toEqual(
      expect.arrayContaining(['start', 'stop', 'status']),
    );
    expect(complete('login', '').stdout).toContain('github\n');
    expect(complete('login', '$(touch evaluated)', '')).toMatchObject({ stderr: '' });
    expect(existsSync(join(fixture.directory, 'evaluated'))).toBe(false);
    // Names of files are bash's own affair.
    expect(complete('register', 'scr')).toMatchObject({ stdout: '\n', stderr: '' });
    expect(script).toContain('complete -o default ');
  });
});

it('makes everything ready with init, and says what comes next', async () => {
  await withFixture(await openFixture(), async (fixture) => {
    const ready = await fixture.authsome(['init']);
    expect(ready.code).toBe(0);
    expect(ready.stdout + ready.stderr).toContain('authsome login');
    expect(fixture.daemonPid()).toBeGreaterThan(0);
  });
});
