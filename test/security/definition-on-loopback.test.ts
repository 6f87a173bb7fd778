import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startToolService, strayHost, type ToolService } from '../e2e/tool-service.ts';
import { type Fixture, openFixture, register } from '../support/fixture.ts';

/**
 * The attack: a stranger's definition has a token endpoint on this machine, and a sign-in posts the stranger's JSON to a
 * service there (`POST /containers/create`). A discovered server could name such an address too, for the browser to open, and
 * the refusal of others told how to allow them.
 */
let fixture: Fixture;
let service: ToolService;
let canary: Server;
let local = '';
const arrived: string[] = [];

beforeAll(async () => {
  service = await startToolService();
  fixture = await openFixture({ AUTHSOME_RESOLVE: service.resolve });
  const caFile = join(fixture.directory, 'ca.pem');
  writeFileSync(caFile, service.caPem);
  Object.assign(fixture.env, { AUTHSOME_EXTRA_CA_CERTS: caFile });
  canary = createServer((request, response) => {
    arrived.push(`${request.method} ${request.url}`);
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end('{"access_token":"local-token-0123456789","token_type":"bearer"}');
  });
  await new Promise<void>((resolve) => canary.listen(0, '127.0.0.1', resolve));
  local = `http://127.0.0.1:${(canary.address() as AddressInfo).port}/containers/create?name=x`;
});
afterAll(async () => {
  await fixture.close();
  await service.close();
  canary.close();
});
beforeEach(() => {
  arrived.length = 0;
});

const docker = () => ({
  schema_version: 1,
  name: 'docker',
  auth_type: 'oauth2',
  flow: 'client_credentials',
  api_url: 'https://api.docker.example',
  oauth: { token_url: local, token_request: 'json', token_params: { Image: 'alpine', Cmd: 'id' } },
  client: { client_id_env: 'DOCKER_CLIENT_ID', client_secret_env: 'DOCKER_CLIENT_SECRET' },
});
const named = '/oauth/token_url: is on this machine';
const unknown = async () => expect((await fixture.authsome(['inspect', 'docker'])).code).toBe(4);

describe('a definition with an endpoint on this machine', () => {
  it('is refused, also when it says of itself that it is allowed', async () => {
    for (const definition of [docker(), { ...docker(), allow_loopback: true }]) {
      const { code, stderr } = await register(fixture, definition);
      expect([code, stderr]).toEqual([2, expect.stringContaining(named)]);
      expect(stderr).not.toMatch(/AUTHSOME_RESOLVE|--allow-loopback/);
    }
    await unknown();
  });

  it('is refused from a URL, whatever flag is given', async () => {
    service.strayTo([], { ...docker(), allow_loopback: true });
    const url = `https://${strayHost}/.well-known/oauth-authorization-server`;
    const plain = await fixture.authsome(['register', url, '--yes']);
    expect([plain.code, plain.stderr]).toEqual([2, expect.stringContaining(named)]);
    const allowed = await fixture.authsome(['register', url, '--yes', '--allow-loopback']);
    expect([allowed.code, allowed.stderr]).toEqual([2, expect.stringContaining('from a URL may not name')]);
    await unknown();
    expect(arrived).toEqual([]);
  });

  it('is refused in the folder of the home unless the person has written allow_loopback into it', async () => {
    const other = await openFixture();
    try {
      const file = join(other.home, 'providers/docker.json');
      expect((await register(other, { ...docker(), oauth: { token_url: 'https://d.example/t' } })).code).toBe(
        0,
      );
      writeFileSync(file, JSON.stringify(docker()));
      expect((await other.authsome(['inspect', 'docker'])).stderr).toContain(named);
      writeFileSync(file, JSON.stringify({ ...docker(), allow_loopback: true }));
      expect((await other.authsome(['inspect', 'docker'])).code).toBe(0);
    } finally {
      await other.close();
    }
  });

  it('is used when the person allows it, and that is stored with it', async () => {
    expect((await register(fixture, docker(), '--allow-loopback')).code).toBe(0);
    const stored = readFileSync(join(fixture.home, 'providers/docker.json'), 'utf8');
    expect(JSON.parse(stored)).toMatchObject({ allow_loopback: true });
    const env = { DOCKER_CLIENT_ID: 'me', DOCKER_CLIENT_SECRET: 'local-secret-0123456789' };
    expect((await fixture.authsome(['login', 'docker', '--yes'], { env })).code).toBe(0);
    expect(arrived).toEqual(['POST /containers/create?name=x']);
  });
});

describe('a discovered server', () => {
  it.each(['authorization_endpoint', 'token_endpoint', 'registration_endpoint', 'revocation_endpoint'])(
    'cannot name an address of this machine as its %s',
    async (field) => {
      const place = `https://${strayHost}`;
      service.strayTo([place], {
        issuer: place,
        authorization_endpoint: `${place}/authorize`,
        token_endpoint: `${place}/token`,
        registration_endpoint: `${place}/reg`,
        code_challenge_methods_supported: ['S256'],
        [field]: local,
      });
      const failure = await fixture.json(['login', `${place}/mcp`], 10);
      expect(failure.message).toBe(
        `the authorization server metadata names an address of this machine as its ${field}`,
      );
      expect(arrived).toEqual([]);
    },
  );

  /** The attack: the page where the code is to be entered is one of this machine, and a browser opens it. */
  it.each(['verification_uri', 'verification_uri_complete'])(
    'cannot name an address of this machine as its %s',
    async (field) => {
      const place = `https://${strayHost}`;
      // It gives the same document to whoever asks for a code.
      service.strayTo([place], {
        issuer: place,
        token_endpoint: `${place}/token`,
        device_authorization_endpoint: `${place}/.well-known/oauth-authorization-server`,
        device_code: 'device-code-0123456789',
        user_code: 'ABCD',
        verification_uri: `${place}/device`,
        [field]: local,
      });
      const definition = {
        schema_version: 1,
        name: 'stray',
        auth_type: 'oauth2',
        flow: 'device_code',
        api_url: place,
        oauth: { issuer: place },
        client: { client_id: 'public' },
      };
      expect((await register(fixture, definition, '--force')).code).toBe(0);
      const { code, stderr } = await fixture.authsome(['login', 'stray', '--no-browser']);
      expect([code, stderr]).toEqual([
        10,
        expect.stringContaining('stray names an address of this machine as the page for its code'),
      ]);
      expect(stderr).not.toContain(local);
      expect(arrived).toEqual([]);
    },
  );

  it('is refused an address without a word on how to allow it', async () => {
    for (const hearsay of ['https://10.0.0.1', 'https://169.254.169.254', 'https://localhost:9600']) {
      service.strayTo([hearsay]);
      const { code, stderr } = await fixture.authsome(['login', `https://${strayHost}/mcp`]);
      expect(code).toBe(12);
      expect(stderr).toContain('refused by policy');
      expect(stderr).not.toMatch(/AUTHSOME_RESOLVE|allow it with/);
    }
  });
});
