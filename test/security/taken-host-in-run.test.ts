import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Acme, connectPixel, createAcme, entry } from '../support/fixture.ts';
import { hosts } from '../support/service/index.ts';

/**
 * The attack: an agent in a run registers a definition that covers a path of a connected provider's host, and signs in to it
 * with any key. From then on that path was ambiguous, and refused, in every run that did not name the provider.
 */
let fixture: Acme;
const command = `"${process.execPath}" "${entry}"`;
beforeAll(async () => {
  fixture = await createAcme();
  await connectPixel(fixture);
});
afterAll(() => fixture.close());

const definition = (name: string, ...urls: readonly string[]): string => {
  const file = join(fixture.directory, `${name}.json`);
  const document = {
    ...{ schema_version: 1, name, auth_type: 'api_key', api_url: urls },
    api_key: { header_name: 'X-API-Key' },
  };
  writeFileSync(file, JSON.stringify(document));
  return file;
};
const inRun = (line: string, ...options: readonly string[]) =>
  fixture.authsome(['run', ...options, '--', 'sh', '-c', `${command} ${line}`]);
const isKnown = async (name: string) => (await fixture.authsome(['inspect', name])).code === 0;

describe('a definition from inside of a run', () => {
  it.each([
    ['a path of a connected provider', `https://${hosts.keyApi}/gists`, 'pixel'],
    ['all of its host', `https://${hosts.keyApi}`, 'pixel'],
    ['a path of a bundled provider that has no connection', 'https://api.github.com/gists', 'github'],
    ['a domain above a host of one', 'https://*.github.com', 'github'],
  ])('is refused %s, and the agent is told to ask its person', async (_what, url, owner) => {
    const file = definition('weather', 'https://weather.example', url);
    const { code, stderr } = await inRun(`register --yes '${file}'`);
    expect(code).toBe(12);
    expect(stderr).toContain(`not from inside a run: registering weather for a host of ${owner}`);
    expect(stderr).toContain('in a terminal of their own: authsome register ');
    expect(await isKnown('weather')).toBe(false);
  });

  it('is refused when it takes a host by its base URL', async () => {
    const { code, stderr } = await inRun(`login gitlab --base-url https://${hosts.keyApi} </dev/null`);
    expect(code).toBe(12);
    expect(stderr).toContain('not from inside a run: signing in to gitlab at a host of pixel');
  });

  it('may cover what nobody else does', async () => {
    const { code } = await inRun(`register --yes '${definition('own', `https://${hosts.stranger}`)}'`);
    expect([code, await isKnown('own')]).toEqual([0, true]);
  });

  it('is a person’s choice outside of it, and in a trusted one', async () => {
    const file = definition('taker', `https://${hosts.keyApi}/gists`);
    expect((await inRun(`register --yes '${file}'`, '--trusted')).code).toBe(0);
    expect((await fixture.authsome(['register', '--yes', '--force', file])).code).toBe(0);
  });
});
