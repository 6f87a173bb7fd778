import {
  type ClientHttp2Session,
  connect as connectHttp2,
  createSecureServer,
  type IncomingHttpHeaders,
  type SecureClientSessionOptions,
  type ServerHttp2Stream,
} from 'node:http2';
import type { AddressInfo } from 'node:net';
import { connect as connectTls } from 'node:tls';
import {
  apiHost,
  connectTo,
  dialProxy,
  type Fixture,
  type FixtureOptions,
  openFixture,
  upstreamContext,
} from './test-fixture.ts';

export type Http2Listener = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, flags: number) => void;

export interface Http2Fixture extends Fixture {
  /** The upstream's machine vanishes. */
  breakUpstreams(): void;
}

/** A fixture whose API speaks HTTP/2. */
export async function openHttp2Fixture(
  cleanups: (() => unknown)[],
  listener: Http2Listener,
  options: FixtureOptions = {},
): Promise<Http2Fixture> {
  const server = createSecureServer({
    SNICallback: (name, done) => done(null, upstreamContext(name)),
    settings: { enableConnectProtocol: true },
  });
  const sessions = new Set<{ destroy(): void }>();
  const sockets = new Set<{ destroy(): void }>();
  server.on('secureConnection', (socket) => sockets.add(socket));
  server.on('session', (session) => sessions.add(session));
  server.on('stream', (stream, headers, flags) => {
    stream.on('error', () => {});
    listener(stream, headers, flags);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const fixture = await openFixture(options);
  fixture.ports.set(`${apiHost}:443`, (server.address() as AddressInfo).port);
  cleanups.push(
    () => server.close(),
    () => {
      for (const session of sessions) session.destroy();
    },
    () => fixture.close(),
  );
  return Object.assign(fixture, {
    breakUpstreams() {
      for (const socket of sockets) socket.destroy();
      sockets.clear();
    },
  });
}

/** An HTTP/2 session through the proxy, by ALPN. */
export async function dialHttp2(
  cleanups: (() => unknown)[],
  fixture: Fixture,
  servername = apiHost,
): Promise<ClientHttp2Session> {
  const client = await dialProxy(fixture);
  await connectTo(client, fixture, `${apiHost}:443`);
  client.socket.removeAllListeners('data');
  const session = connectHttp2(`https://${apiHost}`, {
    createConnection: () =>
      connectTls({
        socket: client.socket,
        servername,
        ca: fixture.run.caPem,
        ALPNProtocols: ['h2'],
        checkServerIdentity: () => undefined,
      }),
    // As many fields as anybody sends.
    maxHeaderListPairs: 1_000,
  } as SecureClientSessionOptions);
  session.on('error', () => {});
  cleanups.push(() => session.destroy());
  return session;
}
