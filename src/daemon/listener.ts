import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { getRequestListener } from '@hono/node-server';
import { AuthsomeError, systemReason } from '../errors.ts';
import { clientHost } from '../settings.ts';

const graceMs = 1_000;

export interface Listener {
  readonly host: string;
  readonly port: number;
  /** `host:port`, as in a URL. */
  readonly address: string;
  /** Every `Host` by which a caller on this machine may address it; `address` first. */
  readonly names: ReadonlySet<string>;
  /** Answers calls from now on. Those that came before have waited. */
  serve(fetch: (request: Request, env: object) => Response | Promise<Response>): void;
  /** Called for each connection from now on, before its first request. */
  onConnection(listener: (socket: Socket) => void): void;
  /** Takes nothing new, lets responses that are being written finish, then closes what is left. May be called again. */
  close(): Promise<void>;
}

/** A server that listens. Rejects with the error of the system, such as `EADDRINUSE`. */
export async function listen(host: string, port: number): Promise<Listener> {
  type Handler = (request: IncomingMessage, response: ServerResponse) => unknown;
  let attach: (handler: Handler) => void = () => {};
  const attached = new Promise<Handler>((resolve) => {
    attach = resolve;
  });
  let handler: Handler | undefined;
  const server = createServer((request, response) => {
    if (handler !== undefined) void handler(request, response);
    else void attached.then((ready) => ready(request, response));
  });
  server.keepAliveTimeout = 60_000;
  // A lease or a long poll may stay open for hours; only a request's head and body have to arrive soon.
  server.requestTimeout = 30_000;
  server.headersTimeout = 15_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port, exclusive: true }, () => {
      server.off('error', reject);
      resolve();
    });
  });
  const bound = (server.address() as AddressInfo).port;
  const address = `${clientHost(host)}:${bound}`;
  let closed: Promise<void> | undefined;
  return {
    host,
    port: bound,
    address,
    names: new Set([address, `127.0.0.1:${bound}`, `localhost:${bound}`]),
    serve(fetch) {
      handler = getRequestListener(fetch, { overrideGlobalObjects: false });
      attach(handler);
    },
    onConnection: (listener) => server.on('connection', listener),
    close() {
      closed ??= closeServer(server);
      return closed;
    },
  };
}

async function closeServer(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  const deadline = performance.now() + graceMs;
  let isClosed = false;
  void closed.then(() => {
    isClosed = true;
  });
  // A connection becomes idle only once its last response is written, so idle ones are looked for again.
  while (!isClosed && performance.now() < deadline) {
    server.closeIdleConnections();
    await sleep(5);
  }
  server.closeAllConnections();
  await closed;
}

/** The error for an address that cannot be listened on, unless it is in use. */
export function listenFailure(error: unknown, host: string, port: number): AuthsomeError {
  const { code } = error as NodeJS.ErrnoException;
  return new AuthsomeError('DaemonUnavailable', `cannot listen on ${host}:${port}: ${systemReason(error)}`, {
    hint:
      code === 'EACCES'
        ? 'Use a port above 1023: AUTHSOME_PORT=7998'
        : 'Check AUTHSOME_HOST and AUTHSOME_PORT, or unset them.',
    cause: error,
  });
}
