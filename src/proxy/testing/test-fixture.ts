import { randomBytes } from 'node:crypto';
import type { RequestListener } from 'node:http';
import { createServer as createHttpsServer, type Server as HttpsServer } from 'node:https';
import {
  type AddressInfo,
  connect as connectTcp,
  createServer as createTcpServer,
  type Socket,
} from 'node:net';
import { connect as connectTlsTo, createSecureContext, type SecureContext, TLSSocket } from 'node:tls';
import type { AnswerFailedEvent, DecisionEvent } from '../../audit/index.ts';
import { AuthsomeError } from '../../errors.ts';
import { compileRoutes, type Placement, type Route } from '../../providers/index.ts';
import { createCertificateAuthority } from '../ca/index.ts';
import type {
  Credential,
  DecisionSink,
  ProxyOptions,
  Run,
  Proxy as RunningProxy,
  RunPhantom,
  RunSpec,
  Timeouts,
} from '../contract.ts';
import { startProxy } from '../server.ts';

/** What the proxy's tests over sockets need: loopback upstreams with names, and one run. */
export const apiHost = 'api.example.test';
export const otherHost = 'other.example.test';

const upstreamCa = createCertificateAuthority({
  runId: 'upstream',
  hosts: ['example.test'],
  nowMs: Date.now,
  randomBytes,
});

export function routeTo(
  host: string,
  more: Partial<Route> & { readonly pathPrefix?: string; readonly port?: number } = {},
): Route {
  const { pathPrefix = '/', port = 443, ...rest } = more;
  return {
    id: `example:${host}${pathPrefix}`,
    provider: 'example',
    source: 'bundled',
    connection: 'default',
    isApproved: true,
    pattern: { text: host, kind: 'exact', host, expression: undefined, port, pathPrefix },
    placements: [{ kind: 'header', name: 'Authorization', prefix: 'Bearer ' }],
    allowPrivateAddress: false,
    scrub: true,
    ...rest,
  };
}

export const secret = 'sk-live-7f3c0b2e91d4';

export interface Fixture {
  readonly proxy: RunningProxy;
  readonly run: Run;
  readonly decisions: DecisionEvent[];
  readonly failures: AnswerFailedEvent[];
  readonly credentials: Map<string, Credential>;
  /** `host:port` → loopback port. */
  readonly ports: Map<string, number>;
  /** Every dial, in order: `tls host:port` or `tcp host:port`. */
  readonly dials: string[];
  close(): Promise<void>;
}

export interface FixtureOptions {
  readonly routes?: readonly Route[];
  readonly placements?: readonly Placement[];
  readonly spec?: Partial<RunSpec>;
  readonly timeouts?: Partial<Timeouts>;
  readonly sink?: Partial<DecisionSink>;
  readonly checkPeer?: ProxyOptions['checkPeer'];
  /** The proxy's clock. */
  readonly nowMs?: () => number;
  readonly forbiddenTargets?: readonly { readonly host: string; readonly port: number }[];
}

/** A proxy with one run. Names resolve by the table of ports; everything else is refused as a private address. */
export async function openFixture(options: FixtureOptions = {}): Promise<Fixture> {
  const ports = new Map<string, number>();
  const dials: string[] = [];
  const decisions: DecisionEvent[] = [];
  const failures: AnswerFailedEvent[] = [];
  const credentials = new Map<string, Credential>([['example/default', { version: 1, secret }]]);
  const portOf = (host: string, port: number): number => {
    const target = ports.get(`${host}:${port}`);
    if (target === undefined) throw new AuthsomeError('AddressForbidden', `${host} is not a public address`);
    return target;
  };
  const proxy = await startProxy({
    listenHost: '127.0.0.1',
    listenPort: 0,
    async connect({ host, port }) {
      dials.push(`tcp ${host}:${port}`);
      return opened(connectTcp({ host: '127.0.0.1', port: portOf(host, port), noDelay: true }), 'connect');
    },
    async connectTls({ host, port, alpn }) {
      dials.push(`tls ${host}:${port}`);
      const socket = connectTlsTo({
        host: '127.0.0.1',
        port: portOf(host, port),
        servername: host,
        ca: upstreamCa.pem,
        ALPNProtocols: [...alpn],
      });
      return opened(socket, 'secureConnect');
    },
    forbiddenTargets: options.forbiddenTargets ?? [],
    decisions: {
      record: (decision) => decisions.push(decision),
      failed: (failure) => failures.push(failure),
      get congested() {
        return options.sink?.congested ?? false;
      },
      drained: options.sink?.drained ?? (async () => {}),
    },
    nowMs: options.nowMs ?? Date.now,
    randomBytes,
    ...(options.timeouts === undefined ? {} : { timeouts: options.timeouts }),
    ...(options.checkPeer === undefined ? {} : { checkPeer: options.checkPeer }),
  });
  const placements = options.placements;
  const routes = options.routes ?? [routeTo(apiHost, placements === undefined ? {} : { placements })];
  const run = await proxy.openRun({
    id: 'run_test',
    identity: 'tester',
    routes: compileRoutes(routes),
    credentials: {
      peek: (connection) => credentials.get(connection),
      acquire: async (connection) => {
        const credential = credentials.get(connection);
        if (credential === undefined) {
          throw new AuthsomeError('CredentialExpired', `the credential of ${connection} has expired`, {
            hint: 'Run: authsome login example --force',
          });
        }
        return credential;
      },
      renew: async () => undefined,
    },
    decide: () => ({ allowed: true, rule: undefined, reason: 'nothing forbids it' }),
    phantoms: [],
    ...options.spec,
  });
  return { proxy, run, decisions, failures, credentials, ports, dials, close: () => proxy.close() };
}

function opened<S extends Socket>(socket: S, event: 'connect' | 'secureConnect'): Promise<S> {
  return new Promise((resolve, reject) => {
    socket.once(event, () => {
      socket.off('error', fail);
      resolve(socket);
    });
    const fail = (cause: Error): void =>
      reject(new AuthsomeError('UpstreamUnreachable', 'the upstream is not reachable', { cause }));
    socket.once('error', fail);
  });
}

/** An HTTPS server on Node's own stack, as an API would be. */
export async function serveHttps(listener: RequestListener): Promise<HttpsServer & { readonly at: number }> {
  const server = createHttpsServer(
    { SNICallback: (name, done) => done(null, upstreamCa.contextFor(name)), ALPNProtocols: ['http/1.1'] },
    listener,
  );
  return Object.assign(server, { at: await listening(server) });
}

/** A TLS server that shows its bytes: each connection is handed over unchanged. */
export async function serveRaw(
  onConnection: (socket: TLSSocket) => void,
  host = apiHost,
): Promise<{ readonly at: number; close(): void }> {
  const sockets = new Set<Socket>();
  const server = createTcpServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    const tls = new TLSSocket(socket, { isServer: true, secureContext: upstreamCa.contextFor(host) });
    tls.on('error', () => {});
    tls.on('close', () => sockets.delete(socket));
    tls.on('secure', () => onConnection(tls));
  });
  const at = await listening(server);
  return {
    at,
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

function listening(server: {
  listen(port: number, host: string, done: () => void): unknown;
  address(): unknown;
}): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}

/** A phantom of the connection that the fixture's route uses. */
export function phantomOf(value: string, connection = 'example/default'): RunPhantom {
  return { value, connection, isInRun: true };
}

export function proxyAuthorization(run: Run): string {
  const { username, password } = new URL(run.proxyUrl);
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

/** A raw client connection to the proxy, with what has come back so far. */
export async function dialProxy(fixture: Fixture): Promise<Client> {
  const socket = await opened(
    connectTcp({ host: fixture.proxy.host, port: fixture.proxy.port, allowHalfOpen: true }),
    'connect',
  );
  return clientOn(socket);
}

export interface Client {
  readonly socket: Socket;
  /** Everything received and not taken yet. */
  received: string;
  ended: boolean;
  send(text: string | Buffer): void;
  /** Takes what arrived, once it satisfies the test or the connection has ended. */
  until(isEnough: (received: string) => boolean): Promise<string>;
}

export function clientOn(socket: Socket): Client {
  let wake = (): void => {};
  const client: Client = {
    socket,
    received: '',
    ended: false,
    send: (text) => {
      socket.write(typeof text === 'string' ? Buffer.from(text, 'latin1') : text);
    },
    async until(isEnough) {
      while (!isEnough(client.received) && !client.ended) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      const taken = client.received;
      client.received = '';
      return taken;
    },
  };
  socket.on('data', (chunk: Buffer) => {
    client.received += chunk.toString('latin1');
    wake();
  });
  const onEnd = (): void => {
    client.ended = true;
    wake();
  };
  socket.on('end', onEnd).on('close', onEnd).on('error', onEnd);
  return client;
}

/** A TLS client inside a CONNECT tunnel, as an agent's library would make it. */
export async function dialThrough(
  fixture: Fixture,
  host = apiHost,
  more: { readonly port?: number; readonly servername?: string; readonly alpn?: readonly string[] } = {},
): Promise<Client> {
  const client = await dialProxy(fixture);
  const port = more.port ?? 443;
  client.send(
    `CONNECT ${host}:${port} HTTP/1.1\r\nHost: ${host}:${port}\r\nProxy-Authorization: ${proxyAuthorization(fixture.run)}\r\n\r\n`,
  );
  const response = await client.until((text) => text.includes('\r\n\r\n'));
  if (!response.startsWith('HTTP/1.1 200 ')) throw new Error(response);
  client.socket.removeAllListeners('data');
  const tls = connectTlsTo({
    socket: client.socket,
    servername: more.servername ?? host,
    ...(more.alpn === undefined ? {} : { ALPNProtocols: [...more.alpn] }),
    secureContext: createSecureContext({ ca: [fixture.run.caPem, upstreamCa.pem] }),
    checkServerIdentity: () => undefined,
  });
  return clientOn(await opened(tls, 'secureConnect'));
}

/** A fixture whose API is whatever `speak` makes of its connections. */
export async function openFixtureWithRaw(
  cleanups: (() => unknown)[],
  speak: Parameters<typeof serveRaw>[0],
  options: FixtureOptions = {},
): Promise<Fixture> {
  const server = await serveRaw(speak);
  const fixture = await openFixture(options);
  fixture.ports.set(`${apiHost}:443`, server.at);
  cleanups.push(
    () => server.close(),
    () => fixture.close(),
  );
  return fixture;
}

/** A fixture with an API that answers with what it saw, and keeps it. */
export async function openFixtureWithApi(
  cleanups: (() => unknown)[],
  options: FixtureOptions = {},
): Promise<{ readonly fixture: Fixture; readonly seen: Seen[] }> {
  const seen: Seen[] = [];
  const server = await serveHttps((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      seen.push({
        line: `${request.method} ${request.url}`,
        headers: request.headers,
        body: Buffer.concat(chunks).toString(),
      });
      const status = Number(request.headers['x-status'] ?? 200);
      response.writeHead(status, { 'X-From': 'api' }).end('response');
    });
  });
  const fixture = await openFixture(options);
  fixture.ports.set(`${apiHost}:443`, server.at);
  fixture.ports.set(`${otherHost}:443`, server.at);
  cleanups.push(
    () => server.close(),
    () => server.closeAllConnections(),
    () => fixture.close(),
  );
  return { fixture, seen };
}

export interface Seen {
  readonly line: string;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly body: string;
}

export const isComplete = (text: string): boolean => {
  const head = text.indexOf('\r\n\r\n');
  if (head === -1) return false;
  const length = /content-length: (\d+)/i.exec(text.slice(0, head))?.[1];
  if (length !== undefined) return text.length >= head + 4 + Number(length);
  return text.slice(head + 4).endsWith('0\r\n\r\n');
};

export async function ask(client: Client, ...lines: readonly string[]): Promise<string> {
  client.send(`${lines.join('\r\n')}\r\n\r\n`);
  return client.until(isComplete);
}

/** The problem document of a refusal. */
export function problemOf(response: string): Record<string, unknown> {
  if (!response.includes('Content-Type: application/problem+json'))
    throw new Error(`no problem: ${response}`);
  return JSON.parse(response.slice(response.indexOf('\r\n\r\n') + 4));
}

/** Opens a tunnel on this connection. */
export async function connectTo(client: Client, fixture: Fixture, target: string): Promise<string> {
  client.send(
    `CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\nProxy-Authorization: ${proxyAuthorization(fixture.run)}\r\n\r\n`,
  );
  return client.until((received) => received.includes('\r\n\r\n'));
}

export function upstreamContext(host: string): SecureContext {
  return upstreamCa.contextFor(host);
}

/** Key and certificate in PEM, for servers that make their own contexts. */
export function upstreamKeyPair(host: string): { readonly key: string; readonly cert: string } {
  return upstreamCa.leafFor(host);
}
