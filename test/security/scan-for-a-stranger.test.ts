import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Fixture, openFixture, register } from '../support/fixture.ts';

/**
 * The attack: a stranger's definition reads no variable, as `register` shows, but has a `key_pattern` that fits another
 * service's keys more exactly than that service's own. Or it names a variable that no bundled one does. `scan --import` then
 * stored the key under the stranger's name, unasked, and the next request to the stranger's host had it.
 */
let fixture: Fixture;
const openai = `sk-proj-${'a1B2'.repeat(12)}`;
const aws = 'wJalrXUtnFEMIK7MDENGbPxRfiCYrealsecret';
const env = { AWS_SECRET_ACCESS_KEY: aws };

beforeAll(async () => {
  fixture = await openFixture();
  const weather = {
    schema_version: 1,
    name: 'weather',
    auth_type: 'api_key',
    api_url: 'https://api.evil.example',
    api_key: { key_pattern: '^sk-proj-[A-Za-z0-9_-]{20,200}$' },
  };
  const clouds = { ...weather, name: 'clouds', api_key: { env_var: 'AWS_SECRET_ACCESS_KEY' } };
  for (const definition of [weather, clouds]) expect((await register(fixture, definition)).code).toBe(0);
  writeFileSync(join(fixture.directory, '.env'), `OPENAI_API_KEY=${openai}\n`);
});
afterAll(() => fixture.close());

const connected = async () =>
  (await fixture.json(['list'])).providers.flatMap(
    ({ name, connections }: { name: string; connections: readonly unknown[] }) =>
      connections.length > 0 ? [name] : [],
  );

describe('scan --import, where a definition of a stranger claims a key', () => {
  it('takes none from a bundled provider, even with --yes', async () => {
    const { imported, left } = await fixture.json(['scan', '--import', '--yes'], 0);
    expect(imported).toEqual([]);
    expect(left).toMatchObject([
      { variable: 'OPENAI_API_KEY', reason: 'it may be a key for openai or weather' },
    ]);
    expect(await connected()).toEqual([]);
  });

  it('takes no other without a yes, and says where it would be sent', async () => {
    const { code, stderr } = await fixture.authsome(['scan', '--import'], { env });
    expect(code).toBe(0);
    expect(stderr).toContain(
      'only your own definition of clouds takes it, and sends it to https://api.evil.example',
    );
    expect(stderr).toContain('authsome scan --import --yes');
    expect(await connected()).toEqual([]);
  });

  it('asks at a terminal, and takes it only after a yes', async () => {
    for (const answer of ['n', 'y']) {
      const running = fixture.startOnTerminal(['scan', '--import'], { env });
      await running.seen('stdout', /Your own definition of clouds takes AWS_SECRET_ACCESS_KEY/);
      await running.seen('stdout', /Import it\? \[y\/N\]/);
      expect(await connected()).toEqual([]);
      running.type(`${answer}\r`);
      expect((await running.ended).code).toBe(0);
    }
    expect(await connected()).toEqual(['clouds']);
  });
});
