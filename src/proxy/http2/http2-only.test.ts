import { type ClientHttp2Session, connect as connectHttp2, createSecureServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { expect, test } from 'vitest';
import { cleanupsAfterEach } from '../testing/test-cleanups.ts';
import { responseOn } from '../testing/test-http2-response.ts';
import { openHttp2World } from '../testing/test-http2-upstream.ts';
import {
  apiHost,
  ask,
  clientOn,
  connectTo,
  dialProxy,
  openWorld,
  openWorldWithApi,
  secret,
  serveHttps,
  upstreamContext,
  type World,
} from '../testing/test-world.ts';

const cleanups = cleanupsAfterEach();

/** A client in a tunnel that offers both protocols, as curl, httpx and Go do. */
async function dialWithBoth(world: World): Promise<TLSSocket> {
  const client = await dialProxy(world);
  await connectTo(client, world, `${apiHost}:443`);
  client.socket.removeAllListeners('data');
  const socket = connectTls({
    socket: client.socket,
    servername: apiHost,
    ca: world.run.caPem,
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

test('a client that offers both gets HTTP/2 if the upstream supports only that, from its first connection on', async () => {
  const seen: unknown[] = [];
  const world = await openHttp2World(cleanups, (stream, { authorization }) => {
    seen.push(authorization);
    stream.respond({ ':status': 200 }, { endStream: true });
  });
  for (const _ of [1, 2]) {
    const socket = await dialWithBoth(world);
    expect(socket.alpnProtocol).toBe('h2');
    expect((await responseOn(sessionOn(socket).request({ ':path': '/v1' }))).headers[':status']).toBe(200);
  }
  expect(seen).toEqual([`Bearer ${secret}`, `Bearer ${secret}`]);
  expect(world.decisions.map(({ outcome }) => outcome)).toEqual(['injected', 'injected']);
  // One to ask, one for all requests.
  expect(world.dials).toHaveLength(2);
});

test('a client that offers both gets HTTP/1.1 if the upstream supports it, and only the first one waits for the probe', async () => {
  const { world, seen } = await openWorldWithApi(cleanups);
  const first = await dialWithBoth(world);
  expect(first.alpnProtocol).toBe('http/1.1');
  expect(world.dials).toHaveLength(1);
  expect(await getVersion1(first)).toContain('200 OK');
  const second = await dialWithBoth(world);
  expect(second.alpnProtocol).toBe('http/1.1');
  expect(await getVersion1(second)).toContain('200 OK');
  expect(seen).toHaveLength(2);
  expect(world.dials).toHaveLength(2);
});

test('a client that offers both gets HTTP/1.1 if the upstream supports both', async () => {
  const server = createSecureServer(
    { allowHTTP1: true, SNICallback: (name, done) => done(null, upstreamContext(name)) },
    (_request, response) => response.end('response'),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const world = await openWorld();
  cleanups.push(
    () => server.close(),
    () => world.close(),
  );
  world.ports.set(`${apiHost}:443`, (server.address() as AddressInfo).port);
  expect((await dialWithBoth(world)).alpnProtocol).toBe('http/1.1');
});

test('a client that offers both learns over HTTP/1.1 that its upstream cannot be reached', async () => {
  const world = await openWorld();
  cleanups.push(() => world.close());
  const socket = await dialWithBoth(world);
  expect(socket.alpnProtocol).toBe('http/1.1');
  expect(await getVersion1(socket)).toContain('AddressForbidden');
  expect(world.decisions.map(({ outcome }) => outcome)).toEqual(['AddressForbidden']);
});

test('an upstream that supports HTTP/1.1 since gets it', async () => {
  const world = await openHttp2World(cleanups, (stream) =>
    stream.respond({ ':status': 200 }, { endStream: true }),
  );
  expect((await dialWithBoth(world)).alpnProtocol).toBe('h2');
  const server = await serveHttps((_request, response) => response.end('response'));
  cleanups.push(
    () => server.close(),
    () => server.closeAllConnections(),
  );
  world.ports.set(`${apiHost}:443`, server.at);
  world.breakUpstreams();
  await expect.poll(async () => (await dialWithBoth(world)).alpnProtocol).toBe('http/1.1');
  expect(await getVersion1(await dialWithBoth(world))).toContain('200 OK');
});

test('a client that offers only HTTP/1.1 causes no probe', async () => {
  const { world } = await openWorldWithApi(cleanups);
  const client = await dialProxy(world);
  await connectTo(client, world, `${apiHost}:443`);
  client.socket.removeAllListeners('data');
  const socket = connectTls({
    socket: client.socket,
    servername: apiHost,
    ca: world.run.caPem,
    ALPNProtocols: ['http/1.1'],
  });
  await new Promise((resolve) => socket.once('secureConnect', resolve));
  expect(world.dials).toEqual([]);
  expect(await getVersion1(socket)).toContain('200 OK');
  expect(world.dials).toHaveLength(1);
});
