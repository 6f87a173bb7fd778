import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadSettings, parseSettings, unreadable } from './settings.ts';

it('says of a config.json that is no file what it is not, instead of waiting for it', () => {
  const home = mkdtempSync(join(tmpdir(), 'authsome-settings-'));
  mkdirSync(join(home, 'config.json'));
  expect(() => loadSettings({ AUTHSOME_HOME: home })).toThrow('config.json is not a file');
  rmSync(home, { recursive: true });
});

describe('a config.json that cannot be read', () => {
  it('is named with its home, either of which may be closed to its owner', () => {
    expect(unreadable('/my home/config.json', 1000, 1000)).toMatchObject({
      message: '/my home/config.json cannot be read',
      hint: expect.stringContaining("chmod 700 '/my home'; chmod 600 '/my home/config.json'"),
    });
  });

  it('is not blamed where the home is another user’s, as sudo leaves it behind', () => {
    expect(unreadable('/h/.authsome/config.json', 0, 1000)).toMatchObject({
      code: 'HomeNotUsable',
      message: '/h/.authsome belongs to another user',
      hint: expect.stringMatching(/AUTHSOME_HOME.*\n.*: sudo chown -R 1000 \/h\/\.authsome$/),
    });
  });
});

describe('AUTHSOME_RESOLVE', () => {
  it('names hosts, addresses of both families, and ports', () => {
    const { resolveOverrides } = parseSettings({
      AUTHSOME_RESOLVE: 'API.test:443:127.0.0.1:8443, b.test:443:[fd00::7],[::1]:8443:[::1]:9443',
    });
    expect(resolveOverrides).toEqual([
      { host: 'api.test', port: 443, address: '127.0.0.1', targetPort: 8443 },
      { host: 'b.test', port: 443, address: 'fd00::7', targetPort: 443 },
      { host: '[::1]', port: 8443, address: '::1', targetPort: 9443 },
    ]);
  });

  it.each(['b.test:443', 'b.test:443:fd00::7', '::1:443:::1', ':443:127.0.0.1'])('refuses %s', (entry) => {
    expect(() => parseSettings({ AUTHSOME_RESOLVE: entry })).toThrow('AUTHSOME_RESOLVE has an invalid entry');
  });
});

describe('a URL that cannot be used', () => {
  it.each([
    'ftp://user:hunter2@broker.example',
    'user:hunter2@broker.example',
    'https://user:hun@ter2@broker.example:bad',
  ])('is named without its password: %s', (url) => {
    const parse = (): unknown => parseSettings({ AUTHSOME_BASE_URL: url });
    expect(parse).toThrow('broker.example');
    expect(parse).not.toThrow(/hun|ter2/);
  });
});

describe('the address of a daemon on another machine', () => {
  it.each([
    'http://broker.example',
    'http://10.66.0.1:8080',
    'http://127.0.0.1.evil.example',
    'http://localhost.evil.example:7998',
    'http://me@broker.example',
  ])('is refused over plain http: %s', (url) => {
    const message = /is plain http to another machine/;
    expect(() => parseSettings({ AUTHSOME_BASE_URL: url })).toThrow(message);
    expect(() => parseSettings({}, { base_url: url })).toThrow(message);
  });

  it('is taken over https, and this machine over http', () => {
    for (const url of [
      'https://broker.example',
      'http://127.0.0.1:7998',
      'http://localhost:1',
      'http://[::1]:1',
    ]) {
      expect(parseSettings({ AUTHSOME_BASE_URL: url }).baseUrl).toBe(url);
    }
  });
});

describe('a setting that cannot be read', () => {
  it.each([
    ['PORT', 'x'],
    ['BASE_URL', 'somewhere'],
    ['LOG_LEVEL', 'loud'],
    ['RESOLVE', 'nothing'],
    ['CLIENT_METADATA_URL', 'http://a.test/b'],
  ])('is called by the place where it was written: %s', (name, value) => {
    const key = name.toLowerCase();
    expect(() => parseSettings({ [`AUTHSOME_${name}`]: value }, { [key]: 'other' })).toThrow(
      new RegExp(`^AUTHSOME_${name} `),
    );
    expect(() => parseSettings({}, { [key]: value })).toThrow(new RegExp(`^${key} in config\\.json `));
  });
});

it('takes everything else where run in config.json is at fault, so that only a run fails', () => {
  const settings = parseSettings({ HOME: '/home/me' }, { run: { sandbox: 7 }, port: 8100 });
  expect(settings.listenPort).toBe(8100);
  expect(settings.run).toMatchObject({
    code: 'Usage',
    message: 'run.sandbox in config.json must be true or false',
  });
});
