import { spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Fixture, openFixture } from '../support/fixture.ts';

/**
 * The attack: a definition of a stranger, registered in good faith. `authsome register` said "Registered weather", and nothing
 * about its hosts, endpoints and variables. A newer one with another host was taken in the same silence.
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
  api_url: ['https://api.weather.example', '{base_url}'],
  base_url: 'https://weather.example',
  oauth: { authorization_url: 'https://id.weather.example/a', token_url: 'https://id.weather.example/t' },
  client: { client_secret_env: 'AWS_SECRET_ACCESS_KEY' },
  export: { env: { access_token: 'WEATHER_TOKEN' } },
  self_hosted: { api_url: ['{base_url}', 'https://hidden.example'] },
};
const stored = () => existsSync(join(fixture.home, 'providers/weather.json'));

describe('a definition that nobody has looked at', () => {
  it('is not registered without a yes, and everything that it asks for is shown', async () => {
    writeFileSync(file, JSON.stringify(weather));
    const { code, stderr } = await fixture.authsome(['register', file]);
    expect(code).toBe(2);
    expect(stderr).toContain(`authsome register ${file} --yes`);
    for (const asked of [
      'https://api.weather.example',
      'https://id.weather.example/a',
      'https://id.weather.example/t',
      'AWS_SECRET_ACCESS_KEY, sent to id.weather.example',
      'WEATHER_TOKEN',
      'https://hidden.example',
    ]) {
      expect(stderr).toContain(asked);
    }
    expect(stored()).toBe(false);
    expect(await fixture.json(['register', file], 2)).toMatchObject({ error: 'Usage' });
    expect(stored()).toBe(false);
  });

  it('is registered at a terminal after a yes, and not after a no', async () => {
    for (const answer of ['n', 'y']) {
      const running = fixture.startOnTerminal(['register', file]);
      await running.seen('stdout', /Register it\? \[y\/N\]/);
      expect(stored()).toBe(false);
      running.type(`${answer}\r`);
      expect((await running.ended).code).toBe(answer === 'y' ? 0 : 11);
    }
    expect(stored()).toBe(true);
  });

  it('is compared with the one that it replaces, hosts for --base-url included', async () => {
    const grown = {
      ...weather,
      api_url: [...weather.api_url, 'https://evil.example'],
      self_hosted: { api_url: ['{base_url}', 'https://hidden.example', 'https://more.example'] },
    };
    writeFileSync(file, JSON.stringify(grown));
    const refused = await fixture.authsome(['register', file, '--force']);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain('+ sends the credential to https://evil.example');
    expect(refused.stderr).toContain('+ with --base-url: sends the credential to https://more.example');
    // In a URL, the credential is in the logs of whatever a request passes.
    const inQuery = [
      { hosts: ['https://api.weather.example'], placements: [{ kind: 'query', name: 'key' }] },
    ];
    writeFileSync(file, JSON.stringify({ ...weather, api_url: undefined, inject: inQuery }));
    const elsewhere = await fixture.authsome(['register', file, '--force']);
    expect(elsewhere.stderr).toMatch(/^ {2}\+ sends the credential in query parameter key$/m);
    writeFileSync(file, JSON.stringify(grown));
    const document = await fixture.json(['register', file, '--force', '--yes']);
    expect(document).toMatchObject({
      asks_for: { variables_set: ['WEATHER_TOKEN'], commands_run: [] },
      changes: { added: { hosts: ['https://evil.example'] }, removed: { hosts: [] } },
      changes_with_base_url: { added: { hosts: ['https://more.example'] } },
    });
  });

  it('is not waited for in a pipe', async () => {
    const pipe = join(fixture.directory, 'pipe');
    expect(spawnSync('mkfifo', [pipe]).status).toBe(0);
    const { code, stderr } = await fixture.authsome(['register', pipe, '--yes']);
    expect([code, stderr]).toEqual([2, expect.stringContaining('it is not a regular file')]);
  });
});
