import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  type Acme,
  askAcme,
  connectAcme,
  createAcme,
  expiry,
  lastDocument,
  overridesNote,
  register,
  until,
  withFixture,
} from '../support/fixture.ts';
import { acme, hosts } from '../support/service/index.ts';
import { authUrlOf, signInWithClient } from '../support/sign-in.ts';
import { changeResponses, granted } from '../support/token-endpoint.ts';

const me = `https://${hosts.api}/v1/me`;
const works = { code: 0, stdout: '200', stderr: expect.stringMatching(overridesNote) };

/** Answers calls to one path of the authorization server in its place, and counts them. */
function answer(fixture: Acme, path: string, how: 'break' | { status: number; body: object }): () => number {
  let calls = 0;
  fixture.service.authorization.misbehave((request, response) => {
    if (request.url !== path) return false;
    calls += 1;
    if (how === 'break') request.destroy();
    else {
      response.writeHead(how.status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(how.body));
    }
    return true;
  });
  return () => calls;
}

/** For what only time brings: the end of a token, and a machine that sleeps. */
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe('a connection that nobody uses', () => {
  it('is refreshed ahead of its end', async () => {
    await withFixture(await createAcme({ firstTokenTtlSeconds: 24 }), async (fixture) => {
      await connectAcme(fixture);
      await until(() => granted(fixture.service, 'refresh_token') === 1, 22_000);
      const { issued, refusals } = fixture.service.authorization;
      expect(refusals).toEqual([]);
      expect(await fixture.json(['get', 'acme', '--show-secret'])).toMatchObject({
        status: 'connected',
        access_token: issued[1]?.accessToken,
        refresh_token: issued[1]?.refreshToken,
      });
      const { events } = await fixture.json(['log']);
      const refreshed = events.filter(({ event }: { event: string }) => event === 'token.refreshed');
      expect(refreshed).toMatchObject([{ provider: 'acme', connection: 'default', outcome: 'ok' }]);
      expect(fixture.service.api.received).toEqual([]);
    });
  });
});

describe('a token without an expiry', () => {
  it('is refreshed when the API refuses it, and only then', async () => {
    await withFixture(await createAcme(), async (fixture) => {
      changeResponses(fixture.service, ({ expires_in: _, ...rest }) => rest);
      await connectAcme(fixture);
      expect(await fixture.json(['get', 'acme'])).toMatchObject({ status: 'connected', expires_at: null });
      expect(await fixture.authsome(askAcme)).toMatchObject(works);
      expect(granted(fixture.service, 'refresh_token')).toBe(0);
      await fixture.service.authorization.invalidate(
        fixture.service.authorization.issued[0]?.accessToken ?? '',
      );
      const outcomes = await Promise.all(Array.from({ length: 5 }, () => fixture.authsome(askAcme)));
      for (const outcome of outcomes) expect(outcome).toMatchObject(works);
      expect(granted(fixture.service, 'refresh_token')).toBe(1);
      expect(await fixture.json(['get', 'acme'])).toMatchObject({ status: 'connected', expires_at: null });
    });
  });
});

describe('a grant that the provider has ended', () => {
  it('is invalid: everything names the command that fixes it, and that command does', async () => {
    await withFixture(await createAcme({ firstTokenTtlSeconds: 2 }), async (fixture) => {
      await connectAcme(fixture, '--connection', 'work');
      const calls = answer(fixture, '/token', {
        status: 400,
        body: { error: 'invalid_grant', error_description: 'The account was closed.' },
      });
      await expiry(2);
      const remedy = 'authsome login acme --connection work --force';
      const first = JSON.parse((await fixture.authsome(['run', '--', 'curl', '-sS', me])).stdout);
      expect(first).toMatchObject({ code: 'CredentialExpired', hint: expect.stringContaining(remedy) });
      expect(first.hint).toContain('The account was closed.');
      const second = JSON.parse((await fixture.authsome(['run', '--', 'curl', '-sS', me])).stdout);
      expect(second).toMatchObject({ code: 'CredentialExpired', hint: expect.stringContaining(remedy) });

      const list = await fixture.authsome(['list']);
      expect(list.stdout).toMatch(/acme +work +invalid/);
      expect(list.stderr).toContain(remedy);
      const get = await fixture.authsome(['get', 'acme']);
      expect(get).toMatchObject({ code: 0, stdout: expect.stringMatching(/status +invalid/) });
      expect(get.stderr).toContain(remedy);
      for (const args of [
        ['get', 'acme', '--show-secret'],
        ['get', 'acme', '--field', 'access_token', '--show-secret'],
        ['get', 'acme', '--field', 'access_token'],
        ['export', 'acme'],
      ]) {
        const outcome = await fixture.authsome(args);
        expect([args, outcome.code, outcome.stdout]).toEqual([args, 5, '']);
        expect(outcome.stderr).toContain(remedy);
      }
      const doctor = await fixture.json(['doctor']);
      expect(doctor.checks).toContainEqual(expect.objectContaining({ name: 'connections', fix: remedy }));
      expect(calls()).toBe(1);

      fixture.service.authorization.misbehave(undefined);
      const login = fixture.startAuthsome([...remedy.split(' ').slice(1), '--json', '--no-browser']);
      const browser = fixture.newBrowser();
      await browser.submit(await browser.open(await authUrlOf(login)), { decision: 'allow' });
      expect((await login.ended).code).toBe(0);
      expect(await fixture.authsome(askAcme)).toMatchObject(works);
      expect((await fixture.authsome(['list'])).stderr).not.toContain('login acme');
    });
  });
});

describe('a provider that is down when a token ends', () => {
  it('costs nothing while the old token lives, is reported when it has ended, and is forgiven', async () => {
    const ttlSeconds = 16;
    await withFixture(await createAcme({ firstTokenTtlSeconds: ttlSeconds }), async (fixture) => {
      await connectAcme(fixture);
      const { expires_at } = await fixture.json(['get', 'acme']);
      const endsAtMs = Date.parse(expires_at);
      const calls = answer(fixture, '/token', 'break');
      // The last quarter of its life, in which it is used only when there is no better one.
      await sleep(endsAtMs - (ttlSeconds / 4) * 1_000 + 200 - Date.now());
      expect(await fixture.authsome(askAcme)).toMatchObject(works);
      expect(calls()).toBeGreaterThan(0);
      await sleep(endsAtMs + 1_000 - Date.now());
      expect(await fixture.json(['list'])).toMatchObject({ v: 1 });
      const get = await fixture.authsome(['get', 'acme']);
      expect(get.stdout).toMatch(/status +expired/);
      expect(get.stderr).toContain('refreshed on next use');
      const unreachable = await fixture.json(['export', 'acme', '--format', 'env'], 8);
      expect(unreachable).toMatchObject({ error: 'EndpointUnreachable' });
      const problem = JSON.parse((await fixture.authsome(['run', '--', 'curl', '-sS', me])).stdout);
      expect(problem).toMatchObject({ code: 'EndpointUnreachable', status: 502 });
      answer(fixture, '/token', { status: 503, body: { error: 'temporarily_unavailable' } });
      await until(async () => (await fixture.authsome(['export', 'acme'])).code === 5, 20_000);
      const failed = await fixture.json(['get', 'acme', '--show-secret'], 5);
      expect(failed).toMatchObject({ error: 'RefreshFailed', hint: expect.stringContaining('later') });
      fixture.service.authorization.misbehave(undefined);
      await until(async () => (await fixture.authsome(askAcme)).stdout === '200', 40_000);
      expect(await fixture.json(['get', 'acme'])).toMatchObject({ status: 'connected' });
      expect(fixture.service.authorization.refusals).toEqual([]);
    });
  }, 120_000);
});

describe('revoking', () => {
  it('reaches a run that is under way: its very next request is refused, and the API gets nothing', async () => {
    await withFixture(await createAcme(), async (fixture) => {
      await connectAcme(fixture);
      const asked = join(fixture.directory, 'asked');
      const go = join(fixture.directory, 'go');
      const script = `curl -sS ${me} && touch ${asked} && while [ ! -e ${go} ]; do sleep 0.05; done; curl -sS ${me}`;
      const running = fixture.authsome(['run', '--', 'sh', '-c', script]);
      await until(() => existsSync(asked), 20_000);
      expect(fixture.service.api.received).toHaveLength(1);
      expect(await fixture.json(['revoke', 'acme'])).toMatchObject({ provider: 'acme' });
      writeFileSync(go, '');
      expect((await running).stdout).toContain('ConnectionNotFound');
      expect(fixture.service.api.received).toHaveLength(1);
    });
  });

  it('revokes both tokens at the provider, and no command reports the connection after it', async () => {
    await withFixture(await createAcme(), async (fixture) => {
      await connectAcme(fixture);
      const { accessToken = '' } = fixture.service.authorization.issued[0] ?? {};
      expect(await fixture.json(['revoke', 'acme'])).toMatchObject({ v: 1, provider: 'acme' });
      expect(await fixture.service.authorization.accepts(accessToken)).toBe(false);
      const list = await fixture.authsome(['list']);
      expect(list.stdout + list.stderr).not.toMatch(/acme|revoked/);
      const { checks } = await fixture.json(['doctor']);
      expect(checks).toContainEqual(expect.objectContaining({ name: 'connections', status: 'ok' }));
      const environment = await fixture.authsome(['run', '--', 'env']);
      expect(environment.stderr).not.toMatch(/acme|revoked/);
      expect(environment.stdout).not.toContain('ACME_TOKEN');
      expect(await fixture.json(['get', 'acme', '--show-secret'], 3)).toMatchObject({
        error: 'ConnectionNotFound',
        hint: expect.stringContaining('authsome login acme'),
      });
      const { events } = await fixture.json(['log']);
      expect(events).toContainEqual(
        expect.objectContaining({ event: 'connection.revoked', provider: 'acme' }),
      );
      expect((await connectAcme(fixture)).outcome.code).toBe(0);
      expect(await fixture.authsome(askAcme)).toMatchObject(works);
    });
  });

  it.each(['revoke', 'logout'])(
    'with the provider out of reach, %s clears what is here, and says so',
    async (verb) => {
      await withFixture(await createAcme(), async (fixture) => {
        await connectAcme(fixture);
        const calls = answer(fixture, '/revoke', 'break');
        const outcome = await fixture.authsome([verb, 'acme']);
        expect(outcome.code).toBe(0);
        expect(outcome.stdout + outcome.stderr).toMatch(/reach|answer/);
        expect(calls()).toBeGreaterThan(0);
        const problem = await fixture.json(['export', 'acme'], 3);
        expect(problem.hint).toContain('authsome login acme');
        // The provider still honors the token: nothing here has it any more.
        const { accessToken = '' } = fixture.service.authorization.issued[0] ?? {};
        expect(await fixture.service.authorization.accepts(accessToken)).toBe(true);
        expect((await fixture.authsome(askAcme)).stdout).not.toBe('200');
      });
    },
  );
});

describe('the account', () => {
  const labeled = {
    ...acme,
    name: 'labeled',
    oauth: { ...acme.oauth, account: { url: `https://${hosts.login}/whoami`, field: 'user.login' } },
  };

  it.each([
    [{ status: 200, body: { user: { login: 'octocat' } } }, 'octocat'],
    [{ status: 500, body: {} }, null],
  ] as const)('is shown where the service tells it: %j', async (reply, account) => {
    await withFixture(await createAcme({ firstTokenTtlSeconds: 2 }), async (fixture) => {
      await register(fixture, labeled);
      const asked = answer(fixture, '/whoami', reply);
      const login = fixture.startAuthsome(['login', 'labeled', '--json', '--no-browser']);
      const { outcome } = await signInWithClient(login, fixture.newBrowser(), fixture.client);
      expect(lastDocument(outcome)).toMatchObject({
        status: 'connected',
        account,
      });
      await expiry(2);
      // A refresh leaves it alone.
      expect(await fixture.authsome(askAcme)).toMatchObject(works);
      expect(await fixture.json(['get', 'labeled'])).toMatchObject({ status: 'connected', account });
      const list = await fixture.authsome(['list']);
      if (account !== null) expect(list.stdout).toMatch(/labeled +default +connected +octocat/);
      expect(asked()).toBe(1);
    });
  });
});

describe('a daemon that was asleep', () => {
  it('for twenty seconds, past the end of a token, continues with its runs', async () => {
    await withFixture(await createAcme({ firstTokenTtlSeconds: 12 }), async (fixture) => {
      await connectAcme(fixture);
      const curl = askAcme
        .slice(2)
        .map((word) => `'${word}'`)
        .join(' ');
      const script = `${curl}; echo; read line; ${curl}; echo; read line; ${curl}; exit 7`;
      const run = fixture.startAuthsome(['run', '--', 'sh', '-c', script], { stdin: 'open' });
      await run.seen('stdout', /200\n/);
      const pid = fixture.daemonPid() ?? 0;
      process.kill(pid, 'SIGSTOP');
      try {
        await sleep(10_000);
        // Asked in its sleep, answered after it.
        run.type('now\n');
        await sleep(10_000);
      } finally {
        process.kill(pid, 'SIGCONT');
      }
      await run.seen('stdout', /200\n200\n/);
      run.type('again\n');
      expect(await run.ended).toMatchObject({
        code: 7,
        stdout: '200\n200\n200',
        stderr: expect.stringMatching(overridesNote),
      });
      expect(fixture.daemonPid()).toBe(pid);
      expect(granted(fixture.service, 'refresh_token')).toBe(1);
      expect(fixture.service.authorization.refusals).toEqual([]);
      expect(await fixture.json(['doctor'])).toMatchObject({ v: 1 });
      expect(await fixture.json(['get', 'acme'])).toMatchObject({ status: 'connected' });
    });
  }, 90_000);
});
