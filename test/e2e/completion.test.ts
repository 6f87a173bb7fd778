import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { createWorld, inWorld } from './harness.ts';

it('completes commands and providers, and starts no daemon for it', async () => {
  await inWorld(await createWorld(), async (world) => {
    const commands = await world.authsome(['complete', '--', 'lo']);
    expect(commands.stdout.split('\n').map((line) => line.split('\t')[0])).toEqual(
      expect.arrayContaining(['login', 'logout', 'log']),
    );
    const providers = await world.authsome(['complete', '--', 'login', 'gith']);
    expect(providers.stdout).toMatch(/^github\b/);
    expect(world.daemonPid()).toBeUndefined();
  });
});

it('prints a script for each shell, which bash can read', async () => {
  await inWorld(await createWorld(), async (world) => {
    for (const shell of ['bash', 'zsh', 'fish']) {
      const script = await world.authsome(['completion', shell]);
      expect([shell, script.code, script.stderr]).toEqual([shell, 0, '']);
      expect(script.stdout).toContain('authsome');
      if (shell !== 'bash') continue;
      expect(spawnSync('bash', ['-n'], { input: script.stdout }).status).toBe(0);
    }
    expect((await world.authsome(['completion', 'tcsh'])).code).toBe(2);
  });
});

it('makes everything ready with init, and says what comes next', async () => {
  await inWorld(await createWorld(), async (world) => {
    const ready = await world.authsome(['init']);
    expect(ready.code).toBe(0);
    expect(ready.stdout + ready.stderr).toContain('authsome login');
    expect(world.daemonPid()).toBeGreaterThan(0);
  });
});
