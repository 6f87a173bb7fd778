import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Fixture, openFixture } from '../support/fixture.ts';

/**
 * The attack: a definition that a person looks at before the yes, and does not see. Hosts were shown as written, with letters
 * of other scripts or none at all, and the loss of a protection was not shown. Five thousand harmless hosts scrolled the
 * others away. Fields under the names of those that authsome adds passed as its own words, or ended the command with an
 * error. One that was nested deeply did so, too.
 */
let fixture: Fixture;
let file: string;
beforeAll(async () => {
  fixture = await openFixture();
  file = join(fixture.directory, 'weather.json');
});
afterAll(() => fixture.close());

const weather = {
  schema_version: 1,
  name: 'weather',
  auth_type: 'oauth2',
  api_url: 'https://api.weather.example',
  oauth: { authorization_url: 'https://id.weather.example/a', token_url: 'https://id.weather.example/t' },
  export: { env: { access_token: 'WEATHER_TOKEN' } },
};
const stored = () => existsSync(join(fixture.home, 'providers/weather.json'));

describe('a definition on the screen of register', () => {
  it('is shown with the letters that go on the wire, not with those that look like another host', async () => {
    writeFileSync(file, JSON.stringify({ ...weather, api_url: 'https://\u0430pi.github.com' }));
    const { stderr } = await fixture.authsome(['register', file]);
    expect(stderr).toContain('sends the credential to  xn--pi-6kc.github.com');
    expect(stderr).not.toContain('\u0430');
  });

  it('is shown with the protections that it turns off, also where nothing else has changed', async () => {
    const before = { ...weather, name: 'same' };
    writeFileSync(file, JSON.stringify(before));
    expect((await fixture.authsome(['register', file, '--yes'])).code).toBe(0);
    const after = { ...before, scrub: false, oauth: { ...weather.oauth, iss: 'optional' } };
    writeFileSync(file, JSON.stringify(after));
    const { code, stderr } = await fixture.authsome(['register', file, '--force']);
    expect(code).toBe(2);
    expect(stderr).not.toContain('asks for the same');
    expect(stderr).toContain(
      '+ turns off the search for the credential in responses of https://api.weather.example (scrub)',
    );
    expect(stderr).toContain(
      '+ turns off the demand that a response says which server it is from (oauth.iss)',
    );
  });

  /** What is above the first lines of a long screen, nobody sees. */
  it.each([
    [
      'hosts',
      { api_url: Array.from({ length: 101 }, (_, index) => `api${index}.weather.example`) },
      '/api_url',
    ],
    ['a long path', { api_url: `api.weather.example/${'a/'.repeat(200)}` }, '/api_url'],
    [
      'a long endpoint',
      { oauth: { ...weather.oauth, token_url: `https://id.weather.example/${'a/'.repeat(600)}` } },
      '/oauth/token_url',
    ],
    [
      'variables',
      { export: { env: { access_token: Array.from({ length: 33 }, (_, index) => `V${index}_TOKEN`) } } },
      '/export/env/access_token',
    ],
  ])('cannot scroll away what it asks for with %s', async (_, more, field) => {
    writeFileSync(file, JSON.stringify({ ...weather, ...more }));
    const { code, stderr } = await fixture.authsome(['register', file, '--yes']);
    expect([code, stderr]).toEqual([2, expect.stringContaining(`${field}: must not be longer than`)]);
    expect(stored()).toBe(false);
  });

  it('cannot speak for authsome, nor break the command, with fields that authsome adds', async () => {
    const claims = { unknown_fields: 5, changes: 5, changes_with_base_url: 5, digest: 5, asks_for: 5 };
    writeFileSync(file, JSON.stringify({ ...weather, ...claims, name: 'claims', hader: 1 }));
    const { code, stderr } = await fixture.authsome(['register', file, '--yes']);
    expect([code, stderr]).toEqual([0, expect.stringContaining('unknown field "hader"')]);
    const shown = await fixture.json(['inspect', 'claims'], 0);
    expect(shown.unknown_fields).toContainEqual(expect.objectContaining({ pointer: '/hader' }));
    for (const key of ['changes', 'changes_with_base_url', 'digest']) expect(shown).not.toHaveProperty(key);
    expect((await fixture.authsome(['inspect', 'claims'])).code).toBe(0);
  });

  it('is refused by its depth and by the number of its unknown fields, at once', async () => {
    const deep = 100_000;
    writeFileSync(file, `{"name":"deep","x":${'['.repeat(deep)}${']'.repeat(deep)}}`);
    const outcome = await fixture.authsome(['register', file, '--yes']);
    expect([outcome.code, outcome.stderr]).toEqual([2, expect.stringContaining('nested more than 32 deep')]);
    const names = Array.from({ length: 15_000 }, (_, index) => [`header${index}`, 1] as const);
    writeFileSync(file, JSON.stringify({ ...weather, name: 'many', ...Object.fromEntries(names) }));
    const { stderr } = await fixture.authsome(['register', file, '--yes']);
    expect(stderr.match(/unknown field/g)?.length ?? 0).toBeLessThanOrEqual(20);
    expect(stored()).toBe(false);
  });
});
