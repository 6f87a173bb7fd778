/**
 * Signing in to servers of every character with the real binary: those that have less, those that want more, those that
 * misbehave.
 */
import type { ServerResponse } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type Acme,
  connectAcme,
  createAcme,
  lastDocument,
  register,
  withFixture,
} from '../support/fixture.ts';
import { acme, hosts } from '../support/service/index.ts';
import { authUrlOf, providerUrlOf } from '../support/sign-in.ts';

const issuer = `https://${hosts.login}`;

function send(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, { 'content-type': type }).end(body);
}

const failed = (reason: string) => `token exchange failed: the token endpoint ${reason}`;

const json = (response: ServerResponse, body: unknown, status = 200): void =>
  send(response, status, 'application/json', JSON.stringify(body));

/**
 * Signs in to Acme, whose client is known, and says yes there; the token endpoint responds as given, if anything is.
 */
async function signIn(fixture: Acme, connection: string, token?: (response: ServerResponse) => void) {
  fixture.service.authorization.misbehave((request, response) => {
    if (token === undefined || request.url !== '/token') return false;
    request.resume();
    token(response);
    return true;
  });
  const running = fixture.startAuthsome([
    ...['login', 'acme', '--connection', connection],
    ...['--json', '--no-browser'],
  ]);
  const browser = fixture.newBrowser();
  const consent = await browser.open(await authUrlOf(running));
  const address = await browser.redirectOf(consent, { decision: 'allow' }, fixture.baseUrl);
  const closing = await browser.open(address);
  const outcome = await running.ended;
  fixture.service.authorization.misbehave(undefined);
  return { outcome, closing, code: new URL(address).searchParams.get('code') ?? '' };
}

async function connectionsOf(fixture: Acme, provider: string): Promise<readonly string[]> {
  const { providers } = await fixture.json(['list', provider]);
  const found = providers.find(({ name }: { name: string }) => name === provider);
  return found?.connections.map(({ name }: { name: string }) => name) ?? [];
}

describe('a token endpoint', () => {
  let fixture: Acme;
  beforeAll(async () => {
    fixture = await createAcme();
    await connectAcme(fixture);
  });
  afterAll(() => fixture.close());

  const token = { access_token: 'at_0123456789abcdef', token_type: 'bearer' };
  it.each<[string, (response: ServerResponse) => void, Record<string, unknown>]>([
    [
      'replies with a form',
      (response) =>
        send(response, 200, 'application/x-www-form-urlencoded', 'access_token=at_form&scope=read%2Cwrite'),
      { scopes: ['read', 'write'], expires_at: null },
    ],
    ['names no expires_in', (response) => json(response, token), { expires_at: null }],
    [
      // Its slowness is what is tested.
      'is slow',
      (response) => void setTimeout(() => json(response, { ...token, expires_in: '3600' }), 1_500),
      { scopes: ['read', 'write'] },
    ],
  ])('that %s is understood', async (what, answer, granted) => {
    const name = what.replaceAll(' ', '-');
    const { outcome } = await signIn(fixture, name, answer);
    expect([outcome.code, lastDocument(outcome)]).toEqual([0, expect.objectContaining(granted)]);
    expect(await connectionsOf(fixture, 'acme')).toContain(name);
  });

  it.each<[string, (response: ServerResponse) => void, number, string | RegExp]>([
    [
      'says an error with status 200',
      (response) => json(response, { error: 'bad_verification_code', error_description: 'Too late.' }),
      10,
      'token exchange failed: bad_verification_code',
    ],
    [
      'says an error and gives a token beside it',
      (response) => json(response, { ...token, error: 'nearly' }),
      10,
      'token exchange failed: nearly',
    ],
    [
      'answers with HTML',
      (response) => send(response, 200, 'text/html', '<html><body>Sign in to the network</body></html>'),
      10,
      failed('responded 200 with text/html, not JSON'),
    ],
    [
      'answers with nothing',
      (response) => send(response, 200, 'application/json', ''),
      10,
      failed('responded 200 with an empty body'),
    ],
    [
      'answers with broken JSON',
      (response) => send(response, 200, 'application/json', '{"access_token": "at_0123'),
      10,
      failed('responded 200 with an unreadable body'),
    ],
    [
      'gives a token that no header can carry',
      (response) => json(response, { ...token, access_token: 'at_\r\nX-Evil: 1' }),
      10,
      failed('sent an access token that cannot go into a header'),
    ],
    [
      'gives a token of another kind',
      (response) => json(response, { ...token, token_type: 'DPoP' }),
      10,
      failed(
        'issues tokens that are bound to a key of the client (DPoP, RFC 9449), which authsome does not support',
      ),
    ],
    [
      'redirects',
      (response) => void response.writeHead(307, { location: `https://${hosts.stranger}/token` }).end(),
      10,
      failed('responded with a redirect (status 307), which is never followed'),
    ],
    [
      'answers with 10 MB',
      (response) => json(response, { ...token, filler: 'x'.repeat(10 * 1024 * 1024) }),
      8,
      /longer than \d+ bytes/,
    ],
    [
      'dies while it sends its response',
      (response) => {
        response.writeHead(200, { 'content-type': 'application/json', 'content-length': '500' });
        response.write('{"access_token":"at_half', () => response.destroy());
      },
      8,
      /closed before the response was complete/,
    ],
    [
      'is down',
      (response) => send(response, 503, 'text/html', '<h1>Maintenance</h1>'),
      10,
      failed('responded 503 with text/html, not JSON'),
    ],
  ])('that %s fails the sign-in precisely, and stores nothing', async (what, answer, code, message) => {
    const name = what.replace(/[^a-z]+/gi, '-');
    const before = fixture.service.api.received.length;
    const signedIn = await signIn(fixture, name, answer);
    const { outcome, closing } = signedIn;
    expect(outcome.code).toBe(code);
    expect(lastDocument(outcome)).toMatchObject({
      v: 1,
      error: code === 10 ? 'TokenExchangeFailed' : 'EndpointUnreachable',
      message: typeof message === 'string' ? message : expect.stringMatching(message),
      hint: expect.stringMatching(/\S/),
    });
    expect(closing.html).toContain('Acme is not connected');
    for (const secret of [signedIn.code, 'at_0123', 'at_half', fixture.client.clientSecret]) {
      expect(outcome.stdout + outcome.stderr + closing.html).not.toContain(secret);
    }
    expect(fixture.service.api.received.length).toBe(before);
    expect(await connectionsOf(fixture, 'acme')).not.toContain(name);
    expect(await connectionsOf(fixture, 'acme')).toContain('default');
    const { events } = await fixture.json(['log', '-n', '1']);
    expect(events[0]).toMatchObject({
      event: 'sign_in.failed',
      provider: 'acme',
      connection: name,
      outcome: code === 10 ? 'TokenExchangeFailed' : 'EndpointUnreachable',
    });
  });

  it('that fails leaves the connection that was to be replaced as it was', async () => {
    const before = await fixture.json(['get', 'acme', '--show-secret']);
    fixture.service.authorization.misbehave((request, response) => {
      if (request.url !== '/token') return false;
      send(response, 502, 'text/html', '<h1>Bad gateway</h1>');
      return true;
    });
    const running = fixture.startAuthsome(['login', 'acme', '--force', '--json', '--no-browser']);
    const browser = fixture.newBrowser();
    await browser.submit(await browser.open(await authUrlOf(running)), { decision: 'allow' });
    expect((await running.ended).code).toBe(10);
    fixture.service.authorization.misbehave(undefined);
    expect(await fixture.json(['get', 'acme', '--show-secret'])).toEqual(before);
  });
});

describe('an issuer', () => {
  it('that is not the one asked is refused, and none of its words are shown', async () => {
    await withFixture(await createAcme(), async (fixture) => {
      await register(fixture, { ...acme, name: 'acme-iss', oauth: { ...acme.oauth, issuer } });
      const running = fixture.startAuthsome(['login', 'acme-iss', '--json', '--no-browser']);
      const browser = fixture.newBrowser();
      const form = await browser.open(await authUrlOf(running));
      const answer = { client_id: fixture.client.clientId, client_secret: fixture.client.clientSecret };
      const consent = await browser.submit(form, answer);
      const address = new URL(await browser.redirectOf(consent, { decision: 'allow' }, fixture.baseUrl));
      expect(address.searchParams.get('iss')).toBe(issuer);
      address.searchParams.set('iss', 'https://evil.example');
      address.searchParams.set('error_description', 'call 555-0100');
      const page = await browser.open(address.href);
      const outcome = await running.ended;
      expect(outcome.code).toBe(10);
      expect(lastDocument(outcome).message).toBe('the response is not from the issuer of acme-iss');
      expect(outcome.stdout + page.html).not.toMatch(/evil|555/);
      expect(fixture.service.authorization.issued).toEqual([]);
    });
  });

  it.each<[string, Record<string, unknown>, number, RegExp]>([
    ['names another issuer', { issuer: 'https://evil.example' }, 10, /names another issuer/],
    ['has no S256', { code_challenge_methods_supported: ['plain'] }, 10, /does not support PKCE with S256/],
    ['wants pushed requests nowhere', { require_pushed_authorization_requests: true }, 10, /RFC 9126/],
    [
      'sends people to a page without https',
      { authorization_endpoint: `http://${hosts.login}/authorize` },
      2,
      /authorization_endpoint is not an https URL/,
    ],
    ['leads to a private address', { registration_endpoint: 'https://10.0.0.1/register' }, 12, /10\.0\.0\.1/],
  ])('that %s is refused before anybody is sent there', async (_what, wrong, code, message) => {
    await withFixture(await createAcme(), async (fixture) => {
      const metadata = {
        issuer,
        authorization_endpoint: `${issuer}/authorize`,
        token_endpoint: `${issuer}/token`,
        registration_endpoint: `${issuer}/reg`,
        code_challenge_methods_supported: ['S256'],
        ...wrong,
      };
      const asked: string[] = [];
      fixture.service.authorization.misbehave((request, response) => {
        asked.push(request.url ?? '');
        if (request.url?.startsWith('/.well-known/oauth-authorization-server') === true) {
          json(response, metadata);
        } else send(response, 404, 'text/plain', 'no');
        return true;
      });
      const outcome = await fixture.authsome(['login', issuer, '--json', '--no-browser']);
      expect([outcome.code, lastDocument(outcome).message]).toEqual([code, expect.stringMatching(message)]);
      expect(asked.filter((url) => !url.startsWith('/.well-known') && url !== '/')).toEqual([]);
      const { events } = await fixture.json(['log', '-n', '1']);
      expect(events[0]).toMatchObject({ event: 'sign_in.failed', outcome: lastDocument(outcome).error });
      const { providers } = await fixture.json(['list', '--all']);
      const stored = providers.filter(
        ({ connections }: { connections: unknown[] }) => connections.length > 0,
      );
      expect(stored).toEqual([]);
    });
  });
});

describe('a real authorization server', () => {
  it('that registers clients by itself: nothing to fill in, and signed in by its URL alone', async () => {
    const features = { registration: { enabled: true }, registrationManagement: { enabled: true } };
    await withFixture(await createAcme({ features }), async (fixture) => {
      const running = fixture.startAuthsome(['login', issuer, '--json', '--no-browser', '--scopes', 'read']);
      const browser = fixture.newBrowser();
      expect(await providerUrlOf(running)).toContain(`${issuer}/authorize?`);
      await browser.submit(await browser.open(await authUrlOf(running)), { decision: 'allow' });
      const outcome = await running.ended;
      expect([outcome.code, lastDocument(outcome)]).toEqual([
        0,
        expect.objectContaining({ status: 'connected', provider: 'login-acme-test', scopes: ['read'] }),
      ]);
      const shown = await fixture.authsome(['inspect', 'login-acme-test']);
      expect(shown.stdout).toMatch(/supports_dcr: +true/);
      expect((await fixture.json(['revoke', 'login-acme-test'])).remote).toEqual({ default: 'revoked' });
    });
  });

  it('with a device flow: the code is entered on another device', async () => {
    await withFixture(await createAcme({ features: { deviceFlow: { enabled: true } } }), async (fixture) => {
      const { authorization } = fixture.service;
      await register(fixture, {
        ...acme,
        name: 'acme-code',
        flow: 'device_code',
        oauth: { ...acme.oauth, device_authorization_url: `${issuer}/device/auth` },
      });
      const running = fixture.startAuthsome(['login', 'acme-code', '--json', '--no-browser']);
      const browser = fixture.newBrowser();
      const form = await browser.open(await authUrlOf(running));
      const answer = { client_id: fixture.client.clientId, client_secret: fixture.client.clientSecret };
      const page = await browser.submit(form, answer);
      expect(page.html + page.url).toContain('device');
      const { session_id: session } = JSON.parse(running.output.stdout.split('\n')[0] ?? '');
      const { verification_uri: uri, user_code: userCode } = await fixture.json([
        'login',
        '--status',
        session,
      ]);
      expect(uri).toBe(`${issuer}/device`);
      const device = fixture.newBrowser();
      const confirm = await device.submit(await device.open(uri), { user_code: userCode });
      const consent = await device.submit(confirm, { user_code: userCode, confirm: 'yes' });
      await device.submit(consent, { decision: 'allow' });
      const outcome = await running.ended;
      expect([outcome.code, lastDocument(outcome)]).toEqual([
        0,
        expect.objectContaining({ status: 'connected' }),
      ]);
      expect(authorization.issued.at(-1)?.grantType).toBe('urn:ietf:params:oauth:grant-type:device_code');
    });
  });

  it('with a device flow, whose token endpoint has moved: stops at the first poll', async () => {
    await withFixture(await createAcme({ features: { deviceFlow: { enabled: true } } }), async (fixture) => {
      const oauth = { ...acme.oauth, device_authorization_url: `${issuer}/device/auth` };
      await register(fixture, { ...acme, name: 'acme-moved', flow: 'device_code', oauth });
      const polls: string[] = [];
      fixture.service.authorization.misbehave((request, response) => {
        if (request.url !== '/token') return false;
        polls.push(request.url);
        request.resume();
        response.writeHead(308, { location: `https://${hosts.stranger}/token` }).end();
        return true;
      });
      const running = fixture.startAuthsome(['login', 'acme-moved', '--json', '--no-browser']);
      const browser = fixture.newBrowser();
      const answer = { client_id: fixture.client.clientId, client_secret: fixture.client.clientSecret };
      await browser.submit(await browser.open(await authUrlOf(running)), answer);
      const outcome = await running.ended;
      expect([outcome.code, lastDocument(outcome)]).toEqual([
        10,
        expect.objectContaining({
          error: 'TokenExchangeFailed',
          message: failed('responded with a redirect (status 308), which is never followed'),
          hint: 'Check the token URL with: authsome inspect acme-moved',
        }),
      ]);
      expect(polls).toHaveLength(1);
      expect(fixture.service.api.received).toEqual([]);
    });
  });

  it('that requires pushed authorization requests: says so in its own words', async () => {
    const par = { enabled: true, requirePushedAuthorizationRequests: true };
    await withFixture(
      await createAcme({ features: { pushedAuthorizationRequests: par } }),
      async (fixture) => {
        const running = fixture.startAuthsome(['login', 'acme', '--json', '--no-browser']);
        const browser = fixture.newBrowser();
        const form = await browser.open(await authUrlOf(running));
        const answer = { client_id: fixture.client.clientId, client_secret: fixture.client.clientSecret };
        const page = await browser.submit(form, answer);
        const outcome = await running.ended;
        expect(outcome.code).toBe(10);
        expect(lastDocument(outcome)).toMatchObject({
          error: 'SignInFailed',
          message: expect.stringMatching(/invalid_request: .*Pushed Authorization Request/),
        });
        expect(page.html).toContain('Acme is not connected');
      },
    );
  });
});
