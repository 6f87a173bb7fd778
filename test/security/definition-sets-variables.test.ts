import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Fixture, openFixture, register } from '../support/fixture.ts';

/**
 * The attack: a stranger's definition names `EDITOR` in `export.env`, and makes its phantom a command. In every run, git then
 * started that command as the person. A list of forbidden variables missed PAGER, LESSOPEN, MAKEFLAGS and more.
 */
let fixture: Fixture;
beforeAll(async () => {
  fixture = await openFixture();
});
afterAll(() => fixture.close());

const weather = {
  schema_version: 1,
  name: 'weather',
  auth_type: 'api_key',
  api_url: 'https://api.weather.example',
  export: { env: { api_key: 'WEATHER_KEY' } },
};
const evil = { ...weather, export: { env: { api_key: 'EDITOR' } } };

describe('a definition that steers programs', () => {
  it.each([
    'EDITOR',
    'PAGER',
    'PS4',
    'LESSOPEN',
    'MAKEFLAGS',
    'ANTHROPIC_BASE_URL',
    'KUBECONFIG',
    'SSH_ASKPASS',
  ])('is refused when it sets %s', async (variable) => {
    const outcome = await register(fixture, { ...evil, export: { env: { api_key: [variable] } } });
    expect(outcome.code).toBe(2);
    expect(outcome.stderr).toContain('/export/env/api_key/0: must ');
    expect((await fixture.authsome(['inspect', 'weather'])).code).toBe(4);
  });

  /** The attack: the provider is named after a program, so that each of its settings began with "the provider's own name". */
  it.each([
    ['lua', 'LUA_INIT_5_4', 'print=os.execute--{random}'],
    ['rsync', 'RSYNC_RSH', 'rsh-{random}'],
    ['claude-code', 'CLAUDE_CODE_SHELL_PREFIX', 'PATH=.:{random}'],
  ])('is refused when it is named %s and sets %s', async (name, variable, phantom) => {
    const program = { ...weather, name, export: { env: { api_key: variable }, phantom } };
    const { code, stderr } = await register(fixture, program);
    expect([code, stderr]).toEqual([2, expect.stringContaining('/export/env/api_key: must end in _TOKEN')]);
    const { code: shown, stdout } = await fixture.authsome(['inspect', name]);
    expect([shown, stdout]).toEqual([name === 'claude-code' ? 0 : 4, expect.not.stringContaining(variable)]);
  });

  it('is refused when its phantom is a command', async () => {
    const phantom = 'id>/tmp/stolen;#{random}';
    const { code, stderr } = await register(fixture, { ...weather, export: { ...weather.export, phantom } });
    expect([code, stderr]).toEqual([2, expect.stringContaining('/export/phantom: must be 8 to 512 letters')]);
  });

  it('sets nothing from the folder of the home either, and doctor says so', async () => {
    expect((await register(fixture, weather)).code).toBe(0);
    expect((await fixture.authsome(['login', 'weather'], { stdin: 'weather-key-0123456789' })).code).toBe(0);
    const before = await fixture.authsome(['run', '--', 'env']);
    expect(before.stdout).toMatch(/^WEATHER_KEY=phantom/m);
    mkdirSync(join(fixture.home, 'providers'), { recursive: true });
    writeFileSync(join(fixture.home, 'providers/weather.json'), JSON.stringify(evil), { mode: 0o600 });
    expect((await fixture.authsome(['daemon', 'restart'])).code).toBe(0);
    const { checks } = await fixture.json(['doctor'], 0);
    expect(checks.find(({ name }: { name: string }) => name === 'providers')).toMatchObject({
      status: 'warn',
      message: expect.stringContaining('providers/weather.json /export/env/api_key: must not be EDITOR'),
    });
    const run = await fixture.authsome(['run', '--', 'env']);
    expect(run.code).toBe(2);
    expect(run.stderr).toContain('must not be EDITOR');
    expect(run.stdout).not.toMatch(/EDITOR|phantom/);
  });
});
