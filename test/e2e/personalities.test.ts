/**
 * Servers that want more than a code: pushed requests, clients that register themselves, and what becomes of the grant
 * before.
 */
import { describe, expect, it } from 'vitest';
import { authorizeUrlOf, lastDocument, register, until } from '../support/fixture.ts';
import { type Company, consent, giveClient, inCompany, issuer, told } from '../support/person.ts';
import { acme } from '../support/service/index.ts';
import { authUrlOf } from '../support/sign-in.ts';
import { changeResponses } from '../support/token-endpoint.ts';

const discovered = { issuer, scopes: ['read', 'write'] } as const;

function start({ startAuthsome }: Company, ...args: readonly string[]) {
  return startAuthsome(['login', ...args, '--json', '--no-browser']);
}

describe('a server that takes pushed authorization requests only', () => {
  const features = {
    pushedAuthorizationRequests: { enabled: true, requirePushedAuthorizationRequests: true },
  };
  const pushing = { ...acme, name: 'acme-par', oauth: discovered };

  it('is signed in to: the browser carries nothing of the request', async () => {
    await inCompany({ features }, async (company) => {
      await register(company, pushing);
      const running = start(company, 'acme-par');
      await company.page.goto(await authUrlOf(running));
      const atProvider = company.page.waitForRequest((request) => request.url().startsWith(issuer));
      await giveClient(company);
      const url = new URL((await atProvider).url());
      expect([...url.searchParams.keys()]).toEqual(['client_id', 'request_uri']);
      expect(await company.page.locator('main').textContent()).toContain('asks for: read write');
      await consent(company);
      expect(await told(company)).toContain('Acme is connected');
      const outcome = await running.ended;
      expect([outcome.code, lastDocument(outcome)]).toEqual([
        0,
        expect.objectContaining({ status: 'connected', scopes: ['read', 'write'] }),
      ]);
      expect(company.asked.filter((what) => what === 'POST /request')).toHaveLength(1);
      expect(outcome.stdout + outcome.stderr).not.toContain(company.client.clientSecret);
      const me = ['run', '--', 'curl', '-sS', 'https://api.acme.test/v1/me'];
      expect((await company.authsome(me)).stdout).toContain('"hello":"ada"');
    });
  });

  it('gives another address on Enter; each works once', async () => {
    await inCompany({ features }, async (company) => {
      const { page } = company;
      const endpoint = { pushed_authorization_request_endpoint: `${issuer}/request` };
      await register(company, { ...acme, name: 'acme-par', oauth: { ...acme.oauth, ...endpoint } });
      const running = company.startOnTerminal(['login', 'acme-par', '--no-browser']);
      await running.seen('stdout', /Client ID: /);
      running.type(`${company.client.clientId}\r${company.client.clientSecret}\r`);
      const first = await authorizeUrlOf(running);
      await running.seen('stdout', /It works once, within \d+ seconds\. For a new one, press Enter/);
      const { length } = running.output.stdout;
      running.type('\r');
      const second = await authorizeUrlOf(running, `[\\s\\S]{${length}}`);
      expect(second).not.toBe(first);

      await page.goto(second);
      await consent(company);
      expect(await told(company)).toContain('Acme is connected');
      expect((await running.ended).code).toBe(0);
      const back = page.waitForRequest((request) => request.url().startsWith(company.redirectUri));
      await page.goto(second);
      const answer = new URL((await back).url()).searchParams;
      expect([answer.get('code'), answer.get('error')]).toEqual([null, 'invalid_request_uri']);
      expect(company.service.authorization.issued).toHaveLength(1);
    });
  });

  it('tells programs when an address ends, and gives them another one after that', async () => {
    await inCompany({ features }, async (company) => {
      await register(company, pushing);
      const running = start(company, 'acme-par');
      await company.page.goto(await authUrlOf(running));
      await giveClient(company);
      await company.page.getByRole('button', { name: 'Deny' }).click();
      expect(await told(company)).toContain('The person said no.');
      expect((await running.ended).code).toBe(10);
      company.service.authorization.misbehave((request, response) => {
        if (request.url !== '/request') return false;
        const uri = `urn:ietf:params:oauth:request_uri:${company.asked.length}`;
        response.writeHead(201, { 'content-type': 'application/json' });
        response.end(JSON.stringify({ request_uri: uri, expires_in: 1 }));
        return true;
      });
      const again = start(company, 'acme-par');
      const ticket = await authUrlOf(again);
      const { session_id: id, provider_url: url, provider_url_expires_at: end } = lastDocument(again.output);
      // The second that the server gave it is over.
      await new Promise((resolve) => setTimeout(resolve, Date.parse(String(end)) - Date.now() + 50));
      const renewed = await company.json(['login', '--status', String(id)]);
      expect(renewed).toMatchObject({ status: 'waiting', session_id: id, auth_url: ticket });
      expect(renewed.provider_url).not.toBe(url);
      expect(Date.parse(renewed.provider_url_expires_at)).toBeGreaterThan(Date.parse(String(end)));
      again.child.kill('SIGINT');
      expect((await again.ended).code).toBe(11);
    });
  });

  it.each<[string, number, object | string, number, RegExp, RegExp]>([
    [
      'refuses it',
      400,
      { error: 'invalid_scope', error_description: 'read is not for you' },
      10,
      /^acme-par refused the pushed authorization request at login\.acme\.test\/request: invalid_scope: read is not for you$/,
      /login acme-par --scopes/,
    ],
    [
      'has no such page',
      404,
      '<h1>Lost</h1>',
      10,
      /login\.acme\.test\/request responded 404/,
      /inspect acme-par/,
    ],
    [
      'redirects it',
      307,
      '',
      10,
      /responded with a redirect \(status 307\), which is never/,
      /inspect acme-par/,
    ],
    ['has a bad day', 503, '<h1>Maintenance</h1>', 10, /responded 503/, /is having problems/],
    ['hangs up on it', 0, '', 8, /^login\.acme\.test did not respond/, /try again/],
  ])(
    'and %s: said in the terminal and on the page, with what to do',
    async (_, status, body, code, message, hint) => {
      await inCompany({ features }, async (company) => {
        await register(company, pushing);
        company.service.authorization.misbehave((request, response) => {
          if (request.url !== '/request') return false;
          request.resume();
          if (status === 0) request.socket.destroy();
          else {
            const isText = typeof body === 'string';
            response.writeHead(status, {
              'content-type': isText ? 'text/html' : 'application/json',
              location: 'https://collector.elsewhere.test/request',
            });
            response.end(isText ? body : JSON.stringify(body));
          }
          return true;
        });
        const running = start(company, 'acme-par');
        await company.page.goto(await authUrlOf(running));
        await giveClient(company);
        const outcome = await running.ended;
        const failure = lastDocument(outcome);
        expect([outcome.code, failure.message, failure.hint]).toEqual([
          code,
          expect.stringMatching(message),
          expect.stringMatching(hint),
        ]);
        expect(await told(company)).toContain('Acme is not connected');
        expect(company.asked.filter((what) => what === 'POST /request')).toHaveLength(1);
        expect(company.asked).not.toContain('GET /authorize');
        expect(company.service.api.received).toEqual([]);
        const { events } = await company.json(['log', '-n', '1']);
        expect(events[0]).toMatchObject({
          event: 'sign_in.failed',
          provider: 'acme-par',
          outcome: failure.error,
        });
        expect(outcome.stdout + outcome.stderr).not.toContain(company.client.clientSecret);
      });
    },
  );
});

describe('a server that knows only clients that register themselves', () => {
  const features = { registration: { enabled: true } };

  /** The client of an authorization request that the browser makes. */
  const nextClient = async ({ page }: Company) => {
    const request = await page.waitForRequest((seen) => seen.url().startsWith(`${issuer}/authorize?`));
    return new URL(request.url()).searchParams.get('client_id');
  };

  /** It does not say where a client could be asked about (RFC 7592). */
  const keepsQuiet = ({ service }: Company) =>
    changeResponses(
      service,
      ({ registration_client_uri: _, registration_access_token: __, ...rest }) => rest,
      '/reg',
    );

  it('and forgets them while somebody signs in: asks once more, for another one', async () => {
    await inCompany({ features }, async (company) => {
      const { authorization } = company.service;
      const running = start(company, issuer, '--scopes', 'read');
      const first = nextClient(company);
      await company.page.goto(await authUrlOf(running));
      expect(await company.page.locator('main').textContent()).toContain('asks for: read');
      authorization.misbehave((request) => {
        if (request.url !== '/token') return false;
        authorization.misbehave(undefined);
        authorization.forgetClients();
        return false;
      });
      const second = nextClient(company);
      await consent(company);
      expect(await second).not.toBe(await first);
      await consent(company);
      expect(await told(company)).toContain('is connected');
      const outcome = await running.ended;
      expect([outcome.code, lastDocument(outcome)]).toEqual([
        0,
        expect.objectContaining({ status: 'connected', provider: 'login-acme-test', scopes: ['read'] }),
      ]);
      expect(outcome.stderr).toContain('no longer accepts the client that authsome registered there');
      expect(authorization.refusals).toEqual(['invalid_client']);
      expect(company.asked.filter((what) => what === 'POST /reg')).toHaveLength(2);
    });
  });

  it('and has forgotten them since: its own page says so, and the next sign-in registers another', async () => {
    await inCompany({ features }, async (company) => {
      const { page, service } = company;
      keepsQuiet(company);
      const first = start(company, issuer, '--scopes', 'read');
      await page.goto(await authUrlOf(first));
      await consent(company);
      expect((await first.ended).code).toBe(0);

      service.authorization.forgetClients();
      const lost = company.startOnTerminal([
        'login',
        'login-acme-test',
        '--force',
        '--scopes',
        'read',
        '--no-browser',
      ]);
      await page.goto(await authorizeUrlOf(lost));
      expect(await page.locator('main').textContent()).toContain('invalid_client');
      await lost.seen('stdout', /does not know the client, press Ctrl-C and sign in again/);
      lost.type('\x03');
      const outcome = await lost.ended;
      expect(outcome.code).toBe(11);
      expect(outcome.stdout).toContain('authsome login login-acme-test --scopes "read" --force');

      const again = start(company, 'login-acme-test', '--force', '--scopes', 'read');
      await page.goto(await authUrlOf(again));
      await consent(company);
      expect(await told(company)).toContain('is connected');
      expect((await again.ended).code).toBe(0);
      expect(company.asked.filter((what) => what === 'POST /reg')).toHaveLength(2);
    });
  });

  it('and takes their requests pushed only: a forgotten one is replaced before a browser opens', async () => {
    const par = { enabled: true, requirePushedAuthorizationRequests: true };
    await inCompany({ features: { ...features, pushedAuthorizationRequests: par } }, async (company) => {
      keepsQuiet(company);
      const first = start(company, issuer, '--scopes', 'read');
      await authUrlOf(first);
      company.service.authorization.forgetClients();
      const second = start(company, issuer, '--connection', 'work', '--scopes', 'read');
      await company.page.goto(await authUrlOf(second));
      await consent(company);
      expect(await told(company)).toContain('is connected');
      expect((await second.ended).code).toBe(0);
      first.child.kill('SIGINT');
      await first.ended;
      expect(company.asked.filter((what) => what === 'POST /reg')).toHaveLength(2);
      expect(company.asked.filter((what) => what === 'POST /request')).toHaveLength(3);
    });
  });
});

describe('a sign-in that replaces another', () => {
  const account = { url: `${issuer}/whoami`, field: 'login' };

  it('revokes the old grant where it is of another account, and leaves it where it may be the same', async () => {
    await inCompany({}, async (company) => {
      const { authorization } = company.service;
      await register(company, { ...acme, name: 'acme-who', oauth: { ...acme.oauth, account } });
      let who = 'ada';
      let isKnownThere = false;
      authorization.misbehave((request, response) => {
        if (request.url !== '/whoami') return false;
        response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ login: who }));
        return true;
      });
      const signIn = async (login: string): Promise<string> => {
        who = login;
        const running = start(company, 'acme-who', '--force');
        await company.page.goto(await authUrlOf(running));
        if (authorization.issued.length === 0) await giveClient(company);
        if (!isKnownThere) await consent(company);
        isKnownThere = true;
        expect((await running.ended).code).toBe(0);
        return authorization.issued.at(-1)?.accessToken ?? '';
      };
      const replaced = async (): Promise<readonly string[]> => {
        const { events } = await company.json(['log']);
        return events
          .filter(({ event }: { event: string }) => event === 'connection.replaced')
          .map(({ detail }: { detail: string }) => detail);
      };
      const first = await signIn('ada');
      // The same browser: the server asks nothing, and gives more tokens of the very grant that it has already.
      const second = await signIn('ada');
      await until(async () => (await replaced()).length === 1, 10_000);
      expect(await replaced()).toEqual([
        'the earlier grant was not revoked: it may be shared with acme-who/default',
      ]);
      expect(company.asked).not.toContain('POST /revoke');
      expect([await authorization.accepts(first), await authorization.accepts(second)]).toEqual([true, true]);

      await company.page.context().clearCookies();
      isKnownThere = false;
      const third = await signIn('bob');
      await until(async () => (await replaced()).length === 2, 10_000);
      expect(await replaced()).toContain('the earlier grant, at the provider: revoked');
      expect([await authorization.accepts(second), await authorization.accepts(third)]).toEqual([
        false,
        true,
      ]);
      const me = ['run', '--', 'curl', '-sS', 'https://api.acme.test/v1/me'];
      expect((await company.authsome(me)).stdout).toContain('"hello":"ada"');
      expect(company.service.api.received.at(-1)?.headers.authorization).toBe(`Bearer ${third}`);
    });
  });
});
