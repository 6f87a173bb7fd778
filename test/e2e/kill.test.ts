import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Database, openDatabase } from '../../src/storage/test-storage.ts';
import {
  type Acme,
  askAcme,
  connectAcme,
  createAcme,
  gone,
  inWorld,
  lastDocument,
  register,
  until,
} from '../support/fixture.ts';
import { acme, hosts } from '../support/service/index.ts';
import { authUrlOf, signInWithClient } from '../support/sign-in.ts';
import { granted, holdTokenRequest, type Stage } from '../support/token-endpoint.ts';

async function kill(world: Acme): Promise<void> {
  const pid = world.daemonPid() ?? 0;
  process.kill(pid, 'SIGKILL');
  await gone(pid, 5_000);
}

async function withDatabase(world: Acme, work: (database: Database) => Promise<void>): Promise<void> {
  const database = await openDatabase(join(world.home, 'server/authsome.db'));
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
  work: (world: Acme) => Promise<void>,
): Promise<void> {
  await inWorld(await createAcme({ rotateRefreshTokens }), async (world) => {
    await connectAcme(world);
    await makeDue(world);
    await work(world);
  });
}

/** The API does not honour the newest token any more. */
async function makeDue({ service }: Acme): Promise<void> {
  await service.authorization.invalidate(service.authorization.issued.at(-1)?.accessToken ?? '');
}

/** Both of the stored tokens work: the one at the API, the other for one more refresh. */
async function expectWholeGrant(world: Acme): Promise<void> {
  expect(await world.authsome(askAcme)).toMatchObject({ code: 0, stdout: '200', stderr: '' });
  await makeDue(world);
  // A daemon that has just renewed after a 401 does not believe the next one; a new one knows nothing of that.
  await kill(world);
  expect(await world.authsome(askAcme)).toMatchObject({ code: 0, stdout: '200', stderr: '' });
  expect(world.service.authorization.refusals).toEqual([]);
  expect(await world.json(['get', 'acme'])).toMatchObject({ status: 'connected' });
}

describe('a daemon that is killed during a refresh', () => {
  it('before its request is worked on loses nothing', async () => {
    await dueForRefresh(true, async (world) => {
      const held = holdTokenRequest(world.service, 'arrived');
      const command = world.startAuthsome(askAcme);
      await held.reached;
      await kill(world);
      held.lose();
      await command.ended;
      await expectWholeGrant(world);
      expect(granted(world.service, 'refresh_token')).toBe(2);
    });
  });

  it.each<{ stage: Stage; blocked: boolean }>([
    { stage: 'answered', blocked: false },
    { stage: 'arrived', blocked: true },
  ])('between the answer and its write (%j) loses nothing where refresh tokens stay', async (at) => {
    await dueForRefresh(false, async (world) => {
      await killBeforeTheWrite(world, at);
      await expectWholeGrant(world);
    });
  });

  it('between the answer and its write loses a token that rotates, says so, and is mended by a sign-in', async () => {
    await dueForRefresh(true, async (world) => {
      await killBeforeTheWrite(world, { stage: 'answered', blocked: false });
      const refused = await world.authsome(['run', '--', 'curl', '-sS', `https://${hosts.api}/v1/me`]);
      expect(refused.stdout).not.toContain('ada');
      expect(world.service.authorization.refusals).toEqual(['invalid_grant']);
      expect(await world.json(['get', 'acme'])).toMatchObject({ status: 'invalid' });
      const login = world.startAuthsome(['login', 'acme', '--json', '--no-browser']);
      const browser = world.newBrowser();
      await browser.submit(await browser.open(await authUrlOf(login)), { decision: 'allow' });
      expect((await login.ended).code).toBe(0);
      expect(await world.authsome(askAcme)).toMatchObject({ code: 0, stdout: '200' });
    });
  });

  it('as soon as it has written loses nothing', async () => {
    await dueForRefresh(true, async (world) => {
      await withDatabase(world, async (database) => {
        const before = storedVersion(database);
        const held = holdTokenRequest(world.service, 'answered');
        const command = world.startAuthsome(askAcme);
        await held.reached;
        held.release();
        // Looked at as often as can be: what counts is the instant after the write.
        while (storedVersion(database) === before) await new Promise((resolve) => setImmediate(resolve));
        await kill(world);
        await command.ended;
      });
      await expectWholeGrant(world);
    });
  });
});

async function isListening(world: Acme): Promise<boolean> {
  return (await fetch(`${world.baseUrl}/health`).catch(() => undefined))?.ok === true;
}

/** Whether the daemon's only thread is free. */
async function answersAtOnce(world: Acme): Promise<boolean> {
  const signal = AbortSignal.timeout(1_000);
  return (await fetch(`${world.baseUrl}/health`, { signal }).catch(() => undefined))?.ok === true;
}

async function killBeforeTheWrite(
  world: Acme,
  at: { readonly stage: Stage; readonly blocked: boolean },
): Promise<void> {
  await withDatabase(world, async (database) => {
    const held = holdTokenRequest(world.service, at.stage);
    const command = world.startAuthsome(askAcme);
    await held.reached;
    if (at.blocked) {
      database.script('BEGIN IMMEDIATE');
      held.release();
      await until(() => granted(world.service, 'refresh_token') === 1, 5_000);
      // A daemon that waits for the lock answers nobody.
      await until(async () => !(await answersAtOnce(world)), 10_000);
    }
    await kill(world);
    if (at.blocked) database.script('ROLLBACK');
    else held.lose();
    await command.ended;
  });
}

describe('a database that somebody else keeps locked', () => {
  it('while the answer comes in delays it, and costs no grant', async () => {
    await dueForRefresh(true, async (world) => {
      await withDatabase(world, async (database) => {
        const held = holdTokenRequest(world.service, 'arrived');
        const command = world.startAuthsome(askAcme);
        await held.reached;
        database.script('BEGIN IMMEDIATE');
        held.release();
        // Longer than the daemon waits for a lock, which it does by SQLite's own clock.
        await new Promise((resolve) => setTimeout(resolve, 6_000));
        database.script('ROLLBACK');
        await command.ended;
      });
      await until(async () => (await world.authsome(askAcme)).stdout === '200', 30_000);
      expect(granted(world.service, 'refresh_token')).toBe(1);
      await kill(world);
      await expectWholeGrant(world);
    });
  });
});

describe('a daemon that is told to stop during a refresh', () => {
  it('stores the answer first', async () => {
    await dueForRefresh(true, async (world) => {
      const held = holdTokenRequest(world.service, 'answered');
      const command = world.startAuthsome(askAcme);
      await held.reached;
      const stop = world.startAuthsome(['daemon', 'stop']);
      // Its listener is closed first: from then on it waits for nothing but the answer.
      await until(async () => !(await isListening(world)), 10_000);
      held.release();
      expect((await stop.ended).code).toBe(0);
      await command.ended;
      await expectWholeGrant(world);
    });
  });
});

const answerTo = (world: Acme): Promise<void> => until(() => isListening(world), 15_000);

describe('a daemon that is killed during a sign-in', () => {
  const start = (world: Acme) => world.startAuthsome(['login', 'acme', '--json', '--no-browser']);

  it('while its own page is open goes on from there', async () => {
    await inWorld(await createAcme(), async (world) => {
      const login = start(world);
      const browser = world.newBrowser();
      const asked = await browser.open(await authUrlOf(login));
      await kill(world);
      await answerTo(world);
      const { clientId, clientSecret } = world.client;
      const consent = await browser.submit(asked, { client_id: clientId, client_secret: clientSecret });
      await browser.submit(consent, { decision: 'allow' });
      expect((await login.ended).code).toBe(0);
      expect(await world.authsome(askAcme)).toMatchObject({ code: 0, stdout: '200' });
    });
  });

  it('while the person is at the provider goes on from there', async () => {
    await inWorld(await createAcme(), async (world) => {
      const login = start(world);
      const browser = world.newBrowser();
      const { clientId, clientSecret } = world.client;
      const asked = await browser.open(await authUrlOf(login));
      const consent = await browser.submit(asked, { client_id: clientId, client_secret: clientSecret });
      await kill(world);
      await answerTo(world);
      expect((await browser.submit(consent, { decision: 'allow' })).status).toBe(200);
      expect((await login.ended).code).toBe(0);
      await expectWholeGrant(world);
    });
  });

  it('before its token request is worked on sends it again', async () => {
    await inWorld(await createAcme(), async (world) => {
      const held = holdTokenRequest(world.service, 'arrived');
      const login = start(world);
      const signedIn = signInWithClient(login, world.newBrowser(), world.client).catch(() => undefined);
      await held.reached;
      await kill(world);
      held.lose();
      await signedIn;
      expect((await login.ended).code).toBe(0);
      expect(granted(world.service, 'authorization_code')).toBe(1);
      await expectWholeGrant(world);
    });
  });

  it('between the answer and its write ends that sign-in in so many words, and the next one works', async () => {
    await inWorld(await createAcme(), async (world) => {
      const held = holdTokenRequest(world.service, 'answered');
      const login = start(world);
      const signedIn = signInWithClient(login, world.newBrowser(), world.client).catch(() => undefined);
      await held.reached;
      await kill(world);
      held.lose();
      await signedIn;
      const outcome = await login.ended;
      expect(outcome.code).toBe(10);
      expect(lastDocument(outcome)).toMatchObject({
        error: 'TokenExchangeFailed',
        hint: expect.stringContaining('authsome login acme'),
      });
      expect(await world.json(['get', 'acme'], 3)).toMatchObject({ error: 'ConnectionNotFound' });
      const again = start(world);
      const browser = world.newBrowser();
      const consent = await browser.open(await authUrlOf(again));
      await browser.submit(consent, { decision: 'allow' });
      expect((await again.ended).code).toBe(0);
      expect(await world.authsome(askAcme)).toMatchObject({ code: 0, stdout: '200' });
    });
  });

  it('once it has written is connected, though the account is not known yet', async () => {
    await inWorld(await createAcme(), async (world) => {
      const account = { url: `https://${hosts.login}/whoami`, field: 'login' };
      await register(world, { ...acme, name: 'labelled', oauth: { ...acme.oauth, account } });
      const asked = new Promise<void>((resolve) => {
        world.service.authorization.misbehave((request) => {
          if (request.url !== '/whoami') return false;
          resolve();
          return true;
        });
      });
      const login = world.startAuthsome(['login', 'labelled', '--json', '--no-browser']);
      const signedIn = signInWithClient(login, world.newBrowser(), world.client).catch(() => undefined);
      await asked;
      await kill(world);
      await signedIn;
      expect((await login.ended).code).toBe(0);
      expect(await world.json(['get', 'labelled'])).toMatchObject({ status: 'connected' });
      expect(granted(world.service, 'authorization_code')).toBe(1);
      await expectNoLoss(world);
    });
  });
});

async function expectNoLoss(world: Acme): Promise<void> {
  await makeDue(world);
  expect(await world.authsome(askAcme)).toMatchObject({ code: 0, stdout: '200' });
}
