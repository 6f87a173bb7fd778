/**
 * Servers that insist on what the RFCs ask for: strict ones, those that rotate refresh tokens, and device flows that
 * are to slow down.
 */
import { once } from 'node:events';
import { request } from 'node:https';
import { describe, expect, it } from 'vitest';
import { authorizeUrlOf, expiry, lastDocument, register } from '../support/fixture.ts';
import { type Company, consent, giveClient, inCompany, issuer, told } from '../support/person.ts';
import { acme, hosts } from '../support/service/index.ts';
import { authUrlOf } from '../support/sign-in.ts';
import { granted, interceptAnswers } from '../support/token-endpoint.ts';

const me = ['run', '--', 'curl', '-sS', `https://${hosts.api}/v1/me`] as const;

/** A server's own metadata promise `iss`, and that only S256 will do. */
const strict = { ...acme, name: 'acme-strict', oauth: { issuer, scopes: ['read', 'write'] } };

describe('a strict server', () => {
  it('is content: one exact redirect URI, PKCE, the issuer named, the client in a header', async () => {
    await inCompany({}, async (company) => {
      await register(company, strict);
      const running = company.startAuthsome(['login', 'acme-strict', '--json', '--no-browser']);
      await company.page.goto(await authUrlOf(running));
      const asking = company.page.waitForRequest((seen) => seen.url().startsWith(`${issuer}/authorize?`));
      await giveClient(company);
      const asked = Object.fromEntries(new URL((await asking).url()).searchParams);
      expect(asked).toEqual({
        response_type: 'code',
        client_id: company.client.clientId,
        redirect_uri: company.redirectUri,
        scope: 'read write',
        state: expect.stringMatching(/^[\w-]{43}$/),
        code_challenge: expect.stringMatching(/^[\w-]{43}$/),
        code_challenge_method: 'S256',
      });
      const answering = company.page.waitForRequest((seen) => seen.url().startsWith(company.redirectUri));
      await consent(company);
      const answer = new URL((await answering).url()).searchParams;
      expect([answer.get('iss'), answer.get('state')]).toEqual([issuer, asked.state]);
      expect(await told(company)).toContain('Acme is connected');
      expect((await running.ended).code).toBe(0);
      expect((await company.authsome(me)).stdout).toContain('"hello":"ada"');
    });
  });

  it('that knows another redirect URI shows it to the person; the terminal has the exact one', async () => {
    const registeredRedirectUri = 'http://127.0.0.1:7998/auth/callback';
    await inCompany({ registeredRedirectUri }, async (company) => {
      await register(company, strict);
      const running = company.startOnTerminal(['login', 'acme-strict', '--no-browser']);
      await running.seen('stdout', /Client ID: /);
      running.type(`${company.client.clientId}\r${company.client.clientSecret}\r`);
      await company.page.goto(await authorizeUrlOf(running));
      expect(await company.page.locator('main').textContent()).toContain('invalid_redirect_uri');
      await running.seen('stdout', /refuses the redirect URI, register exactly/);
      running.type('\x03');
      const outcome = await running.ended;
      expect(outcome.code).toBe(11);
      expect(outcome.stdout).toContain(company.redirectUri);
      expect(company.service.authorization.issued).toEqual([]);
    });
  });

  it('refuses a request that has lost its challenge, and its error is shown', async () => {
    await inCompany({}, async (company) => {
      await register(company, strict);
      const running = company.startAuthsome(['login', 'acme-strict', '--json', '--no-browser']);
      await company.page.goto(await authUrlOf(running));
      const url = new URL(await addressAfterForm(company));
      url.searchParams.delete('code_challenge');
      url.searchParams.delete('code_challenge_method');
      await company.page.goto(url.href);
      expect(await told(company)).toContain('Acme is not connected');
      const outcome = await running.ended;
      expect([outcome.code, lastDocument(outcome).message]).toEqual([
        10,
        expect.stringMatching(/^acme-strict refused the sign-in: invalid_request: .*PKCE/),
      ]);
      expect(company.service.authorization.issued).toEqual([]);
    });
  });

  it('whose response lacks the promised issuer is not believed', async () => {
    await inCompany({}, async (company) => {
      await register(company, strict);
      interceptAnswers(company.service, '/authorize', (response, body, end) => {
        const location = String(response.getHeader('location') ?? '');
        if (location.startsWith(company.redirectUri)) {
          const back = new URL(location);
          back.searchParams.delete('iss');
          response.setHeader('location', back.href);
        }
        end(body);
      });
      const running = company.startAuthsome(['login', 'acme-strict', '--json', '--no-browser']);
      await company.page.goto(await authUrlOf(running));
      await giveClient(company);
      await consent(company);
      expect(await told(company)).toContain('Acme is not connected');
      const outcome = await running.ended;
      expect([outcome.code, lastDocument(outcome).message]).toEqual([
        10,
        'the response is not from the issuer of acme-strict',
      ]);
      expect(company.asked).not.toContain('POST /token');
    });
  });
});

/** Where authsome's form leads, without going there. */
async function addressAfterForm(company: Company): Promise<string> {
  await company.page.route(`${issuer}/authorize?**`, (route) => route.abort());
  const leaving = company.page.waitForRequest((seen) => seen.url().startsWith(`${issuer}/authorize?`));
  await giveClient(company);
  const url = (await leaving).url();
  await company.page.unrouteAll();
  return url;
}

/** The status of a refresh that somebody else makes with this client's own credentials. */
async function replay(company: Company, refreshToken: string): Promise<number> {
  const { clientId, clientSecret } = company.client;
  const call = request({
    host: '127.0.0.1',
    port: company.service.port,
    servername: hosts.login,
    ca: company.service.caPem,
    method: 'POST',
    path: '/token',
    agent: false,
    auth: `${clientId}:${clientSecret}`,
    headers: { host: hosts.login, 'content-type': 'application/x-www-form-urlencoded' },
  });
  call.end(new URLSearchParams({ grant_type: 'refresh_token', refresh_token: refreshToken }).toString());
  const [response] = await once(call, 'response');
  response.resume();
  return response.statusCode;
}

describe('a server that rotates refresh tokens', () => {
  it('gets each refresh token once; when a thief uses one, it ends the grant, and the command that is shown fixes that', async () => {
    await inCompany({ firstTokenTtlSeconds: 2, rotateRefreshTokens: true }, async (company) => {
      const { authorization } = company.service;
      const running = company.startAuthsome(['login', 'acme', '--json', '--no-browser']);
      await company.page.goto(await authUrlOf(running));
      await giveClient(company);
      await consent(company);
      expect((await running.ended).code).toBe(0);
      await expiry(2);
      expect((await company.authsome(me)).stdout).toContain('"hello":"ada"');
      expect(granted(company.service, 'refresh_token')).toBe(1);
      const [first, second] = authorization.issued.map(({ refreshToken }) => refreshToken ?? '');
      expect(second).not.toBe(first);
      expect([authorization.refusals, authorization.revocations]).toEqual([[], 0]);

      expect(await replay(company, first ?? '')).toBe(400);
      expect(authorization.revocations).toBe(1);
      const problem = await company.authsome(me);
      expect(problem.stdout).not.toContain('"hello"');
      const remedy = 'authsome login acme --force';
      const failure = await company.json(['export', 'acme'], 5);
      expect(failure).toMatchObject({
        error: 'CredentialExpired',
        hint: expect.stringContaining(remedy),
      });
      expect((await company.authsome(['list'])).stdout).toMatch(/acme +default +invalid/);
      // First the thief's, then authsome's: the dead grant is not asked about again.
      expect(authorization.refusals).toEqual(['invalid_grant', 'invalid_grant']);
      await company.authsome(me);
      expect(authorization.refusals).toHaveLength(2);

      const again = company.startAuthsome([...remedy.split(' ').slice(1), '--json', '--no-browser']);
      await company.page.goto(await authUrlOf(again));
      await company.page.waitForURL(
        (url) => url.origin === company.baseUrl || url.href.includes('/interaction/'),
      );
      if (company.page.url().includes('/interaction/')) await consent(company);
      expect((await again.ended).code).toBe(0);
      expect((await company.authsome(me)).stdout).toContain('"hello":"ada"');
    });
  });
});

describe('a server with a device flow', () => {
  it('that says slow_down is asked more slowly from then on, and the code works in a browser elsewhere', async () => {
    await inCompany({ features: { deviceFlow: { enabled: true } } }, async (company) => {
      const oauth = { ...acme.oauth, device_authorization_url: `${issuer}/device/auth` };
      await register(company, { ...acme, name: 'acme-code', flow: 'device_code', oauth });
      // RFC 8628 §3.5: five seconds where it names no interval, and five more after slow_down. A server may measure that.
      const slowed = 10_000;
      let polls = 0;
      let lastAtMs = 0;
      let tooEarly = 0;
      let slowDown = (): void => {};
      const slowedDown = new Promise<void>((resolve) => {
        slowDown = resolve;
      });
      company.service.authorization.misbehave((incoming, response) => {
        if (incoming.url !== '/token') return false;
        const sinceMs = performance.now() - lastAtMs;
        lastAtMs = performance.now();
        polls += 1;
        if (polls > 1 && sinceMs >= slowed) return false;
        if (polls > 1) tooEarly += 1;
        incoming.resume();
        response.writeHead(400, { 'content-type': 'application/json' }).end('{"error":"slow_down"}');
        slowDown();
        return true;
      });
      const running = company.startOnTerminal(['login', 'acme-code', '--no-browser']);
      await running.seen('stdout', /Client ID: /);
      running.type(`${company.client.clientId}\r${company.client.clientSecret}\r`);
      const [, code = ''] = await running.seen('stdout', /enter the code \S*?([A-Z]{4}-[A-Z]{4})/);
      await slowedDown;
      const { page } = company;
      await page.goto(`${issuer}/device`);
      await page.locator('input[name=user_code]').fill(code);
      await page.getByRole('button', { name: 'Continue' }).click();
      await page.getByRole('button', { name: 'Continue' }).click();
      await consent(company);
      const outcome = await running.ended;
      expect([outcome.code, outcome.stdout]).toEqual([0, expect.stringContaining('Connected acme-code')]);
      expect(tooEarly).toBe(0);
      expect((await company.authsome(me)).stdout).toContain('"hello":"ada"');
    });
  });
});
