import { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { expect, it } from 'vitest';
import { AuthsomeError } from '../../errors.ts';
import { AlpnCache } from './alpn-cache.ts';

const api = { host: 'api.example.test', port: 443 };
const refusal = new AuthsomeError('UpstreamUntrusted', 'no trusted TLS connection', {
  cause: Object.assign(new Error('alert'), { code: 'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL' }),
});
const unreachable = new AuthsomeError('UpstreamUnreachable', 'gone');

/** An upstream that chooses, or fails, by whether it is offered h2 as well; with what it was offered. */
function upstream(choose: (offersH2: boolean) => string | false | Error) {
  const offers: string[] = [];
  const sockets: Duplex[] = [];
  const dial = async (alpn: readonly string[]): Promise<TLSSocket> => {
    offers.push(alpn.join());
    const chosen = choose(alpn.includes('h2'));
    if (chosen instanceof Error) throw chosen;
    const socket = new Duplex({ read() {}, write() {} });
    sockets.push(socket);
    return Object.assign(socket, { alpnProtocol: chosen }) as unknown as TLSSocket;
  };
  return { offers, sockets, dial };
}

it.each([
  ['chooses http/1.1', () => 'http/1.1', 'http/1.1', 1],
  ['refuses http/1.1', (offersH2: boolean) => (offersH2 ? 'h2' : refusal), 'h2', 1],
  ['passes over http/1.1, and chooses h2', (offersH2: boolean) => offersH2 && 'h2', 'h2', 2],
  ['knows nothing of ALPN', () => false as const, 'http/1.1', 2],
])('an upstream that %s is known', async (_name, choose, protocol, dials) => {
  const cache = new AlpnCache(() => 0);
  const { dial, offers, sockets } = upstream(choose);
  expect(cache.known(api)).toBeUndefined();
  expect(await cache.probe(api, dial)).toBe(protocol);
  expect(cache.known(api)).toBe(protocol);
  expect(cache.known({ ...api, port: 8443 })).toBeUndefined();
  expect(offers).toEqual(['http/1.1', 'h2,http/1.1'].slice(0, dials));
  expect(sockets.every(({ destroyed }) => destroyed)).toBe(true);
});

it('probes an upstream once for all who ask at the same time', async () => {
  const cache = new AlpnCache(() => 0);
  const { dial, offers } = upstream(() => 'http/1.1');
  expect(await Promise.all([cache.probe(api, dial), cache.probe(api, dial)])).toEqual([
    'http/1.1',
    'http/1.1',
  ]);
  expect(offers).toHaveLength(1);
});

it('remembers nothing of an upstream that cannot be reached, and probes it again', async () => {
  const cache = new AlpnCache(() => 0);
  expect(await cache.probe(api, upstream(() => unreachable).dial)).toBeUndefined();
  expect(cache.known(api)).toBeUndefined();
  expect(await cache.probe(api, upstream(() => refusal).dial)).toBe('h2');
});

it('forgets what it knows after a while, and on demand', async () => {
  let nowMs = 0;
  const cache = new AlpnCache(() => nowMs);
  await cache.probe(api, upstream(() => 'http/1.1').dial);
  nowMs = 59 * 60_000;
  expect(cache.known(api)).toBe('http/1.1');
  nowMs = 60 * 60_000;
  expect(cache.known(api)).toBeUndefined();
  await cache.probe(api, upstream(() => refusal).dial);
  cache.forget(api);
  expect(cache.known(api)).toBeUndefined();
});
