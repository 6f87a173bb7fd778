import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type Acme,
  connectAcme,
  connectPixel,
  createAcme,
  lastDocument,
  withFixture,
} from '../support/fixture.ts';
import { authUrlOf, providerUrlOf, signInWithClient } from '../support/sign-in.ts';

let fixture: Acme;
beforeAll(async () => {
  fixture = await createAcme();
});
afterAll(() => fixture.close());

const login = (...args: readonly string[]) =>
  fixture.startAuthsome(['login', ...args, '--json', '--no-browser']);

describe('login with an API key', () => {
  it('takes it from a local page, and prints its start and its end as JSON lines', async () => {
    const { asked, closing, outcome } = await connectPixel(fixture);
    expect(outcome.code).toBe(0);
    const [first = '', last = ''] = outcome.stdout.trimEnd().split('\n');
    expect(JSON.parse(first)).toMatchObject({
      v: 1,
      status: 'waiting',
      provider: 'pixel',
      connection: 'default',
      flow: 'api_key',
      session_id: expect.any(String),
      auth_url: expect.stringContaining(fixture.baseUrl),
    });
    expect(JSON.parse(last)).toMatchObject({
      v: 1,
      status: 'connected',
      provider: 'pixel',
      connection: 'default',
      scopes: [],
      expires_at: null,
      account: null,
    });
    expect(asked.html).toMatch(/<input[^>]*name="api_key"[^>]*type="password"/);
    expect(closing.status).toBe(200);
    expect(asked.html + closing.html + outcome.stdout + outcome.stderr).not.toContain(fixture.apiKey);
  });

  it('takes it from the variable that the definition names', async () => {
    const outcome = await fixture.authsome(['login', 'pixel', '--connection', 'from-env', '--yes'], {
      env: { PIXEL_API_KEY: fixture.apiKey },
    });
    expect(outcome.code).toBe(0);
    expect(outcome.stdout + outcome.stderr).not.toContain(fixture.apiKey);
  });

  it('takes it from piped stdin', async () => {
    const outcome = await fixture.authsome(['login', 'pixel', '--connection', 'piped'], {
      stdin: `${fixture.apiKey}\n`,
    });
    expect(outcome.code).toBe(0);
    expect(outcome.stdout + outcome.stderr).not.toContain(fixture.apiKey);
  });

  it('takes it from a masked prompt on a terminal without a display', async () => {
    const running = fixture.startOnTerminal(['login', 'pixel', '--connection', 'typed']);
    await running.seen('stdout', /API key for Pixel: /);
    running.type(`${fixture.apiKey}\r`);
    const outcome = await running.ended;
    expect([outcome.code, outcome.stdout]).toEqual([0, expect.any(String)]);
    expect(outcome.stdout).not.toContain(fixture.apiKey);
  });

  it('refuses a key that does not fit the pattern, says what one looks like, and stores nothing', async () => {
    const outcome = await fixture.authsome(['login', 'pixel', '--connection', 'bad', '--yes'], {
      env: { PIXEL_API_KEY: 'sk_not_a_pixel_key' },
    });
    expect(outcome.code).toBe(10);
    expect(outcome.stderr).toContain('px_ and 32 letters or digits');
    expect(outcome.stderr).not.toContain('sk_not_a_pixel_key');
    expect(await fixture.json(['get', 'pixel', '--connection', 'bad'], 3)).toMatchObject({
      error: 'ConnectionNotFound',
    });
  });

  it('lets the page be tried again after a wrong key', async () => {
    const running = login('pixel', '--connection', 'second-try');
    const browser = fixture.newBrowser();
    const asked = await browser.open(await authUrlOf(running));
    const again = await browser.submit(asked, { api_key: 'oops' });
    expect(again.html).toContain('name="api_key"');
    expect(again.html).not.toContain('oops');
    await browser.submit(again, { api_key: fixture.apiKey });
    expect((await running.ended).code).toBe(0);
  });

  it('does not replace a connection unless asked to', async () => {
    const again = await fixture.authsome(['login', 'pixel', '--yes'], {
      env: { PIXEL_API_KEY: fixture.apiKey },
    });
    expect(again.code).toBe(6);
    expect(again.stderr).toContain('--force');
    const forced = await fixture.authsome(['login', 'pixel', '--force', '--yes'], {
      env: { PIXEL_API_KEY: fixture.apiKey },
    });
    expect(forced.code).toBe(0);
  });
});

describe('login with PKCE', () => {
  it('asks for the client once, sends one exact redirect URI and a challenge, and stores what was granted', async () => {
    const running = login('acme');
    const browser = fixture.newBrowser();
    const asked = await browser.open(await authUrlOf(running));
    expect(asked.html).toContain(fixture.redirectUri);
    const consent = await browser.submit(asked, {
      client_id: fixture.client.clientId,
      client_secret: fixture.client.clientSecret,
    });
    expect(consent.url).toContain('https://login.acme.test/');
    const closing = await browser.submit(consent, { decision: 'allow' });
    expect(closing.status).toBe(200);
    const outcome = await running.ended;
    expect(outcome.code).toBe(0);
    expect(lastDocument(outcome)).toMatchObject({
      status: 'connected',
      scopes: ['read', 'write'],
      expires_at: expect.stringMatching(/^\d{4}-.*Z$/),
    });
    expect(asked.html + closing.html).not.toContain(fixture.client.clientSecret);
    expect(closing.url).not.toContain(fixture.service.authorization.issued[0]?.accessToken ?? '-');
  });

  it('goes straight to the provider the second time, and requests the scopes that were named', async () => {
    const running = login('acme', '--connection', 'work', '--scopes', 'read');
    const url = new URL(await providerUrlOf(running));
    expect(url.origin).toBe('https://login.acme.test');
    expect(Object.fromEntries(url.searchParams)).toMatchObject({
      response_type: 'code',
      client_id: fixture.client.clientId,
      redirect_uri: fixture.redirectUri,
      code_challenge_method: 'S256',
      scope: 'read',
    });
    expect(url.searchParams.get('state')).toMatch(/^[\w-]{43,}$/);
    const browser = fixture.newBrowser();
    await browser.submit(await browser.open(url.href), { decision: 'allow' });
    expect((await running.ended).code).toBe(0);
    const scopes = await fixture.authsome(['get', 'acme', '--connection', 'work', '--field', 'scopes']);
    expect(scopes.stdout).toBe('read\n');
  });

  it('keeps waiting after a callback with a foreign state, and says so', async () => {
    const running = login('acme', '--connection', 'patient');
    const url = await authUrlOf(running);
    const browser = fixture.newBrowser();
    const stale = await browser.open(`${fixture.redirectUri}?code=stolen&state=${'x'.repeat(43)}`);
    expect(stale.status).toBe(400);
    expect(stale.html).toContain('OAuth state parameter does not match');
    expect(running.child.exitCode).toBeNull();
    await browser.submit(await browser.open(url), { decision: 'allow' });
    expect((await running.ended).code).toBe(0);
  });

  it('takes a redirect URL that is pasted into the terminal', async () => {
    const running = fixture.startOnTerminal(['login', 'acme', '--connection', 'pasted', '--no-browser']);
    const [, url = ''] = await running.seen('stdout', /(https:\/\/login\.acme\.test\/\S+)/);
    const browser = fixture.newBrowser();
    // The browser is on another machine: what it shows in its address bar is all there is.
    const consent = await browser.open(url.replace(/\x1b.*$/, ''));
    const address = await browser.redirectOf(consent, { decision: 'allow' }, fixture.baseUrl);
    running.type(`${address}\r`);
    expect((await running.ended).code).toBe(0);
  });

  it('a callback works once', async () => {
    const running = login('acme', '--connection', 'once');
    const browser = fixture.newBrowser();
    const consent = await browser.open(await authUrlOf(running));
    const address = await browser.redirectOf(consent, { decision: 'allow' }, fixture.baseUrl);
    const issued = fixture.service.authorization.issued.length;
    const [first, second] = [await browser.open(address), await browser.open(address)];
    expect((await running.ended).code).toBe(0);
    expect(first.status).toBe(200);
    expect(second.status).toBeGreaterThanOrEqual(400);
    expect(fixture.service.authorization.issued.length).toBe(issued + 1);
  });

  it('ends with the provider’s own error when the person declines', async () => {
    const running = login('acme', '--connection', 'denied');
    const browser = fixture.newBrowser();
    await browser.submit(await browser.open(await authUrlOf(running)), { decision: 'deny' });
    const outcome = await running.ended;
    expect(outcome.code).toBe(10);
    expect(lastDocument(outcome)).toMatchObject({
      v: 1,
      error: 'SignInFailed',
      message: expect.stringContaining('access_denied'),
    });
  });

  it('is cancelled by Ctrl-C, with exit code 11', async () => {
    const running = fixture.startOnTerminal(['login', 'acme', '--connection', 'nope', '--no-browser']);
    await running.seen('stdout', /https:\/\/login\.acme\.test/);
    running.type('\x03');
    expect((await running.ended).code).toBe(11);
    expect(await fixture.json(['get', 'acme', '--connection', 'nope'], 3)).toMatchObject({
      error: 'ConnectionNotFound',
    });
  });

  it('survives a restart of the daemon during it', async () => {
    const running = login('acme', '--connection', 'restarted');
    const browser = fixture.newBrowser();
    const consent = await browser.open(await authUrlOf(running));
    process.kill(fixture.daemonPid() ?? 0, 'SIGKILL');
    expect((await fixture.authsome(['whoami'])).code).toBe(0);
    const closing = await browser.submit(consent, { decision: 'allow' });
    expect(closing.status).toBe(200);
    expect((await fixture.json(['get', 'acme', '--connection', 'restarted'])).status).toBe('connected');
    await running.ended;
  });
});

it('shows the two commands that fix a client which the provider refuses', async () => {
  await withFixture(await createAcme(), async (other) => {
    const running = other.startAuthsome(['login', 'acme', '--no-browser', '--json']);
    const wrong = { clientId: other.client.clientId, clientSecret: 'cs_rotated_long_ago_000' };
    const { outcome } = await signInWithClient(running, other.newBrowser(), wrong);
    expect(outcome.code).toBe(10);
    const failure = lastDocument(outcome);
    expect(failure).toMatchObject({
      error: 'TokenExchangeFailed',
      message: 'token exchange failed: invalid_client',
    });
    expect(failure.hint).toContain('authsome revoke acme');
    expect(failure.hint).toContain('authsome login acme');
    expect(outcome.stdout + outcome.stderr).not.toContain(wrong.clientSecret);
    expect((await other.authsome(['revoke', 'acme'])).code).toBe(0);
    expect((await connectAcme(other)).outcome.code).toBe(0);
  });
});

it('says that the endpoint cannot be reached when it cannot', async () => {
  await withFixture(await createAcme(), async (other) => {
    const running = other.startAuthsome(['login', 'acme', '--no-browser', '--json']);
    const browser = other.newBrowser();
    const asked = await browser.open(await authUrlOf(running));
    const consent = await browser.submit(asked, {
      client_id: other.client.clientId,
      client_secret: other.client.clientSecret,
    });
    const address = await browser.redirectOf(consent, { decision: 'allow' }, other.baseUrl);
    other.service.authorization.misbehave((request) => {
      if (request.url !== '/token') return false;
      request.socket.destroy();
      return true;
    });
    await browser.open(address);
    const outcome = await running.ended;
    expect(outcome.code).toBe(8);
    expect(lastDocument(outcome)).toMatchObject({ error: 'EndpointUnreachable' });
  });
});
