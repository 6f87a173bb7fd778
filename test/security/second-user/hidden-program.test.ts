import { chmodSync, chownSync, copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { entry, openFixture, withFixture } from '../../support/fixture.ts';
import { commandsAs, owner } from '../../support/other-user.ts';

/**
 * The attack: an agent in a run copies a program to a file that may be run, but not read. The kernel then shows nobody what
 * its process has open, not even to its own user. So the daemon did not find the caller, took its word that it belonged to
 * no run, and showed the secret.
 */
it('refuses a program in a run that hides what it has open', async () => {
  await withFixture(await openFixture(), async (fixture) => {
    const authsome = commandsAs(owner, fixture);
    const key = `sk-proj-${'k'.repeat(48)}`;
    expect((await authsome(['login', 'openai'], { env: { OPENAI_API_KEY: key } }).ended).code).toBe(0);
    const hidden = join(fixture.directory, 'hidden');
    copyFileSync(process.execPath, hidden);
    chownSync(hidden, owner, owner);
    chmodSync(hidden, 0o111);
    const get = ['get', 'openai', '--field', 'api_key', '--show-secret'];
    const line = `env -u AUTHSOME_RUN "${hidden}" "${entry}" ${get.join(' ')}`;
    const { code, stdout, stderr } = await authsome(['run', '--', 'sh', '-c', line]).ended;
    expect([code, stdout]).toEqual([12, '']);
    expect(stderr).toContain('during this run: refused: showing the secrets of openai');
    // Outside of all runs it is nobody's but the user's.
    expect((await authsome(get).ended).stdout.trim()).toBe(key);
    await authsome(['daemon', 'stop']).ended;
  });
});
