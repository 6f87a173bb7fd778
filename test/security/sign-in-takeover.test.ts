import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCookieJar } from '../support/cookie-jar.ts';
import { type Acme, connectAcme, createAcme, lastDocument, until, withFixture } from '../support/fixture.ts';
import type { Running } from '../support/product.ts';
import { waitingOf } from '../support/sign-in.ts';

/**
 * The attack: another program reads the address of a sign-in from the arguments of the browser (`ps`). It posted an OAuth
 * client, an API key or a code of its own; the owner's terminal said "Connected", and the client was used again by her next
 * sign-in. Here the program runs as the same user, or as one that `AUTHSOME_ALLOW_UID` names, so the check of its uid does
 * not stop it.
 */
let fixture: Acme;
beforeAll(async () => {
  fixture = await createAcme();
});
afterAll(() => fixture.close());

function login(...args: readonly string[]): Running {
  return fixture.startAuthsome(['login', ...args, '--json', '--no-browser']);
}

async function expectNothingStored(provider: string, connection = 'default'): Promise<void> {
  expect(await fixture.json(['get', provider, '--connection', connection], 3)).toMatchObject({
    error: 'ConnectionNotFound',
  });
}

/** That the terminal ends, and says why in plain words. */
async function expectWarning(running: Running, provider: string): Promise<void> {
  const outcome = await running.ended;
  expect(outcome.code).toBe(10);
  expect(lastDocument(outcome)).toMatchObject({
    error: 'OpenedElsewhere',
    message: 'another browser or program opened the address of this sign-in, so it has ended',
    hint: expect.stringMatching(
      new RegExp(`Nothing more was accepted[\\s\\S]*Start again with: authsome login ${provider}`),
    ),
  });
}

const theirKey = `px_${'thr'.repeat(10)}zz`;
const token = (html: string): string => /name="csrf_token" value="([^"]+)"/.exec(html)?.[1] ?? '';

/** Whether a sign-in to Acme still has to ask for a client: none was planted. */
async function asksForClient(): Promise<boolean> {
  const running = login('acme', '--connection', 'asked');
  const { provider_url: url } = await waitingOf(running);
  running.child.kill('SIGINT');
  await running.ended;
  return url === undefined;
}

describe('a program that has the address of a sign-in', () => {
  it('gets no page after the owner’s browser, and ends the sign-in', async () => {
    const running = login('pixel');
    const { auth_url: ticket, session_id: id } = await waitingOf(running);
    const owner = fixture.newBrowser();
    const asked = await owner.open(ticket);
    expect(asked.html).toContain('csrf_token');

    const thief = createCookieJar();
    const page = `${fixture.baseUrl}/auth/sessions/${id}`;
    const without = await thief.fetch(page);
    expect([without.status, await without.text()]).toEqual([404, expect.not.stringMatching(/<form|Pixel/)]);
    const second = await thief.fetch(ticket);
    expect([second.status, await second.text()]).toEqual([403, expect.not.stringContaining('<form')]);
    expect(thief.cookies(page)).toBe('');
    await expectWarning(running, 'pixel');
    // Nor does the sign-in accept anything from the owner's page now.
    expect((await owner.submit(asked, { api_key: fixture.apiKey })).html).not.toContain('is connected');
    await expectNothingStored('pixel');
  });

  it('posts no key and no client without the cookie, whatever token it sends', async () => {
    for (const [provider, values] of [
      ['pixel', { api_key: theirKey }],
      ['acme', { client_id: 'OTHERS-CLIENT', client_secret: 'OTHERS-SECRET' }],
    ] as const) {
      const running = login(provider);
      const { auth_url: ticket, session_id: id } = await waitingOf(running);
      const owner = fixture.newBrowser();
      const asked = await owner.open(ticket);
      const page = `${fixture.baseUrl}/auth/sessions/${id}`;
      for (const headers of [
        {},
        { cookie: `authsome_form=${'x'.repeat(32)}` },
        { cookie: `authsome_${id}=${'x'.repeat(43)}; authsome_form=${'x'.repeat(32)}` },
      ]) {
        const body = new URLSearchParams({ csrf_token: token(asked.html), ...values });
        const answer = await createCookieJar().fetch(page, { method: 'POST', headers, body });
        expect(answer.status).toBe(404);
      }
      expect((await fixture.json(['login', '--status', id])).status).toBe('waiting');
      running.child.kill('SIGINT');
      expect((await running.ended).code).toBe(11);
      await expectNothingStored(provider);
    }
    expect(await asksForClient()).toBe(true);
  });

  it('gains nothing that lasts by being first: the owner’s browser ends the sign-in, and its client is forgotten', async () => {
    const running = login('acme');
    const { auth_url: ticket, session_id: id } = await waitingOf(running);
    const thief = createCookieJar();
    const form = await (await thief.fetch(ticket)).text();
    const page = `${fixture.baseUrl}/auth/sessions/${id}`;
    const body = new URLSearchParams({
      csrf_token: token(form),
      client_id: 'OTHERS-CLIENT',
      client_secret: 's',
    });
    expect((await thief.fetch(page, { method: 'POST', body })).headers.get('location')).toContain(
      'OTHERS-CLIENT',
    );

    const owner = await fixture.newBrowser().open(ticket);
    expect([owner.status, owner.html]).toEqual([403, expect.stringContaining('Nothing more was accepted')]);
    await expectWarning(running, 'acme');
    await expectNothingStored('acme');
    expect(await asksForClient()).toBe(true);
  });

  it('is told of when it was first and had completed: on the page, in the log and by doctor', async () => {
    const running = login('pixel', '--connection', 'theirs');
    const { auth_url: ticket, session_id: id } = await waitingOf(running);
    const thief = createCookieJar();
    const form = await (await thief.fetch(ticket)).text();
    const body = new URLSearchParams({ csrf_token: token(form), api_key: theirKey });
    await thief.fetch(`${fixture.baseUrl}/auth/sessions/${id}`, { method: 'POST', body });
    expect((await running.ended).code).toBe(0);

    const owner = await fixture.newBrowser().open(ticket);
    expect(owner.html).toContain('This address was used before');
    expect(owner.html).toContain('authsome logout pixel --connection theirs');
    const { events } = await fixture.json(['log']);
    expect(events.at(-1)).toMatchObject({
      event: 'sign_in.other_browser',
      outcome: 'OpenedElsewhere',
      provider: 'pixel',
      connection: 'theirs',
    });
    const { checks } = await fixture.json(['doctor']);
    expect(checks).toContainEqual(
      expect.objectContaining({
        name: 'sign_ins',
        status: 'warn',
        fix: 'authsome logout pixel --connection theirs',
      }),
    );
    const status = await fixture.authsome(['login', '--status', id]);
    expect(status.stderr).toContain('two browsers opened the address of this sign-in');
  });
});

describe('a program that has the state, too', () => {
  it('sends no code of its own to the callback, and the owner’s arrives', async () => {
    await connectAcme(fixture);
    const running = login('acme', '--connection', 'mine');
    const { auth_url: ticket, provider_url: url = '', session_id: id } = await waitingOf(running);
    const owner = fixture.newBrowser();
    const consent = await owner.open(ticket);
    const state = new URL(url).searchParams.get('state') ?? '';
    const issued = fixture.service.authorization.issued.length;
    const query = new URLSearchParams({ code: 'OTHERS-ACCOUNT-CODE', state });
    for (const headers of [{}, { cookie: `authsome_${id}=${'x'.repeat(43)}` }]) {
      const answer = await createCookieJar().fetch(`${fixture.redirectUri}?${query}`, { headers });
      expect([answer.status, await answer.text()]).toEqual([
        403,
        expect.stringContaining('This is another browser'),
      ]);
    }
    expect(fixture.service.authorization.issued.length).toBe(issued);
    expect((await fixture.json(['login', '--status', id])).status).toBe('waiting');
    await owner.submit(consent, { decision: 'allow' });
    expect((await running.ended).code).toBe(0);
  });
});

describe('the arguments of the browser', () => {
  /** What a sign-in to Acme starts a browser with, in a fixture where its client is stored. */
  async function argumentsOf(
    of: Acme,
    work: (address: string, running: Running) => Promise<void>,
  ): Promise<void> {
    const [program, told] = [join(of.directory, 'browser'), join(of.directory, 'told')];
    writeFileSync(program, `#!/bin/sh\nprintf '%s ' "$@" > '${told}.new'\nmv '${told}.new' '${told}'\n`);
    chmodSync(program, 0o755);
    const running = of.startAuthsome(['login', 'acme', '--connection', 'opened'], {
      env: { BROWSER: program },
    });
    await until(() => existsSync(told), 20_000);
    await work(readFileSync(told, 'utf8').trim(), running);
  }

  it('have a ticket, and never the state, where other users are refused', async () => {
    await argumentsOf(fixture, async (address, running) => {
      expect(address).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/auth\/sessions\/ses_[\w-]+\/[\w-]{32}$/);
      const owner = fixture.newBrowser();
      await owner.submit(await owner.open(address), { decision: 'allow' });
      expect((await running.ended).code).toBe(0);
    });
  });

  it('have no ticket where another user may use the pages: a file of the home has it', async () => {
    await withFixture(await createAcme({ env: { AUTHSOME_ALLOW_UID: '1' } }), async (shared) => {
      await connectAcme(shared);
      await argumentsOf(shared, async (address, running) => {
        const file = fileURLToPath(address);
        expect(address).toMatch(/^file:\/\/\/.*\/sign-in\/ses_[\w-]+\.html$/);
        expect(statSync(file).mode & 0o777).toBe(0o600);
        const [, ticket = ''] = /url=(\S+)">/.exec(readFileSync(file, 'utf8')) ?? [];
        const owner = shared.newBrowser();
        const consent = await owner.open(ticket);
        await until(() => !existsSync(file), 10_000);
        await owner.submit(consent, { decision: 'allow' });
        expect((await running.ended).code).toBe(0);
      });
    });
  });
});
