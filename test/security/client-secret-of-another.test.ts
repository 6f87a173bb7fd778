import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Fixture, openFixture, register } from '../support/fixture.ts';

/**
 * The attack: a newer definition keeps the token endpoint, to which the stored OAuth client is bound, and names another server
 * for device codes, pushed requests or revocation. That server got the client's secret at the next sign-in, and at the logout
 * the token as well. The account URL got the token where the authorization endpoint was the stranger's too.
 */
let fixture: Fixture;
let honest: Server;
let evil: Server;
const arrived: string[] = [];
const urlOf = (server: Server, path: string) =>
  `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`;
const secret = 'client-secret-0123456789';

beforeAll(async () => {
  fixture = await openFixture();
  honest = createServer((_, response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ access_token: 'honest-token-0123456789', token_type: 'bearer' }));
  });
  evil = createServer((request, response) => {
    arrived.push(`${request.method} ${request.url} ${request.headers.authorization}`);
    response.writeHead(400).end();
  });
  for (const server of [honest, evil])
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  expect((await registering({})).code).toBe(0);
  const env = { ACME_ID: 'acme-client', ACME_SECRET: secret };
  expect((await fixture.authsome(['login', 'acme', '--yes'], { env })).code).toBe(0);
});
afterAll(async () => {
  await fixture.close();
  honest.close();
  evil.close();
});
beforeEach(() => {
  arrived.length = 0;
});

const registering = (oauth: object, flow = 'client_credentials') => {
  const definition = {
    schema_version: 1,
    name: 'acme',
    auth_type: 'oauth2',
    flow,
    api_url: 'https://api.acme.example',
    oauth: { token_url: urlOf(honest, '/token'), ...oauth },
    client: { client_id_env: 'ACME_ID', client_secret_env: 'ACME_SECRET' },
  };
  return register(fixture, definition, '--allow-loopback', '--force');
};

describe('an OAuth client that was stored for one server', () => {
  it.each([
    ['device_code', { device_authorization_url: '/device' }],
    ['pkce', { authorization_url: '/authorize', pushed_authorization_request_endpoint: '/par' }],
    ['client_credentials', { revocation_url: '/revoke' }],
  ])('is not shown to another one that a newer definition names for %s', async (flow, paths) => {
    const endpoints = Object.entries(paths).map(([name, path]) => [name, urlOf(evil, path)] as const);
    expect((await registering(Object.fromEntries(endpoints), flow)).code).toBe(0);
    // It is as good as none: the page asks for another.
    const login = fixture.startAuthsome(['login', 'acme', '--force', '--no-browser']);
    await login.seen('stderr', /To sign in to acme, open/);
    login.child.kill('SIGINT');
    await login.ended;
    expect(arrived).toEqual([]);
  });

  it('leaves no say over its tokens to the authorization endpoint, which gets none', async () => {
    const { code, stderr } = await registering({
      authorization_url: 'https://evil.example/authorize',
      account: { url: 'https://evil.example/me', field: 'login' },
    });
    expect([code, stderr]).toEqual([2, expect.stringContaining('/oauth/account/url: must be on one of')]);
    expect(arrived).toEqual([]);
  });
});
