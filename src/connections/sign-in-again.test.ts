import { expect, test } from 'vitest';
import { connectionLine, sessionLine, sessionPlace } from './sign-in-again.ts';
import { oauthProvider, testBench } from './test-bench.ts';

const { catalog } = testBench([oauthProvider()]).options;
const usual = { provider: 'acme', name: 'default', flow: 'pkce', baseUrl: undefined } as const;
const scopes = oauthProvider().oauth?.scopes ?? [];

test('a connection with nothing unusual has a short line', () => {
  expect(connectionLine(catalog, usual)).toBe('authsome login acme --force');
});

test('a connection elsewhere, by another flow, under a name of its own has them all on its line', () => {
  const work = { ...usual, name: 'work', flow: 'device_code', baseUrl: 'https://acme.example.com' } as const;
  expect(connectionLine(catalog, work)).toBe(
    'authsome login acme --connection work --flow device_code --base-url https://acme.example.com --force',
  );
});

test('a sign-in that asked for the usual scopes need not name them, and one that did not has to', () => {
  const session = { ...usual, connection: 'default', requestedScopes: scopes };
  expect(sessionLine(catalog, session)).toBe('authsome login acme --force');
  expect(sessionLine(catalog, { ...session, requestedScopes: ['a', 'b'] })).toBe(
    'authsome login acme --scopes "a,b" --force',
  );
});

test('the place of a sign-in is where and as whom, and leaves to a hint what to ask for', () => {
  const at = { provider: 'acme', connection: 'work', baseUrl: 'https://acme.example.com' };
  const place = 'authsome login acme --connection work';
  expect(sessionPlace(catalog, { ...at, flow: 'pkce' })).toBe(`${place} --base-url ${at.baseUrl}`);
  expect(sessionPlace(catalog, { ...at, flow: 'dcr_pkce' })).toBe(
    `${place} --flow dcr_pkce --base-url ${at.baseUrl}`,
  );
  expect(sessionPlace(catalog, { ...at, flow: 'device_code' })).toBe(`${place} --base-url ${at.baseUrl}`);
});

test('a definition that has gone, or is broken now, is done without', () => {
  const broken = {
    ...catalog,
    find: () => {
      throw new Error('broken');
    },
  };
  for (const without of [broken, { ...catalog, find: () => undefined }]) {
    expect(connectionLine(without, { ...usual, name: 'work' })).toBe(
      'authsome login acme --connection work --force',
    );
  }
});
