import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createBrowser } from '../support/browser.ts';
import { type Fixture, openFixture, register } from '../support/fixture.ts';
import { authUrlOf, providerUrlOf } from '../support/sign-in.ts';

/**
 * The attack (RFC 9700 §4.4): a person signs in to an evil server, which sends the browser on to an honest one with the
 * same client, state and challenge. The honest code came back to the one redirect URI of all servers, and authsome sent
 * it to the evil token endpoint, with the verifier.
 */
const honestCode = 'HONEST-CODE-74a0a21a';
let fixture: Fixture;
let honest: Server;
let evil: Server;
/** Whether the honest server says who it is (RFC 9207). */
let saysIss = false;
const redirectUris: string[] = [];
const atEvil: string[] = [];

const originOf = (server: Server) => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

async function listening(
  handle: (url: URL, response: ServerResponse, body: string) => void,
): Promise<Server> {
  const server = createServer((request: IncomingMessage, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () => handle(new URL(request.url ?? '', 'http://127.0.0.1'), response, body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

function redirect(response: ServerResponse, to: URL): void {
  response.writeHead(302, { location: to.href }).end();
}

function json(response: ServerResponse, body: unknown, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

beforeAll(async () => {
  fixture = await openFixture();
  honest = await listening((url, response) => {
    const { searchParams: asked } = url;
    if (url.pathname === '/register') return json(response, { client_id: 'public-1' }, 201);
    if (url.pathname === '/token') {
      return json(response, { access_token: 'honest-token-424242', token_type: 'bearer' });
    }
    redirectUris.push(asked.get('redirect_uri') ?? '');
    const back = new URL(asked.get('redirect_uri') ?? '');
    back.searchParams.set('code', honestCode);
    back.searchParams.set('state', asked.get('state') ?? '');
    if (saysIss) back.searchParams.set('iss', originOf(honest));
    return redirect(response, back);
  });
  evil = await listening((url, response, body) => {
    if (url.pathname === '/register') return json(response, { client_id: 'public-1' }, 201);
    if (url.pathname === '/token') {
      atEvil.push(body);
      return json(response, { access_token: 'evil-token-0123456789', token_type: 'bearer' });
    }
    const onward = new URL(`${originOf(honest)}/auth`);
    for (const [name, value] of url.searchParams) onward.searchParams.set(name, value);
    return redirect(response, onward);
  });
  for (const [name, server] of [
    ['honest', honest],
    ['evil', evil],
  ] as const) {
    for (const kind of ['', '-registers', '-by-name']) {
      const registers = kind === '-registers';
      const definition = {
        schema_version: 1,
        name: name + kind,
        display_name: name,
        auth_type: 'oauth2',
        flow: registers ? 'dcr_pkce' : 'pkce',
        api_url: `https://${name}.example/${kind}`,
        oauth: {
          authorization_url: `${originOf(server)}/auth`,
          token_url: `${originOf(server)}/token`,
          ...(registers ? { registration_endpoint: `${originOf(server)}/register` } : {}),
          ...(kind === '-by-name' ? { redirect_host: 'localhost' } : {}),
        },
        ...(registers ? {} : { client: { client_id: 'public-1' } }),
      };
      const outcome = await register(fixture, definition, '--allow-loopback');
      expect([name, outcome.code, outcome.stderr]).toEqual([name, 0, expect.any(String)]);
    }
  }
});
beforeEach(() => {
  saysIss = false;
  redirectUris.length = 0;
  atEvil.length = 0;
});
afterAll(async () => {
  await fixture.close();
  honest.close();
  evil.close();
});

async function signIn(provider: string) {
  const login = fixture.startAuthsome(['login', provider, '--json', '--no-browser', '--force']);
  await createBrowser({ caPem: '' }).open(await authUrlOf(login));
  return await login.ended;
}

describe('a server that sends the browser on to another one', () => {
  it('gets no code from it where the two share a client', async () => {
    const outcome = await signIn('evil');
    expect(redirectUris).toHaveLength(1);
    expect(outcome.code).not.toBe(0);
    expect(outcome.stdout + outcome.stderr).toContain('does not say which server it is from');
    expect(outcome.stdout + outcome.stderr).toContain('\\"iss\\": \\"optional\\"');
    expect(atEvil).toEqual([]);
  });

  it('gets no code from it where that one says who it is', async () => {
    saysIss = true;
    const outcome = await signIn('evil');
    expect(redirectUris).toHaveLength(1);
    expect(outcome.code).not.toBe(0);
    expect(outcome.stdout + outcome.stderr).toContain('not from the issuer');
    expect(atEvil).toEqual([]);
  });

  it('gets no code from it where both definitions name the host of the redirect URI', async () => {
    const outcome = await signIn('evil-by-name');
    expect(redirectUris).toEqual([`http://localhost:${fixture.port}/auth/callback/oauth`]);
    expect(outcome.code).not.toBe(0);
    expect(outcome.stdout + outcome.stderr).toContain('does not say which server it is from');
    expect(atEvil).toEqual([]);
  });

  it('uses a redirect URI that the other does not know, where clients are registered', async () => {
    expect((await signIn('honest-registers')).code).toBe(0);
    const [own = ''] = redirectUris;
    expect(new URL(own).pathname).toMatch(/^\/auth\/callback\/oauth\/[\w-]{22}$/);
    await signIn('evil-registers');
    const [, sentOn = ''] = redirectUris;
    expect(new URL(sentOn).pathname).toMatch(/^\/auth\/callback\/oauth\/[\w-]{22}$/);
    expect(sentOn).not.toBe(own);
  });

  it('gets no code that comes back to the redirect URI of another server', async () => {
    expect((await signIn('honest-registers')).code).toBe(0);
    const [own = ''] = redirectUris;
    const login = fixture.startAuthsome(['login', 'evil-registers', '--json', '--no-browser', '--force']);
    const browser = createBrowser({ caPem: '' });
    const state = new URL(await providerUrlOf(login)).searchParams.get('state') ?? '';
    await browser.open(`${own}?${new URLSearchParams({ code: honestCode, state })}`);
    const outcome = await login.ended;
    expect(outcome.code).not.toBe(0);
    expect(outcome.stdout + outcome.stderr).toContain('not from the issuer');
    expect(atEvil).toEqual([]);
  });

  it('is not mistaken for the honest one, whose own sign-in works', async () => {
    saysIss = true;
    expect((await signIn('honest')).code).toBe(0);
    expect(new URL(redirectUris[0] ?? '').pathname).toBe('/auth/callback/oauth');
    expect((await signIn('honest-by-name')).code).toBe(0);
    expect(redirectUris[1]).toBe(`http://localhost:${fixture.port}/auth/callback/oauth`);
    const uri = async (name: string) => (await fixture.json(['inspect', name])).redirect_uri;
    expect(await uri('honest-by-name')).toBe(redirectUris[1]);
    expect(await uri('honest')).toBe(fixture.redirectUri);
  });
});
