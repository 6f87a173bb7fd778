import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RecordKind, Vault } from '../../vault/index.ts';
import { createConnections } from '../connections.ts';
import { findClient } from '../records/index.ts';
import {
  landingWith,
  startAuthorizationServer,
  type TestAuthorizationServer,
  testClient,
} from '../testing/test-authorization-server.ts';
import { testBrowser, ticketIn } from '../testing/test-browser.ts';
import { memoryVault } from '../testing/test-fixture.ts';
import { openServerFixture, signIn } from '../testing/test-sign-in.ts';

let server: TestAuthorizationServer;
beforeAll(async () => {
  server = await startAuthorizationServer();
});
afterAll(() => server.close());

async function begin(
  provider: string,
  { signedInBefore = false, vault = memoryVault() }: { signedInBefore?: boolean; vault?: Vault } = {},
) {
  const fixture = openServerFixture(server, { vault });
  const connections = createConnections(fixture.options);
  if (signedInBefore) await signIn(server, connections, 'before');
  const session = await connections.signIns.start({ provider, force: false });
  const ticket = ticketIn(session.authUrl);
  return { ...fixture, connections, signIns: connections.signIns, session, id: session.id, ticket };
}

/** A vault that holds back the next write of a record of this kind until it is let go. */
function slowVault(kind: RecordKind) {
  const vault = memoryVault();
  let release: () => void = () => undefined;
  let arrive: () => void = () => undefined;
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const arrived = new Promise<void>((resolve) => {
    arrive = resolve;
  });
  const write: Vault['write'] = async (record, version) => {
    if (record.kind === kind) {
      arrive();
      await released;
    }
    return vault.write(record, version);
  };
  return { vault: { ...vault, write }, arrived, release: () => release() };
}

const unknown = { code: 'SessionNotFound', message: 'this sign-in does not exist or has expired' };

describe('the ticket of a sign-in', () => {
  it('is hard to guess, and only its hash is readable in the vault', async () => {
    const { options, id, ticket } = await begin('keys');
    expect(ticket).toMatch(/^[\w-]{32}$/);
    const [record] = await options.vault.list('auth-session');
    expect(JSON.stringify(record)).not.toContain(ticket);
    expect((await options.vault.read('auth-session', id))?.secrets).toEqual({ ticket });
  });

  it('gives the first browser a cookie, and leads the same one on as often as it comes', async () => {
    const { signIns, options, id, ticket } = await begin('keys');
    const browser = testBrowser();
    expect(await signIns.open(browser, id, ticket)).toMatchObject({
      isAdmitted: true,
      session: { asksFor: 'secret', isInBrowser: true },
    });
    const cookie = browser.cookies.get(id) ?? '';
    expect(cookie).toMatch(/^[\w-]{43}$/);
    expect(JSON.stringify(await options.vault.read('auth-session', id))).not.toContain(cookie);
    expect((await signIns.open(browser, id, ticket)).isAdmitted).toBe(true);
    expect(browser.cookies.get(id)).toBe(cookie);
    expect((await signIns.readIn(browser, id)).session.status).toBe('waiting');
  });

  it('lets one of many in that come at once, and ends the sign-in', async () => {
    const { signIns, id, ticket } = await begin('keys');
    const browsers = [testBrowser(), testBrowser(), testBrowser()];
    const opened = await Promise.all(browsers.map((browser) => signIns.open(browser, id, ticket)));
    expect(opened.filter(({ isAdmitted }) => isAdmitted)).toHaveLength(1);
    expect(browsers.filter(({ cookies }) => cookies.size > 0)).toHaveLength(1);
    expect(await signIns.read(id)).toMatchObject({ status: 'failed', failure: { error: 'OpenedElsewhere' } });
  });

  it('ends the sign-in for a second browser, which accepts nothing from either', async () => {
    const { signIns, connections, events, id, ticket } = await begin('keys');
    const [first, second] = [testBrowser(), testBrowser()];
    await signIns.open(first, id, ticket);
    expect(await signIns.open(second, id, ticket)).toMatchObject({
      isAdmitted: false,
      session: {
        status: 'failed',
        authUrl: undefined,
        failure: {
          error: 'OpenedElsewhere',
          message: expect.stringContaining('another browser or program opened the address'),
          hint: expect.stringMatching(
            /Nothing more was accepted[\s\S]*Start again with: authsome login keys/,
          ),
        },
      },
    });
    expect(second.cookies.size).toBe(0);
    await expect(signIns.readIn(second, id)).rejects.toMatchObject(unknown);
    await expect(signIns.submitSecret(id, 'sk-theirs')).rejects.toMatchObject({ code: 'SignInFailed' });
    expect(await connections.summaries()).toEqual([]);
    expect(events.at(-1)).toMatchObject({ event: 'sign_in.failed', outcome: 'OpenedElsewhere' });
  });

  it('forgets the client that the first browser entered, once there is a second one', async () => {
    const { signIns, options, id, ticket } = await begin('acme');
    const provider = options.catalog.resolve('acme');
    await signIns.open(testBrowser(), id, ticket);
    const { redirectUri } = await signIns.submitClient(id, testClient);
    expect(redirectUri).toBeDefined();
    const home = { issuer: server.issuer, tokenUrl: `${server.issuer}/token` };
    expect((await findClient(options.vault, provider, home))?.clientId).toBe(testClient.clientId);
    await signIns.open(testBrowser(), id, ticket);
    expect(await findClient(options.vault, provider, home)).toBeUndefined();
  });

  it('keeps a client that a connection needs', async () => {
    const { signIns, connections, id, ticket } = await begin('acme', { signedInBefore: true });
    await signIns.open(testBrowser(), id, ticket);
    await signIns.open(testBrowser(), id, ticket);
    expect((await signIns.read(id)).status).toBe('failed');
    expect((await connections.signIns.start({ provider: 'acme', force: false })).asksFor).toBeUndefined();
  });

  it('of a second browser waits for a key that is being stored, and then warns', async () => {
    const { vault, arrived, release } = slowVault('connection');
    const { signIns, connections, id, ticket } = await begin('keys', { vault });
    await signIns.open(testBrowser(), id, ticket);
    const stored = signIns.submitSecret(id, 'sk-given');
    await arrived;
    const second = signIns.open(testBrowser(), id, ticket);
    await new Promise(setImmediate);
    release();
    expect((await stored).status).toBe('connected');
    expect(await second).toMatchObject({
      isAdmitted: false,
      session: { status: 'connected', warnings: [{ error: 'OpenedElsewhere' }] },
    });
    expect(await connections.summaries('keys')).toHaveLength(1);
  });

  it('of a second browser waits for a client that is being stored, and then forgets it', async () => {
    const { vault, arrived, release } = slowVault('client');
    const { signIns, options, id, ticket } = await begin('acme', { vault });
    await signIns.open(testBrowser(), id, ticket);
    const entered = signIns.submitClient(id, testClient);
    await arrived;
    const second = signIns.open(testBrowser(), id, ticket);
    await new Promise(setImmediate);
    release();
    await entered;
    expect(await second).toMatchObject({ isAdmitted: false, session: { status: 'failed' } });
    expect(await options.vault.list('client')).toEqual([]);
  });

  it('warns once when a second browser comes after the sign-in was connected', async () => {
    const { signIns, events, id, ticket } = await begin('keys');
    await signIns.open(testBrowser(), id, ticket);
    await signIns.submitSecret(id, 'sk-given');
    for (const _ of [1, 2]) {
      expect(await signIns.open(testBrowser(), id, ticket)).toMatchObject({
        isAdmitted: false,
        session: {
          status: 'connected',
          warnings: [{ error: 'OpenedElsewhere', hint: expect.stringContaining('authsome logout keys') }],
        },
      });
    }
    expect(events.filter(({ event }) => event === 'sign_in.other_browser')).toHaveLength(1);
    expect(await signIns.usedElsewhere()).toEqual([{ provider: 'keys', connection: 'default' }]);
  });

  it('is the same as none when it is wrong, or of another sign-in', async () => {
    const { signIns, connections, id, ticket } = await begin('keys');
    const other = await connections.signIns.start({ provider: 'keys', connection: 'other', force: false });
    for (const [of, wrong] of [
      [id, `${ticket}x`],
      [id, ''],
      [id, ticketIn(other.authUrl)],
      ['ses_unknown', ticket],
    ] as const) {
      await expect(signIns.open(testBrowser(), of, wrong)).rejects.toMatchObject(unknown);
    }
    expect((await signIns.read(id)).isInBrowser).toBe(false);
    await expect(signIns.readIn(testBrowser(), id)).rejects.toMatchObject(unknown);
  });

  it('shows a late browser that it is late, and a later one, too', async () => {
    const { signIns, clock, id, ticket } = await begin('keys');
    clock.nowMs += 11 * 60_000;
    const [first, second] = [testBrowser(), testBrowser()];
    expect(await signIns.open(first, id, ticket)).toMatchObject({ session: { status: 'expired' } });
    expect((await signIns.readIn(first, id)).session.status).toBe('expired');
    expect(await signIns.open(second, id, ticket)).toMatchObject({ session: { status: 'expired' } });
  });

  it('and its browser outlast the daemon', async () => {
    const { signIns, options, id, ticket } = await begin('keys');
    const browser = testBrowser();
    const { authUrl } = await signIns.read(id);
    await signIns.open(browser, id, ticket);
    const restarted = createConnections(options);
    await restarted.signIns.resume();
    expect((await restarted.signIns.readIn(browser, id)).session).toMatchObject({
      status: 'waiting',
      authUrl,
    });
    expect((await restarted.signIns.open(browser, id, ticket)).isAdmitted).toBe(true);
    expect((await restarted.signIns.open(testBrowser(), id, ticket)).isAdmitted).toBe(false);
  });
});

describe('a callback', () => {
  async function atProvider() {
    const begun = await begin('acme', { signedInBefore: true });
    const landed = await server.approve(begun.session.providerUrl ?? '');
    return { ...begun, landed };
  }

  it('is taken from the browser that used the ticket only; the sign-in is warned and waits', async () => {
    const { signIns, connections, events, id, ticket, landed } = await atProvider();
    const [own, other] = [testBrowser(), testBrowser()];
    await signIns.open(own, id, ticket);
    other.cookies.set(id, 'x'.repeat(43));
    for (const browser of [other, testBrowser(), undefined]) {
      await expect(signIns.callback(landed, browser)).rejects.toMatchObject({ code: 'OpenedElsewhere' });
    }
    expect(await signIns.read(id)).toMatchObject({
      status: 'waiting',
      warnings: [1, 2, 3].map(() => expect.objectContaining({ error: 'OpenedElsewhere' })),
    });
    expect(events.filter(({ event }) => event === 'sign_in.other_browser')).toHaveLength(3);
    expect(await connections.summaries('acme')).toHaveLength(1);
    expect((await signIns.callback(landed, own)).status).toBe('connected');
  });

  it('is taken from any browser while none has used the ticket, and then from that one only', async () => {
    const { signIns, id, ticket, landed } = await atProvider();
    const browser = testBrowser();
    expect((await signIns.callback(landed, browser)).status).toBe('connected');
    expect((await signIns.readIn(browser, id)).session.status).toBe('connected');
    expect((await signIns.open(testBrowser(), id, ticket)).isAdmitted).toBe(false);
  });

  it('is taken from the terminal whichever browser it was in', async () => {
    const { signIns, id, ticket, landed } = await atProvider();
    await signIns.open(testBrowser(), id, ticket);
    expect((await signIns.callbackFromPaste(id, landed.href)).status).toBe('connected');
  });

  it('gives its cookie to no browser whose state is unknown', async () => {
    const { signIns } = await atProvider();
    const browser = testBrowser();
    await expect(signIns.callback(landingWith({ state: 'x', code: 'c' }), browser)).rejects.toMatchObject({
      code: 'StateMismatch',
    });
    expect(browser.cookies.size).toBe(0);
  });
});
