import { createServer, type Server, type Socket } from 'node:net';
import { createSecureContext, TLSSocket } from 'node:tls';
import type { Keyring } from './keyring.ts';
import type { Ledger } from './ledger.ts';
import { Http1Upstream } from './upstream-http1.ts';
import { serveSession } from './upstream-http2.ts';
import { Wire } from './wire.ts';

/** What both protocols of the upstream need. */
export interface UpstreamContext {
  readonly ledger: Ledger;
  readonly keyring: Keyring;
  /** Whether the upstream takes this credential no more, and says 401. */
  isStale(host: string, credential: string): boolean;
}

export interface Upstream {
  readonly securePort: number;
  readonly plainPort: number;
  /** Connections that are open now. */
  readonly connections: number;
  closeConnections(): void;
  close(): void;
}

/** An API under every name of the soak: HTTPS with HTTP/2 and HTTP/1.1, and plain HTTP, and it misbehaves as planned. */
export async function startUpstream(
  context: UpstreamContext,
  certificate: { readonly certPem: string; readonly keyPem: string },
): Promise<Upstream> {
  const secureContext = createSecureContext({ cert: certificate.certPem, key: certificate.keyPem });
  const sockets = new Set<Socket>();
  const keep = (socket: Socket): void => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
  };
  const secure = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    keep(socket);
    const tls = new TLSSocket(socket, {
      isServer: true,
      secureContext,
      ALPNProtocols: ['h2', 'http/1.1'],
    });
    tls.on('error', () => socket.destroy());
    tls.on('_tlsError', () => socket.destroy());
    tls.on('close', () => socket.destroy());
    tls.on('secure', () => {
      if (tls.alpnProtocol === 'h2') serveSession(tls, socket, context);
      else void new Http1Upstream(new Wire(tls), socket, context).serve();
    });
  });
  const plain = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    keep(socket);
    void new Http1Upstream(new Wire(socket), socket, context).serve();
  });
  const closeConnections = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    securePort: await listening(secure),
    plainPort: await listening(plain),
    get connections() {
      return sockets.size;
    },
    closeConnections,
    close() {
      secure.close();
      plain.close();
      closeConnections();
    },
  };
}

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}
