import type { IncomingHttpHeaders } from 'node:http';
import { connect as connectTls } from 'node:tls';
import { type ClientOptions, WebSocket, WebSocketServer } from 'ws';
import {
  apiHost,
  connectTo,
  dialProxy,
  type Fixture,
  type FixtureOptions,
  openFixture,
  serveHttps,
} from './test-fixture.ts';

/** A fixture whose API speaks WebSocket and repeats each message, with what it has seen. */
export interface WebSocketFixture {
  readonly fixture: Fixture;
  readonly upgrades: readonly IncomingHttpHeaders[];
  readonly messages: readonly string[];
}

export async function openWebSocketFixture(
  cleanups: (() => unknown)[],
  options: FixtureOptions = {},
): Promise<WebSocketFixture> {
  const server = await serveHttps(() => {});
  const sockets = new WebSocketServer({ server, perMessageDeflate: true });
  const upgrades: IncomingHttpHeaders[] = [];
  const messages: string[] = [];
  sockets.on('connection', (socket, request) => {
    upgrades.push(request.headers);
    socket.on('error', () => {});
    socket.on('message', (data, isBinary) => {
      messages.push(data.toString());
      socket.send(data, { binary: isBinary });
    });
  });
  const fixture = await openFixture(options);
  fixture.ports.set(`${apiHost}:443`, server.at);
  cleanups.push(
    () => server.close(),
    () => sockets.close(),
    () => server.closeAllConnections(),
    () => fixture.close(),
  );
  return { fixture, upgrades, messages };
}

/** A WebSocket client through the proxy, open. It offers to compress, as this library does by itself. */
export async function dialWebSocket(
  cleanups: (() => unknown)[],
  fixture: Fixture,
  options: ClientOptions = {},
): Promise<WebSocket> {
  const client = await dialProxy(fixture);
  await connectTo(client, fixture, `${apiHost}:443`);
  client.socket.removeAllListeners('data');
  const socket = new WebSocket(`wss://${apiHost}/socket`, {
    ...options,
    createConnection: () => connectTls({ socket: client.socket, servername: apiHost, ca: fixture.run.caPem }),
  });
  cleanups.push(() => socket.terminate());
  await new Promise((resolve, reject) => socket.on('open', resolve).on('error', reject));
  return socket;
}

export function nextMessage(socket: WebSocket): Promise<string> {
  return new Promise((resolve) => socket.once('message', (data) => resolve(data.toString())));
}

export function closeOf(socket: WebSocket): Promise<{ readonly code: number; readonly reason: string }> {
  return new Promise((resolve) =>
    socket.once('close', (code, reason) => resolve({ code, reason: reason.toString() })),
  );
}
