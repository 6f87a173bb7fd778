import { connect, type Socket } from 'node:net';
import { connect as connectTls, type SecureContext, type TLSSocket } from 'node:tls';
import type { Keyring } from './keyring.ts';
import type { Ledger } from './ledger.ts';
import { Broken, Wire } from './wire.ts';

/** What a client of the soak needs to know. */
export interface Environs {
  readonly ledger: Ledger;
  readonly keyring: Keyring;
  readonly proxyHost: string;
  readonly proxyPort: number;
  readonly proxyAuthorization: string;
  /** Trusts the run's certificate authority and the upstream's. */
  readonly trust: SecureContext;
  /** What a run sees instead of each host's secret. */
  readonly phantoms: ReadonlyMap<string, string>;
  /** Called when a request begins, to hold it back. */
  begin(): Promise<void>;
  nextNonce(): string;
}

export interface Tunnel {
  readonly tls: TLSSocket;
  readonly raw: Socket;
  /** Whether the certificate is the run's: requests in it are looked at, and in the audit. */
  readonly intercepted: boolean;
}

export async function dialProxy({ proxyHost, proxyPort }: Environs, allowHalfOpen = true): Promise<Socket> {
  const socket = connect({ host: proxyHost, port: proxyPort, allowHalfOpen, noDelay: true });
  socket.on('error', () => {});
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', () => reject(new Broken('the proxy does not listen')));
  });
  return socket;
}

/** CONNECT, and TLS inside. */
export async function openTunnel(
  environs: Environs,
  host: string,
  protocol: 'h2' | 'http/1.1',
): Promise<Tunnel> {
  // Node's HTTP/2 does not notice the end of a connection that may be half open.
  const raw = await dialProxy(environs, protocol === 'http/1.1');
  raw.write(
    `CONNECT ${host}:443 HTTP/1.1\r\nHost: ${host}:443\r\nProxy-Authorization: ${environs.proxyAuthorization}\r\n\r\n`,
  );
  const answer = await new Wire(raw).head();
  if (answer?.line.split(' ')[1] !== '200') throw new Error(`no tunnel to ${host}: ${answer?.text}`);
  raw.removeAllListeners('readable');
  const tls = connectTls({
    socket: raw,
    servername: host,
    secureContext: environs.trust,
    ALPNProtocols: [protocol],
  });
  tls.on('error', () => {});
  await new Promise<void>((resolve, reject) => {
    tls.once('secureConnect', resolve);
    tls.once('error', reject);
    tls.once('close', () => reject(new Broken('the tunnel broke')));
  });
  const issuer = String(tls.getPeerCertificate().issuer?.CN);
  const intercepted = !issuer.startsWith('Throwaway');
  if (!intercepted) environs.ledger.tunnels.opened += 1;
  return { tls, raw, intercepted };
}

/** Ends what is open, as a client does that has what it wanted. */
export function leave({ tls, raw }: Tunnel): void {
  tls.destroy();
  raw.destroy();
}
