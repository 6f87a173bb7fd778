import { isIP, type Socket } from 'node:net';
import { connect, createSecureContext, rootCertificates, type SecureContext, type TLSSocket } from 'node:tls';
import { tlsFailure } from './failure.ts';
import { certificatesOf } from './roots.ts';
import { createTlsSessions } from './tls-sessions.ts';

const maxSessions = 512;

export interface TlsPeer {
  /** What the certificate is verified for, whatever address the connection went to. */
  readonly host: string;
  readonly port: number;
  /** In order of preference. */
  readonly alpn: readonly string[];
}

/** TLS over an open connection; rejects as `tlsFailure`, and with the signal's reason when it aborts. */
export type TlsHandshake = (raw: Socket, peer: TlsPeer, signal: AbortSignal) => Promise<TLSSocket>;

/** Handshakes that trust Node's roots and these, and resume sessions. The roots are read at the first one. */
export function createTlsHandshake(extraRoots: readonly string[]): TlsHandshake {
  const sessions = createTlsSessions(maxSessions);
  let context: SecureContext | undefined;

  return (raw, { host, port, alpn }, signal) => {
    const key = `${host}:${port} ${alpn.join(',')}`;
    const session = sessions.find(key);
    // One context for all: on Node 20 the first costs 17 ms, and each further one 0.8 ms.
    context ??= contextWith(extraRoots);
    const socket = connect({
      socket: raw,
      host,
      ...(isIP(host) === 0 ? { servername: host } : {}),
      ...(alpn.length === 0 ? {} : { ALPNProtocols: [...alpn] }),
      ...(session === undefined ? {} : { session }),
      secureContext: context,
      rejectUnauthorized: true,
    });
    let isVerified = false;
    let early: Buffer | undefined;
    // A resumed handshake is not verified again, so only sessions of verified ones are stored. TLS 1.2 reports them before that.
    socket.on('session', (ticket: Buffer) => {
      if (isVerified) sessions.store(key, ticket);
      else early = ticket;
    });
    return new Promise((resolve, reject) => {
      const fail = (error: unknown): void => {
        signal.removeEventListener('abort', abort);
        socket.destroy();
        raw.destroy();
        reject(error);
      };
      const broken = (error: Error): void => fail(tlsFailure(host, error));
      const closed = (): void => broken(Object.assign(new Error('closed'), { code: 'ECONNRESET' }));
      const abort = (): void => fail(signal.reason);
      socket.on('error', broken);
      socket.once('close', closed);
      signal.addEventListener('abort', abort, { once: true });
      socket.once('secureConnect', () => {
        isVerified = true;
        if (early !== undefined) sessions.store(key, early);
        signal.removeEventListener('abort', abort);
        socket.off('error', broken).off('close', closed);
        resolve(socket);
      });
      if (signal.aborted) abort();
    });
  };
}

function contextWith(extraRoots: readonly string[]): SecureContext {
  const extra = [...new Set(extraRoots.flatMap(certificatesOf))];
  return createSecureContext(extra.length === 0 ? {} : { ca: [...rootCertificates, ...extra] });
}
