import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createBrowser } from '../support/browser.ts';
import { type Fixture, lastDocument, openFixture } from '../support/fixture.ts';
import type { Outcome } from '../support/product.ts';
import { authUrlOf, providerUrlOf } from '../support/sign-in.ts';
import {
  issuer,
  resource,
  silentHost,
  startToolService,
  strayHost,
  type ToolService,
} from './tool-service.ts';

let service: ToolService;
let fixture: Fixture;

beforeAll(async () => {
  service = await startToolService();
  fixture = await openFixture({ AUTHSOME_RESOLVE: service.resolve });
  const caFile = join(fixture.directory, 'ca.pem');
  writeFileSync(caFile, service.caPem);
  Object.assign(fixture.env, { AUTHSOME_EXTRA_CA_CERTS: caFile });
});
afterAll(async () => {
  await fixture.close();
  await service.close();
});

/** Signs in with a browser that says yes to everything. */
async function signIn(...args: readonly string[]): Promise<Outcome> {
  const login = fixture.startAuthsome(['login', ...args, '--json', '--no-browser']);
  const page = await createBrowser({ port: service.port, caPem: service.caPem }).open(await authUrlOf(login));
  expect(page).toMatchObject({ status: 200 });
  const outcome = await login.ended;
  expect(outcome.code, outcome.stdout + outcome.stderr).toBe(0);
  return outcome;
}

const call = (url: string) => fixture.authsome(['run', '--', 'curl', '-sS', '-i', '-X', 'POST', url]);
const providers = () => {
  const directory = join(fixture.home, 'providers');
  return existsSync(directory) ? readdirSync(directory) : [];
};

describe('login with the URL of an MCP server', () => {
  it('needs nothing but the URL, and registers itself', async () => {
    expect(lastDocument(await signIn(resource))).toMatchObject({
      status: 'connected',
      provider: 'mcp-tools-test',
      scopes: ['tools:read'],
    });
    expect(service.registered).toHaveLength(1);
    // One of this server's own.
    const ownUri = expect.stringMatching(new RegExp(`^${fixture.redirectUri}/[\\w-]{22}$`));
    expect(service.registered[0]).toMatchObject({
      application_type: 'native',
      redirect_uris: [ownUri],
      grant_types: ['authorization_code', 'refresh_token'],
      token_endpoint_auth_method: 'none',
    });
    const [asked] = service.authorizations;
    expect(Object.fromEntries(asked ?? [])).toMatchObject({
      resource,
      scope: 'tools:read offline_access',
      code_challenge_method: 'S256',
      redirect_uri: ownUri,
    });
  });

  it('leaves an ordinary definition', async () => {
    const file = join(fixture.home, 'providers/mcp-tools-test.json');
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({
      schema_version: 1,
      name: 'mcp-tools-test',
      flow: 'dcr_pkce',
      api_url: resource,
      oauth: { issuer, resource },
    });
    expect(await fixture.json(['inspect', 'mcp-tools-test'])).toMatchObject({ source: 'custom' });
    expect((await fixture.json(['login', resource], 6)).error).toBe('ConnectionExists');
  });

  it('puts the token on requests to that URL, and on no others', async () => {
    service.calls.length = 0;
    const outcome = await call(resource);
    expect(outcome.stdout).toMatch(/HTTP\/1\.1 200 [\s\S]*"echo"/);
    await call(`${new URL(resource).origin}/v2/mcp`);
    expect(service.calls).toMatchObject([
      { path: '/v1/mcp', authorization: expect.stringMatching(/^Bearer \S{20,}$/) },
      { path: '/v2/mcp', authorization: undefined },
    ]);
  });
});

describe('a missing scope', () => {
  const line = 'authsome login mcp-tools-test --scopes "tools:read,tools:write" --force';

  it('is named in the response, by explain and in the log, with the command that asks for it', async () => {
    const { stdout } = await call(`${resource}?write`);
    expect(stdout).toContain('HTTP/1.1 403 ');
    expect(stdout).toContain(`Authsome-Hint: Run: ${line}\r\n`);
    expect(stdout).toContain('not with this token');
    const decision = /Authsome-Decision: (dec_\w+)/.exec(stdout)?.[1] ?? '';
    expect(await fixture.json(['explain', decision])).toMatchObject({
      outcome: 'injected',
      missing_scopes: ['tools:write'],
      hint: `Run: ${line}`,
    });
    expect((await fixture.authsome(['explain', 'last'])).stdout).toContain(line);
    const { events } = await fixture.json(['log']);
    expect(events.find(({ event }: { event: string }) => event === 'scopes.missing')).toMatchObject({
      provider: 'mcp-tools-test',
      connection: 'default',
      decision,
      scopes: ['tools:write'],
      outcome: 'insufficient_scope',
    });
  });

  it('is granted after that command', async () => {
    const [, ...args] = line.replaceAll('"', '').split(' ').slice(1);
    const { scopes } = lastDocument(await signIn(...args));
    expect(scopes).toEqual(['tools:read', 'tools:write']);
    const { stdout } = await call(`${resource}?write`);
    expect(stdout).toContain('HTTP/1.1 200 ');
    expect(stdout).not.toContain('Authsome-Hint');
    expect(await fixture.json(['explain', 'last'])).toMatchObject({ missing_scopes: [], hint: null });
    // The first client may not ask for more than it was registered for.
    expect(service.registered.map(({ scope }) => scope)).toEqual([
      'tools:read offline_access',
      'tools:read offline_access tools:write',
    ]);
  });
});

describe('login with another URL', () => {
  it('takes an issuer', async () => {
    const { provider } = lastDocument(await signIn(issuer));
    expect(await fixture.json(['inspect', String(provider)])).toMatchObject({
      flow: 'dcr_pkce',
      oauth: { issuer },
    });
    expect(service.authorizations.at(-1)?.has('resource')).toBe(false);
  });

  it('goes to no private address that only a document names', async () => {
    const before = providers();
    const port = String(service.port);
    for (const hearsay of [
      'https://10.0.0.1',
      'https://169.254.169.254',
      'https://[::1]',
      `https://127.0.0.1:${port}`,
      `https://localhost:${port}`,
    ]) {
      service.strayTo([hearsay]);
      service.seen.length = 0;
      const failure = await fixture.json(['login', `https://${strayHost}/mcp`], 12);
      expect(failure).toMatchObject({ error: 'AddressForbidden' });
      expect(service.seen.filter((line) => !line.startsWith(`${strayHost} `))).toEqual([]);
    }
    expect(providers()).toEqual(before);
    const { events } = await fixture.json(['log', '-n', '1']);
    expect(events[0]).toMatchObject({ event: 'sign_in.failed', outcome: 'AddressForbidden' });
  });

  it('goes to the private address that the person typed', async () => {
    service.strayTo([`https://localhost:${service.port}`]);
    service.seen.length = 0;
    // There is no authorization server there: it was looked for, which is what counts here.
    const failure = await fixture.json(['login', `https://localhost:${service.port}/mcp`], 10);
    expect(failure.message).toBe(`localhost:${service.port} publishes no authorization server metadata`);
    expect(service.seen.at(-1)).toContain('/.well-known/openid-configuration');
  });

  describe('whose own metadata names an issuer beside it', () => {
    const metadataOf = (issuer: string, place: string) => ({
      issuer,
      authorization_endpoint: `${place}/authorize`,
      token_endpoint: `${place}/token`,
      registration_endpoint: `${place}/reg`,
      code_challenge_methods_supported: ['S256'],
    });

    it('signs in there, by what that issuer says of itself', async () => {
      const here = `https://${strayHost}`;
      service.strayTo([here], metadataOf(issuer, here));
      service.seen.length = 0;
      const { provider } = lastDocument(await signIn(`${here}/mcp`));
      expect(await fixture.json(['inspect', String(provider)])).toMatchObject({ oauth: { issuer } });
      expect(service.seen).toContain('login.tools.test POST /token');
      expect(service.seen.filter((line) => /^stray\S+ \w+ \/(?:authorize|token|reg)/.test(line))).toEqual([]);
      const { events } = await fixture.json(['log']);
      expect(events.map(({ event }: { event: string }) => event)).not.toContain('sign_in.issuer_unconfirmed');
    });

    it('says in the log that the issuer does not confirm it', async () => {
      const here = `https://${strayHost}`;
      service.strayTo([], metadataOf(`https://${silentHost}`, issuer));
      const started = fixture.startAuthsome([
        'login',
        `${here}/mcp`,
        '--connection',
        'two',
        '--json',
        '--no-browser',
      ]);
      expect(await providerUrlOf(started)).toMatch(`${issuer}/authorize?`);
      started.child.kill('SIGINT');
      await started.ended;
      const { events } = await fixture.json(['log']);
      expect(events).toContainEqual(
        expect.objectContaining({
          event: 'sign_in.issuer_unconfirmed',
          detail: `${silentHost} publishes no metadata; that of ${strayHost} was used, which names it as the issuer`,
        }),
      );
    });
  });

  it('says at once what is wrong with it', async () => {
    expect(await fixture.json(['login', 'http://127.0.0.1:1/mcp'], 2)).toMatchObject({ error: 'Usage' });
    service.strayTo([]);
    expect(await fixture.json(['login', `https://${strayHost}/mcp`], 10)).toMatchObject({
      error: 'SignInFailed',
      message: `${strayHost} publishes no authorization server metadata`,
    });
  });
});
