/** Signing in from a terminal without a browser: every question on a real pty, and every way to leave it. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { acmeDevice, scriptDeviceFlow } from '../support/device-flow.ts';
import {
  type Acme,
  authorizeUrlOf,
  createAcme,
  lastDocument,
  register,
  ticketOf,
} from '../support/fixture.ts';
import type { Running } from '../support/product.ts';
import { acme } from '../support/service/index.ts';

let fixture: Acme;
let isApproved = false;
let polls = 0;
beforeAll(async () => {
  fixture = await createAcme();
  for (const name of ['acme-page', 'acme-typed', 'acme-left']) await register(fixture, { ...acme, name });
  await register(fixture, acmeDevice);
  scriptDeviceFlow(fixture.service, {
    intervalSeconds: 1,
    isApproved() {
      polls += 1;
      return isApproved;
    },
  });
});
afterAll(() => fixture.close());

function login(...args: readonly string[]): Running {
  return fixture.startOnTerminal(['login', ...args], { env: { SSH_TTY: '/dev/pts/9' } });
}

async function nothingIsStored(provider: string): Promise<void> {
  expect(await fixture.json(['get', provider], 3)).toMatchObject({ error: 'ConnectionNotFound' });
}

describe('the OAuth client', () => {
  it('is taken from the terminal: the ID shown, the secret masked', async () => {
    const running = login('acme-typed');
    await running.seen('stdout', /Redirect URI: +http:\/\/127\.0\.0\.1:\d+\/auth\/callback\/oauth/);
    await running.seen('stdout', /Client ID: /);
    running.type('bad id\r\r');
    await running.seen('stdout', /is not a valid client ID and secret for Acme[\s\S]*Client ID: /);
    running.type(`${fixture.client.clientId}\r`);
    await running.seen('stdout', /Client secret[^:]*: $/);
    running.type(`${fixture.client.clientSecret}\r`);
    const browser = fixture.newBrowser();
    await browser.submit(await browser.open(await authorizeUrlOf(running)), { decision: 'allow' });
    const outcome = await running.ended;
    expect(outcome.code).toBe(0);
    expect(outcome.stdout).toContain(fixture.client.clientId);
    expect(outcome.stdout).toContain('•'.repeat(fixture.client.clientSecret.length));
    expect(outcome.stdout).not.toContain(fixture.client.clientSecret);
  });

  it('is taken from the page when that is quicker, and the terminal continues from there', async () => {
    const running = login('acme-page');
    await running.seen('stdout', /Client ID: /);
    running.type('half-typed');
    const page = await ticketOf(running);
    const browser = fixture.newBrowser();
    const values = { client_id: fixture.client.clientId, client_secret: fixture.client.clientSecret };
    const consent = await browser.submit(await browser.open(page), values);
    await authorizeUrlOf(running);
    const address = await browser.redirectOf(consent, { decision: 'allow' }, fixture.baseUrl);
    running.type(`${address}\r`);
    const outcome = await running.ended;
    expect([outcome.code, outcome.stdout]).toEqual([
      0,
      expect.stringContaining('Connected acme-page/default'),
    ]);
  });
});

describe('the device flow', () => {
  it('is offered where there is no browser, and Enter takes it', async () => {
    const running = login('acme-device');
    await running.seen('stdout', /Sign in with a code on another device\? \[Y\/n\] /);
    running.type('\r');
    await running.seen('stdout', /https:\/\/login\.acme\.test\/activate/);
    await running.seen('stdout', /WDJB-MJHT/);
    isApproved = true;
    const outcome = await running.ended;
    isApproved = false;
    expect([outcome.code, outcome.stdout]).toEqual([
      0,
      expect.stringContaining('Connected acme-device/default'),
    ]);
    expect(polls).toBeGreaterThan(0);
    expect(outcome.stdout).not.toContain('dc_0123456789');
  });

  it('is not taken when the answer is no', async () => {
    const running = login('acme-device', '--connection', 'other');
    await running.seen('stdout', /\[Y\/n\] /);
    running.type('n\r');
    expect(await authorizeUrlOf(running)).toContain('client_id=public-client');
    running.type('\x03');
    expect((await running.ended).code).toBe(11);
  });

  it('is taken with --flow device_code, without a question', async () => {
    const running = login('acme-device', '--connection', 'asked', '--flow', 'device_code');
    await running.seen('stdout', /WDJB-MJHT/);
    expect(running.output.stdout).not.toContain('[Y/n]');
    running.type('\x03');
    expect((await running.ended).code).toBe(11);
  });
});

describe('Ctrl-C', () => {
  const stages: readonly [string, readonly string[], readonly [RegExp, string][]][] = [
    ['at the question about the device flow', ['acme-device', '--connection', 'left'], [[/\[Y\/n\] /, '']]],
    ['while the client ID is typed', ['acme-left'], [[/Client ID: /, 'half']]],
    [
      'while the client secret is typed',
      ['acme-left'],
      [
        [/Client ID: /, 'id\r'],
        [/Client secret[^:]*: $/, 'half'],
      ],
    ],
    ['while an API key is typed', ['pixel'], [[/API key for Pixel: /, 'px_half']]],
    [
      'while the code of the device flow waits',
      ['acme-device', '--connection', 'left', '--flow', 'device_code'],
      [[/WDJB-MJHT/, '']],
    ],
    [
      'while the provider waits',
      ['acme-typed', '--connection', 'left'],
      [[/Paste the final address here/, '']],
    ],
  ];

  it.each(stages)('cancels %s', async (_stage, args, steps) => {
    const running = login(...args);
    for (const [asked, answer] of steps) {
      await running.seen('stdout', asked);
      running.type(answer);
    }
    await running.seen('stdout', steps.at(-1)?.[0] ?? /^/);
    running.type('\x03');
    const outcome = await running.ended;
    expect([outcome.code, outcome.stdout]).toEqual([11, expect.stringContaining('sign-in cancelled')]);
    expect(outcome.stdout).not.toContain('px_half');
    if (args.length === 1) await nothingIsStored(args[0] ?? '');
    else
      expect(await fixture.json(['get', args[0] ?? '', '--connection', 'left'], 3)).toMatchObject({ v: 1 });
    const { events } = await fixture.json(['log', '-n', '1']);
    if (!steps.some(([asked]) => asked.source.includes('Y\\/n'))) {
      expect(events[0]).toMatchObject({ event: 'sign_in.failed', outcome: 'Cancelled' });
    }
  });
});

function killDaemon(): void {
  const pid = fixture.daemonPid();
  if (pid === undefined) throw new TypeError('there is no daemon');
  process.kill(pid, 'SIGKILL');
}

describe('a daemon that is killed during a sign-in', () => {
  it('loses no sign-in: the callback arrives at the next one, and the waiting command sees it', async () => {
    const running = login('acme-typed', '--connection', 'killed');
    const browser = fixture.newBrowser();
    const consent = await browser.open(await authorizeUrlOf(running));
    const address = await browser.redirectOf(consent, { decision: 'allow' }, fixture.baseUrl);
    killDaemon();
    running.type(`${address}\r`);
    const outcome = await running.ended;
    expect([outcome.code, outcome.stdout]).toEqual([
      0,
      expect.stringContaining('Connected acme-typed/killed'),
    ]);
  });

  it('loses none that waits for its client either', async () => {
    const running = login('acme-left', '--connection', 'killed');
    await running.seen('stdout', /Client ID: /);
    killDaemon();
    running.type(`${fixture.client.clientId}\r`);
    await running.seen('stdout', /Client secret[^:]*: $/);
    running.type(`${fixture.client.clientSecret}\r`);
    const browser = fixture.newBrowser();
    await browser.submit(await browser.open(await authorizeUrlOf(running)), { decision: 'allow' });
    expect((await running.ended).code).toBe(0);
  });
});

describe('for an agent', () => {
  it('the first line comes at once, and --status and --wait follow the sign-in after its command has died', async () => {
    const running = fixture.startAuthsome(['login', 'acme-typed', '--connection', 'agent', '--json']);
    const [line] = await running.seen('stdout', /^\{.*"status":"waiting".*\}$/m);
    const { session_id: session, auth_url: url } = JSON.parse(line);
    running.child.kill('SIGKILL');
    await running.ended;
    expect(await fixture.json(['login', '--status', session])).toMatchObject({
      status: 'waiting',
      auth_url: url,
    });
    const waiting = fixture.startAuthsome(['login', '--wait', session, '--json']);
    await waiting.seen('stdout', /"status":"waiting"/);
    const browser = fixture.newBrowser();
    await browser.submit(await browser.open(url), { decision: 'allow' });
    const outcome = await waiting.ended;
    expect(outcome.code).toBe(0);
    expect(lastDocument(outcome)).toMatchObject({
      v: 1,
      status: 'connected',
      provider: 'acme-typed',
      connection: 'agent',
    });
    expect(await fixture.json(['login', '--status', session])).toMatchObject({ status: 'connected' });
  });
});
