import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Acme, connectPixel, createAcme, entry, register } from '../support/fixture.ts';
import { hosts, pixel } from '../support/service/index.ts';

/**
 * The attack, or the accident: an agent in a run follows the hint `authsome login pixel --force`. The variable that
 * holds its phantom was taken for the key, stored, and the person's real key was lost.
 */
let fixture: Acme;
beforeAll(async () => {
  fixture = await createAcme();
  await connectPixel(fixture);
  const { name: _, ...rest } = pixel;
  const api_key = { ...pixel.api_key, env_var: 'DOTS_KEY', key_pattern: '^[0-9]{32}$' };
  await register(fixture, {
    ...rest,
    name: 'dots',
    api_url: `https://${hosts.login}`,
    api_key,
    export: { env: { api_key: 'DOTS_KEY' } },
  });
});
afterAll(() => fixture.close());

const realDots = '9'.repeat(32);
// Trusted, since other runs may not replace a key at all.
const inRun = (script: string) => fixture.authsome(['run', '--trusted', '--', 'sh', '-c', script]);
const command = `"${process.execPath}" "${entry}"`;
const stored = async (provider: string) =>
  (await fixture.authsome(['get', provider, '--field', 'api_key', '--show-secret'])).stdout.trim();

describe('a phantom', () => {
  it('does not replace the key when an agent signs in again with its variable', async () => {
    const { stdout, stderr, code } = await inRun(`${command} login pixel --force --yes </dev/null`);
    expect([code, stdout]).toEqual([10, '']);
    expect(stderr).toContain('the value of PIXEL_API_KEY is a phantom');
    expect(await stored('pixel')).toBe(fixture.apiKey);
  });

  it('does not replace it through a pipe either', async () => {
    const { code, stderr } = await inRun(`echo $PIXEL_API_KEY | ${command} login pixel --force`);
    expect(code).toBe(10);
    expect(stderr).toContain('is a phantom');
    expect(stderr).not.toMatch(/px_[a-z0-9]{32}/);
    expect(await stored('pixel')).toBe(fixture.apiKey);
  });

  it('is known when nothing in its text says so, and when its run has ended', async () => {
    const first = await fixture.authsome(['login', 'dots', '--yes'], { env: { DOTS_KEY: realDots } });
    expect(first.code).toBe(0);
    const { stdout } = await fixture.authsome(['run', '--', 'printenv', 'DOTS_KEY']);
    const phantom = stdout.trim();
    expect(phantom).toMatch(/^[0-9]{32}$/);
    const { code } = await fixture.authsome(['login', 'dots', '--force'], { stdin: phantom });
    expect(code).toBe(10);
    expect(await stored('dots')).toBe(realDots);
  });

  it('is known to a daemon that has never given it to a run, and when its connection is gone', async () => {
    const before = (await fixture.authsome(['run', '--', 'printenv', 'DOTS_KEY'])).stdout.trim();
    await fixture.authsome(['daemon', 'restart']);
    const first = await fixture.authsome(['login', 'dots', '--force'], { stdin: before });
    expect([first.code, first.stderr]).toEqual([10, expect.stringContaining('is a phantom')]);
    expect((await fixture.authsome(['logout', 'dots'])).code).toBe(0);
    await fixture.authsome(['daemon', 'restart']);
    const second = await fixture.authsome(['login', 'dots'], { stdin: before });
    expect([second.code, second.stderr]).toEqual([10, expect.stringContaining('is a phantom')]);
    const imported = await fixture.authsome(['scan', '--import', '--yes', '--json'], {
      env: { DOTS_KEY: before },
    });
    expect(JSON.parse(imported.stdout)).toMatchObject({ imported: [] });
    expect((await fixture.authsome(['get', 'dots'])).code).toBe(3);
  });
});
