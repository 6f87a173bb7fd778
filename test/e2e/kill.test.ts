import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Database, openDatabase } from '../../src/storage/test-storage.ts';
import {
  type Acme,
  askAcme,
  connectAcme,
  createAcme,
  gone,
  lastDocument,
  overridesNote,
  register,
  until,
  withFixture,
} from '../support/fixture.ts';
import { acme, hosts } from '../support/service/index.ts';
import { authUrlOf, signInWithClient } from '../support/sign-in.ts';
import { granted, holdTokenRequest, type Stage } from '../support/token-endpoint.ts';

async function kill(fixture: Acme): Promise<void> {
  const pid = fixture.daemonPid() ?? 0;
  process.kill(pid, 'SIGKILL');
  await gone(pid, 5_000);
}

async function withDatabase(fixture: Acme, work: (database: Database) => Promise<void>): Promise<void> {
  const database = await openDatabase(join(fixture.home, 'server/authsome.db'));
  try {
    await work(database);
  } finally {
    database.close();
  }
}

const storedVersion = (database: Database): number | undefined =>
  database.one<{ version: number }>("SELECT version FROM records WHERE kind = 'connection'")?.version;

/** Connected, with a token that has been refused once: the next command has to refresh it. */
async function dueForRefresh(
  rotateRefreshTokens: boolean,
  work: (fixture: Acme) => Promise<void>,
): Promise<void> {
  await withFixture(await createAcme({ rotateRefreshTokens }), async (fixture) => {
    await connectAcme(fixture);
    await makeDue(fixture);
    await work(fixture);
  });
}

/** The API does not honor the newest token any more. */
async function makeDue({ service }: Acme): Promise<void> {
  await service.authorization.invalidate(service.authorization.issued.at(-1)?.accessToken ?? '');
}

/** Both of the stored tokens work: the one at the API, the other for one more refresh. */
async function expectWholeGrant(fixture: Acme): Promise<void> {
  expect(await fixture.authsome(askAcme)).toMatchObject({
    code: 0,
    stdout: '200',
    stderr: expect.stringMatching(overridesNote),
  });
  await makeDue(fixture);
  // A daemon that has just renewed after a 401 does not believe the next one; a new one knows nothing of that.
  await kill(fixture);
  expect(await fixture.authsome(askAcme)).toMatchObject({
    code: 0,
    stdout: '200',
    stderr: expect.stringMatching(overridesNote),
  });
  expect(fixture.service.authorization.refusals).toEqual([]);
  expect(await fixture.json(['get', 'acme'])).toMatchObject({ status: 'connected' });
}

describe('a daemon that is killed during a refresh', () => {
  it('before its request is worked on loses nothing', async () => {
    await dueForRefresh(true, async (fixture) => {
      const held = holdTokenRequest(fixture.service, 'arrived');
      const command = fixture.startAuthsome(askAcme);
      await held.reached;
      await kill(fixture);
      held.lose();
      await command.ended;
      await expectWholeGrant(fixture);
      expect(granted(fixture.service, 'refresh_token')).toBe(2);
    });
  });

  it.each<{ stage: Stage; blocked: boolean }>([
    { stage: 'answered', blocked: false },
    { stage: 'arrived', blocked: true },
  ])('between the response and its write (%j) loses nothing where refresh tokens stay', async (at) => {
    await dueForRefresh(false, async (fixture) => {
      await killBeforeTheWrite(fixture, at);
      await expectWholeGrant(fixture);
    });
  });

  it('between the response and its write loses a token that rotates, says so, and is fixed by a sign-in', async () => {
    await dueForRefresh(true, async (fixture) => {
      await killBeforeTheWrite(fixture, { stage: 'answered', blocked: false });
      const refused = await fixture.authsome(['run', '--', 'curl', '-sS', `https://${hosts.api}/v1/me`]);
      expect(refused.stdout).not.toContain('ada');
      expect(fixture.service.authorization.refusals).toEqual(['invalid_grant']);
      expect(await fixture.json(['get', 'acme'])).toMatchObject({ status: 'invalid' });
      const login = fixture.startAuthsome(['login', 'acme', '--json', '--no-browser']);
      const browser = fixture.newBrowser();
      await browser.submit(await browser.open(await authUrlOf(login)), { decision: 'allow' });
      expect((await login.ended).code).toBe(0);
      expect(await fixture.authsome(askAcme)).toMatchObject({ code: 0, stdout: '200' });
    });
  });

  it('as soon as it has written loses nothing', async () => {
    await dueForRefresh(true, async (fixture) => {
      await withDatabase(fixture, async (database) => {
        const before = storedVersion(database);
        const held = holdTokenRequest(fixture.service, 'answered');
        const command = fixture.startAuthsome(askAcme);
        await held.reached;
        held.release();
        // Looked at as often as can be: what counts is the instant after the write.
        while (storedVersion(database) === before) await new Promise((resolve) => setImmediate(resolve));
        await kill(fixture);
        await command.ended;
      });
      await expectWholeGrant(fixture);
    });
  });
});

async function isListening(fixture: Acme): Promise<boolean> {
  return (await fetch(`${fixture.baseUrl}/health`).catch(() => undefined))?.ok === true;
}

/** Whether the daemon's only thread is free. */
async function answersAtOnce(fixture: Acme): Promise<boolean> {
  const signal = AbortSignal.timeout(1_000);
  return (await fetch(`${fixture.baseUrl}/health`, { signal }).catch(() => undefined))?.ok === true;
}

async function killBeforeTheWrite(
  fixture: Acme,
  at: { readonly stage: Stage; readonly blocked: boolean },
): Promise<void> {
  await withDatabase(fixture, async (database) => {
    const held = holdTokenRequest(fixture.service, at.stage);
    const command = fixture.startAuthsome(askAcme);
    await held.reached;
    if (at.blocked) {
      database.script('BEGIN IMMEDIATE');
      held.release();
      await until(() => granted(fixture.service, 'refresh_token') === 1, 5_000);
      // A daemon that waits for the lock answers nobody.
      await until(async () => !(await answersAtOnce(fixture)), 10_000);
    }
    await kill(fixture);
    if (at.blocked) database.script('ROLLBACK');
    else held.lose();
    await command.ended;
  });
}

describe('a database that somebody else keeps locked', () => {
  it('while the response arrives delays it, and costs no grant', async () => {
    await dueForRefresh(true, async (fixture) => {
      await withDatabase(fixture, async (database) => {
        const held = holdTokenRequest(fixture.service, 'arrived');
        const command = fixture.startAuthsome(askAcme);
        await held.reached;
        database.script('BEGIN IMMEDIATE');
        held.release();
        // Longer than the daemon waits for a lock, which it does by SQLite's own clock.
        await new Promise((resolve) => setTimeout(resolve, 6_000));
        database.script('ROLLBACK');
        await command.ended;
      });
      await until(async () => (await fixture.authsome(askAcme)).stdout === '200', 30_000);
      expect(granted(fixture.service, 'refresh_token')).toBe(1);
      await kill(fixture);
      await expectWholeGrant(fixture);
    });
  });
});

describe('a daemon that is asked to stop during a refresh', () => {
  it('stores the response first', async () => {
    await dueForRefresh(true, async (fixture) => {
      const held = holdTokenRequest(fixture.service, 'answered');
      const command = fixture.startAuthsome(askAcme);
      await held.reached;
      const stop = fixture.startAuthsome(['daemon', 'stop']);
      // Its listener is closed first: from then on it waits for nothing but the answer.
      await until(async () => !(await isListening(fixture)), 10_000);
      held.release();
      expect((await stop.ended).code).toBe(0);
      await command.ended;
      await expectWholeGrant(fixture);
    });
  });
});

const answerTo = (fixture: Acme): Promise<void> => until(() => isListening(fixture), 15_000);

describe('a daemon that is killed during a sign-in', () => {
  const start = (fixture: Acme) => fixture.startAuthsome(['login', 'acme', '--json', '--no-browser']);

  it('while its own page is open continues from there', async () => {
    await withFixture(await createAcme(), async (fixture) => {
      const login = start(fixture);
      const browser = fixture.newBrowser();
      const asked = await browser.open(await authUrlOf(login));
      await kill(fixture);
      await answerTo(fixture);
      const { clientId, clientSecret } = fixture.client;
      const consent = await browser.submit(asked, { client_id: clientId, client_secret: clientSecret });
      await browser.submit(consent, { decision: 'allow' });
      expect((await login.ended).code).toBe(0);
      expect(await fixture.authsome(askAcme)).toMatchObject({ code: 0, stdout: '200' });
    });
  });

  it('while the person is at the provider continues from there', async () => {
    await withFixture(await createAcme(), async (fixture) => {
      const login = start(fixture);
      const browser = fixture.newBrowser();
      const { clientId, clientSecret } = fixture.client;
      const asked = await browser.open(await authUrlOf(login));
      const consent = await browser.submit(asked, { client_id: clientId, client_secret: clientSecret });
      await kill(fixture);
      await answerTo(fixture);
      expect((await browser.submit(consent, { decision: 'allow' })).status).toBe(200);
      expect((await login.ended).code).toBe(0);
      await expectWholeGrant(fixture);
    });
  });

  it('before its token request is worked on sends it again', async () => {
    await withFixture(await createAcme(), async (fixture) => {
      const held = holdTokenRequest(fixture.service, 'arrived');
      const login = start(fixture);
      const signedIn = signInWithClient(login, fixture.newBrowser(), fixture.client).catch(() => undefined);
      await held.reached;
      await kill(fixture);
      held.lose();
      await signedIn;
      expect((await login.ended).code).toBe(0);
      expect(granted(fixture.service, 'authorization_code')).toBe(1);
      await expectWholeGrant(fixture);
    });
  });

  it('between the response and its write ends that sign-in with a clear error, and the next one works', async () => {
    await withFixture(await createAcme(), async (fixture) => {
      const held = holdTokenRequest(fixture.service, 'answered');
      const login = start(fixture);
      const signedIn = signInWithClient(login, fixture.newBrowser(), fixture.client).catch(() => undefined);
      await held.reached;
      await kill(fixture);
      held.lose();
      await signedIn;
      const outcome = await login.ended;
      expect(outcome.code).toBe(10);
      expect(lastDocument(outcome)).toMatchObject({
        error: 'TokenExchangeFailed',
        hint: expect.stringContaining('authsome login acme'),
      });
      expect(await fixture.json(['get', 'acme'], 3)).toMatchObject({ error: 'ConnectionNotFound' });
      const again = start(fixture);
      const browser = fixture.newBrowser();
      const consent = await browser.open(await authUrlOf(again));
      await browser.submit(consent, { decision: 'allow' });
      expect((await again.ended).code).toBe(0);
      expect(await fixture.authsome(askAcme)).toMatchObject({ code: 0, stdout: '200' });
    });
  });

  it('once it has written is connected, though the account is not known yet', async () => {
    await withFixture(await createAcme(), async (fixture) => {
      const account = { url: `https://${hosts.login}/whoami`, field: 'login' };
      await register(fixture, { ...acme, name: 'labeled', oauth: { ...acme.oauth, account } });
      const asked = new Promise<void>((resolve) => {
        fixture.service.authorization.misbehave((request) => {
          if (request.url !== '/whoami') return false;
          resolve();
          return true;
        });
      });
      const login = fixture.startAuthsome(['login', 'labeled', '--json', '--no-browser']);
      const signedIn = signInWithClient(login, fixture.newBrowser(), fixture.client).catch(() => undefined);
      await asked;
      await kill(fixture);
      await signedIn;
      expect((await login.ended).code).toBe(0);
      expect(await fixture.json(['get', 'labeled'])).toMatchObject({ status: 'connected' });
      expect(granted(fixture.service, 'authorization_code')).toBe(1);
      await expectNoLoss(fixture);
    });
  });
});

async function expectNoLoss(fixture: Acme): Promise<void> {
  await makeDue(fixture);
  expect(await fixture.authsome(askAcme)).toMatchObject({ code: 0, stdout: '200' });
}
