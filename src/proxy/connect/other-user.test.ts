import { connect as connectTlsTo, type TLSSocket } from 'node:tls';
import { expect, it, vi } from 'vitest';
import type { PeerCheck } from '../../peers/index.ts';
import { cleanupsAfterEach } from '../testing/test-cleanups.ts';
import {
  apiHost,
  type Client,
  connectTo,
  dialProxy,
  type Fixture,
  isComplete,
  openFixtureWithApi,
  problemOf,
  proxyAuthorization,
} from '../testing/test-fixture.ts';

/** What a process of another user sends, with and without a run's password: it is counted, whatever it is. */

const cleanups = cleanupsAfterEach();

/** A proxy that has not yet learned whose process is at the other end of its connections. */
async function open() {
  let tell = (_isAllowed: boolean): void => {};
  const settled = new Promise<boolean>((resolve) => {
    tell = resolve;
  });
  const check = { allowed: undefined as boolean | undefined, settled };
  void settled.then((isAllowed) => {
    check.allowed = isAllowed;
  });
  const { fixture, seen } = await openFixtureWithApi(cleanups, { checkPeer: (): PeerCheck => check });
  return { fixture, seen, tell };
}

const outcomes = ({ decisions }: Fixture): readonly string[] => decisions.map(({ outcome }) => outcome);
const withPassword = (fixture: Fixture): string =>
  `Proxy-Authorization: ${proxyAuthorization(fixture.run)}\r\n`;

const heads: readonly (readonly [string, (fixture: Fixture) => string])[] = [
  ['bytes that are no request', () => 'SSH-2.0-x\r\n\r\n'],
  ['CONNECT without a password', () => `CONNECT ${apiHost}:443 HTTP/1.1\r\nHost: ${apiHost}:443\r\n\r\n`],
  ['CONNECT to no port', (fixture) => `CONNECT x HTTP/1.1\r\nHost: x\r\n${withPassword(fixture)}\r\n`],
  [
    'CONNECT to the proxy itself',
    (fixture) => {
      const own = `${fixture.proxy.host}:${fixture.proxy.port}`;
      return `CONNECT ${own} HTTP/1.1\r\nHost: ${own}\r\n${withPassword(fixture)}\r\n`;
    },
  ],
  ['a target in origin form', (fixture) => `GET / HTTP/1.1\r\nHost: x\r\n${withPassword(fixture)}\r\n`],
];

/** Long enough for bytes to cross the loopback interface twice. */
async function exchanged(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate);
}

it.each(heads)('%s: nothing is answered or recorded before its user is known', async (_, headOf) => {
  const { fixture, tell } = await open();
  const client = await dialProxy(fixture);
  client.send(headOf(fixture));
  await exchanged();
  expect(client.received).toBe('');
  expect(outcomes(fixture)).toEqual([]);
  tell(false);
  expect(problemOf(await client.until(isComplete))).toMatchObject({ code: 'PeerNotAllowed' });
  expect(outcomes(fixture)).toEqual(['PeerNotAllowed']);
});

it.each(heads)('%s: the owner gets the reason', async (_, headOf) => {
  const { fixture, tell } = await open();
  const client = await dialProxy(fixture);
  client.send(headOf(fixture));
  tell(true);
  const { code } = problemOf(await client.until(isComplete));
  expect(code).not.toBe('PeerNotAllowed');
  expect(outcomes(fixture)).toEqual([code]);
});

async function tunnel(fixture: Fixture): Promise<Client> {
  const client = await dialProxy(fixture);
  expect(await connectTo(client, fixture, `${apiHost}:443`)).toMatch(/^HTTP\/1\.1 200 /);
  return client;
}

it.each([
  ['bytes that are neither TLS nor HTTP', 'SSH-2.0-x\r\n\r\n', false],
  ['plain HTTP', 'GET / HTTP/1.1\r\nHost: x\r\n\r\n', true],
  ['plain HTTP that is malformed', 'GET / HTTP/1.1\r\nno field\r\n\r\n', true],
])('in a tunnel, %s: no record says more than whose they are', async (_, sent, isAnswered) => {
  const { fixture, tell } = await open();
  const client = await tunnel(fixture);
  client.send(sent);
  await exchanged();
  expect(outcomes(fixture)).toEqual([]);
  tell(false);
  const received = await client.until(isComplete);
  if (isAnswered) expect(problemOf(received)).toMatchObject({ code: 'PeerNotAllowed' });
  else expect(received).toBe('');
  await vi.waitFor(() => expect(outcomes(fixture)).toEqual(['PeerNotAllowed']));
});

/** The TLS client of a tunnel, once its handshake has ended in one way or the other. */
async function handshake(fixture: Fixture, more: object): Promise<TLSSocket | undefined> {
  const { socket } = await tunnel(fixture);
  socket.removeAllListeners('data');
  const tls = connectTlsTo({ socket, servername: apiHost, ca: fixture.run.caPem, ...more });
  return new Promise((resolve) => {
    tls.once('secureConnect', () => resolve(tls));
    tls.on('error', () => resolve(undefined));
    tls.once('close', () => resolve(undefined));
  });
}

it('a malformed request within TLS is answered and recorded as any other of theirs', async () => {
  const { fixture, seen, tell } = await open();
  const tls = await handshake(fixture, { ALPNProtocols: ['http/1.1'] });
  let received = '';
  tls?.on('data', (chunk: Buffer) => {
    received += chunk.toString();
  });
  tls?.write('GET / HTTP/1.1\r\nno field\r\n\r\n');
  await exchanged();
  expect([received, outcomes(fixture)]).toEqual(['', []]);
  tell(false);
  await vi.waitFor(() => expect(received).toContain('"code":"PeerNotAllowed"'));
  expect(outcomes(fixture)).toEqual(['PeerNotAllowed']);
  expect([fixture.failures, seen]).toEqual([[], []]);
});

it('no HTTP/2 connection is made for them, and no upstream asked which protocol it speaks', async () => {
  for (const [protocols, chosen, recorded] of [
    [['h2', 'http/1.1'], 'http/1.1', []],
    [['h2'], undefined, ['PeerNotAllowed']],
  ] as const) {
    const { fixture, tell } = await open();
    const shaking = handshake(fixture, { ALPNProtocols: [...protocols] });
    await exchanged();
    tell(false);
    expect((await shaking)?.alpnProtocol).toBe(chosen);
    expect(fixture.dials).toEqual([]);
    await vi.waitFor(() => expect(outcomes(fixture)).toEqual(recorded));
  }
});

it('a handshake that fails, and a client that leaves, wait for it too', async () => {
  const { fixture, tell } = await open();
  expect(await handshake(fixture, { ALPNProtocols: ['no/1'] })).toBeUndefined();
  const leaver = await dialProxy(fixture);
  leaver.send(`CONNECT x:443 HTTP/1.1\r\nHost: x:443\r\n${withPassword(fixture)}\r\n`);
  await exchanged();
  leaver.socket.destroy();
  await exchanged();
  expect(outcomes(fixture)).toEqual([]);
  tell(false);
  await vi.waitFor(() => expect(outcomes(fixture)).toEqual(['PeerNotAllowed', 'PeerNotAllowed']));
});
