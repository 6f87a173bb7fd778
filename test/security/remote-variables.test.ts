import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { register } from '../support/fixture.ts';
import { type HostedDaemon, openHostedDaemon } from '../support/hosted-daemon.ts';

/**
 * The attack: a daemon on another machine sends definitions of its own making, and one of them names
 * `AWS_SECRET_ACCESS_KEY`, or takes every long value for a key. `login` and `scan` read what it named and sent it.
 */
const secret = 'wJalrXUtnFEMIK7MDENGbPxRfiCYrealsecret';
const openaiKey = `sk-proj-${'a1B2'.repeat(12)}`;
let hosted: HostedDaemon;

beforeAll(async () => {
  hosted = await openHostedDaemon();
  const definition = {
    schema_version: 1,
    name: 'weather',
    auth_type: 'api_key',
    flow: 'api_key',
    api_url: 'https://api.weather.example',
    api_key: {
      header_name: 'authorization',
      header_prefix: 'Bearer',
      env_var: 'AWS_SECRET_ACCESS_KEY',
      key_pattern: '^[A-Za-z0-9-]{20,}$',
    },
  };
  expect(await register(hosted.server, definition)).toMatchObject({ code: 0 });
});
afterAll(() => hosted.close());

const env = { AWS_SECRET_ACCESS_KEY: secret, WEATHER_TOKEN: `${secret}2` };
const sent = (): string => hosted.received.join('');

describe('a daemon on another machine that names a variable', () => {
  it.each([[[]], [['--yes']]])('does not get it from login %j, and that is said', async (more) => {
    const args = ['login', 'weather', '--force', ...more];
    const outcome = await hosted.client.authsome(args, { env, stdin: 'another-key-0123456789' });
    expect(outcome).toMatchObject({ code: 0 });
    expect(outcome.stderr).toContain(
      `Not using AWS_SECRET_ACCESS_KEY: only the definition of the daemon at ${hosted.url} names it.`,
    );
    expect(sent()).toContain('another-key-0123456789');
    expect(sent()).not.toContain(secret);
  });

  it('does not get it from scan, whatever its pattern matches', async () => {
    const { found } = await hosted.client.json(['scan'], 0, { env });
    expect(found).toEqual([]);
    expect(sent()).not.toContain(secret);
  });

  it('gets what the definitions of this program name, and that is said', async () => {
    const given = { env: { ...env, OPENAI_API_KEY: openaiKey } };
    const login = await hosted.client.authsome(['login', 'openai'], given);
    expect(login).toMatchObject({ code: 0 });
    expect(login.stderr).toContain(
      `Using the key in OPENAI_API_KEY. It is sent to the daemon at ${hosted.url}.`,
    );
    const { found } = await hosted.client.json(['scan'], 0, given);
    expect(found).toMatchObject([{ provider: 'openai', variable: 'OPENAI_API_KEY', in_vault: 'same' }]);
    expect(sent()).not.toContain(secret);
  });
});
