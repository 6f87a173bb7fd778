import { type ClientHttp2Session, connect as connectHttp2, createSecureServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { expect, it } from 'vitest';
import { cleanupsAfterEach } from '../testing/test-cleanups.ts';
import {
  apiHost,
  ask,
  clientOn,
  connectTo,
  dialProxy,
  type Fixture,
  openFixture,
  openFixtureWithApi,
  secret,
  serveHttps,
  upstreamContext,
} from '../testing/test-fixture.ts';
import { responseOn } from '../testing/test-http2-response.ts';
import { openHttp2Fixture } from '../testing/test-http2-upstream.ts';

const cleanups = cleanupsAfterEach();

/** A client in a tunnel that offers both protocols, as curl, httpx and Go do. */
async function dialWithBoth(fixture: Fixture): Promise<TLSSocket> {
  const client = await dialProxy(fixture);
  await connectTo(client, fixture, `${apiHost}:443`);
  client.socket.removeAllListeners('data');
  const socket = connectTls({
    socket: client.socket,
    servername: apiHost,
    ca: fixture.run.caPem,
    ALPNProtocols: ['h2', 'http/1.1'],
  });
  socket.on('error', () => {});
  cleanups.push(() => socket.destroy());
  await new Promise((resolve) => socket.once('secureConnect', resolve).once('close', resolve));
  return socket;
}

function sessionOn(socket: TLSSocket): ClientHttp2Session {
  const session = connectHttp2(`https://${apiHost}`, { createConnection: () => socket });
  session.on('error', () => {});
  cleanups.push(() => session.destroy());
  return session;
}

const getVersion1 = (socket: TLSSocket): Promise<string> =>
  ask(clientOn(socket), 'GET /v1 HTTP/1.1', `Host: ${apiHost}`);

it('a client that offers both gets HTTP/2 if the upstream supports only that, from its first connection on', async () => {
  const seen: unknown[] = [];
  const fixture = await openHttp2Fixture(cleanups, (stream, { authorization }) => {
    seen.push(authorization);
    stream.respond({ ':status': 200 }, { endStream: true });
  });
  for (const _ of [1, 2]) {
    const socket = await dialWithBoth(fixture);
    expect(socket.alpnProtocol).toBe('h2');
    expect((await responseOn(sessionOn(socket).request({ ':path': '/v1' }))).headers[':status']).toBe(200);
  }
  expect(seen).toEqual([`Bearer ${secret}`, `Bearer ${secret}`]);
  expect(fixture.decisions.map(({ outcome }) => outcome)).toEqual(['injected', 'injected']);
  // One to ask, one for all requests.
  expect(fixture.dials).toHaveLength(2);
});

it('a client that offers both gets HTTP/1.1 if the upstream supports it, and only the first one waits for the probe', async () => {
  const { fixture, seen } = await openFixtureWithApi(cleanups);
  const first = await dialWithBoth(fixture);
  expect(first.alpnProtocol).toBe('http/1.1');
  expect(fixture.dials).toHaveLength(1);
  expect(await getVersion1(first)).toContain('200 OK');
  const second = await dialWithBoth(fixture);
  expect(second.alpnProtocol).toBe('http/1.1');
  expect(await getVersion1(second)).toContain('200 OK');
  expect(seen).toHaveLength(2);
  expect(fixture.dials).toHaveLength(2);
});

it('a client that offers both gets HTTP/1.1 if the upstream supports both', async () => {
  const server = createSecureServer(
    { allowHTTP1: true, SNICallback: (name, done) => done(null, upstreamContext(name)) },
    (_request, response) => response.end('response'),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const fixture = await openFixture();
  cleanups.push(
    () => server.close(),
    () => fixture.close(),
  );
  fixture.ports.set(`${apiHost}:443`, (server.address() as AddressInfo).port);
  expect((await dialWithBoth(fixture)).alpnProtocol).toBe('http/1.1');
});

it('a client that offers both learns over HTTP/1.1 that its upstream cannot be reached', async () => {
  const fixture = await openFixture();
  cleanups.push(() => fixture.close());
  const socket = await dialWithBoth(fixture);
  expect(socket.alpnProtocol).toBe('http/1.1');
  expect(await getVersion1(socket)).toContain('AddressForbidden');
  expect(fixture.decisions.map(({ outcome }) => outcome)).toEqual(['AddressForbidden']);
});

it('an upstream that supports HTTP/1.1 since gets it', async () => {
  const fixture = await openHttp2Fixture(cleanups, (stream) =>
    stream.respond({ ':status': 200 }, { endStream: true }),
  );
  expect((await dialWithBoth(fixture)).alpnProtocol).toBe('h2');
  const server = await serveHttps((_request, response) => response.end('response'));
  cleanups.push(
    () => server.close(),
    () => server.closeAllConnections(),
  );
  fixture.ports.set(`${apiHost}:443`, server.at);
  fixture.breakUpstreams();
  await expect.poll(async () => (await dialWithBoth(fixture)).alpnProtocol).toBe('http/1.1');
  expect(await getVersion1(await dialWithBoth(fixture))).toContain('200 OK');
});

it('a client that offers only HTTP/1.1 causes no probe', async () => {
  const { fixture } = await openFixtureWithApi(cleanups);
  const client = await dialProxy(fixture);
  await connectTo(client, fixture, `${apiHost}:443`);
  client.socket.removeAllListeners('data');
  const socket = connectTls({
    socket: client.socket,
    servername: apiHost,
    ca: fixture.run.caPem,
    ALPNProtocols: ['http/1.1'],
  });
  await new Promise((resolve) => socket.once('secureConnect', resolve));
  expect(fixture.dials).toEqual([]);
  expect(await getVersion1(socket)).toContain('200 OK');
  expect(fixture.dials).toHaveLength(1);
});
