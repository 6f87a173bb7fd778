import { expect, it } from 'vitest';
import { browserLine, byHandLine, connectionLine, sessionLine, sessionPlace } from './sign-in-command.ts';
import { oauthProvider, openFixture } from './testing/test-fixture.ts';

const { catalog } = openFixture([oauthProvider()]).options;
const usual = { provider: 'acme', name: 'default', flow: 'pkce', baseUrl: undefined } as const;
const scopes = oauthProvider().oauth?.scopes ?? [];

it('a connection with nothing unusual has a short line', () => {
  expect(connectionLine(catalog, usual)).toBe('authsome login acme --force');
});

it('a connection elsewhere, by another flow, under a name of its own has them all on its line', () => {
  const work = { ...usual, name: 'work', flow: 'device_code', baseUrl: 'https://acme.example.com' } as const;
  expect(connectionLine(catalog, work)).toBe(
    'authsome login acme --connection work --flow device_code --base-url https://acme.example.com --force',
  );
});

it('a sign-in that asked for the usual scopes need not name them, and one that did not has to', () => {
  const session = { ...usual, connection: 'default', requestedScopes: scopes };
  expect(sessionLine(catalog, session)).toBe('authsome login acme --force');
  expect(sessionLine(catalog, { ...session, requestedScopes: ['a', 'b'] })).toBe(
    'authsome login acme --scopes "a,b" --force',
  );
});

it('the place of a sign-in is where and as whom, and leaves to a hint what to ask for', () => {
  const at = { provider: 'acme', connection: 'work', baseUrl: 'https://acme.example.com' };
  const place = 'authsome login acme --connection work';
  expect(sessionPlace(catalog, { ...at, flow: 'pkce' })).toBe(`${place} --base-url ${at.baseUrl}`);
  expect(sessionPlace(catalog, { ...at, flow: 'dcr_pkce' })).toBe(
    `${place} --flow dcr_pkce --base-url ${at.baseUrl}`,
  );
  expect(sessionPlace(catalog, { ...at, flow: 'device_code' })).toBe(`${place} --base-url ${at.baseUrl}`);
});

it('another flow asks for the same scopes, in the same place', () => {
  const session = {
    provider: 'acme',
    connection: 'work',
    flow: 'device_code',
    baseUrl: 'https://acme.example.com',
    requestedScopes: ['a'],
  } as const;
  const place = 'authsome login acme --connection work';
  const same = '--base-url https://acme.example.com --scopes "a" --force';
  expect(byHandLine(catalog, session)).toBe(`${place} ${same}`);
  expect(browserLine(catalog, session)).toBe(`${place} ${same}`);
  const registering = openFixture([oauthProvider({}, { flow: 'dcr_pkce' })]).options.catalog;
  expect(byHandLine(registering, session)).toBe(`${place} --flow pkce ${same}`);
  expect(browserLine(registering, session)).toBe(`${place} ${same}`);
  const onDevices = openFixture([oauthProvider({}, { flow: 'device_code' })]).options.catalog;
  expect(browserLine(onDevices, session)).toBe(`${place} --flow pkce ${same}`);
});

it('a definition that was removed or broken is done without', () => {
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
