/** A daemon that another machine calls: TLS ends before it, as behind any reverse proxy. */
import { readFileSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect } from 'node:net';
import { join } from 'node:path';
import { createServer, type Server } from 'node:tls';
import { type Fixture, openFixture, until } from './fixture.ts';
import { createThrowawayCa, type ThrowawayCa } from './service/index.ts';

export interface HostedDaemon {
  /** `https://localhost:…`. */
  readonly url: string;
  /** Where it runs. Its commands call it on its own machine. */
  readonly server: Fixture;
  /** Another machine, with the identity that owns the daemon. */
  readonly client: Fixture;
  /** All that came through TLS, as text. */
  readonly received: string[];
  /** Sends what comes from now on to another port of this machine. */
  pointTo(port: number): void;
  close(): Promise<void>;
}

export async function openHostedDaemon(): Promise<HostedDaemon> {
  const ca = await createThrowawayCa('authsome test');
  const front = await openFront(ca);
  const url = `https://localhost:${front.port}`;
  const server = await openFixture();
  await startHosted(server, url);
  front.pointTo(server.port);
  const handle = readFileSync(join(server.home, 'identities/current'), 'utf8').trim();
  const key = readFileSync(join(server.home, `identities/${handle}.key`), 'utf8');
  const caFile = join(server.directory, 'ca.pem');
  writeFileSync(caFile, ca.caPem);
  const client = await openFixture({
    AUTHSOME_BASE_URL: url,
    AUTHSOME_IDENTITY: handle,
    AUTHSOME_IDENTITY_KEY: key,
    AUTHSOME_EXTRA_CA_CERTS: caFile,
  });
  return {
    url,
    server,
    client,
    received: front.received,
    pointTo: front.pointTo,
    async close() {
      await Promise.all([client.close(), server.close()]);
      front.close();
    },
  };
}

/** Starts the daemon of a home under the public address `url`, and makes the home's identity its owner. */
export async function startHosted(server: Fixture, url: string): Promise<void> {
  server.startAuthsome(['daemon', 'serve'], { env: { AUTHSOME_BASE_URL: url } });
  await until(() => server.daemonPid() !== undefined, 10_000);
  await server.json(['whoami']);
}

interface Front {
  readonly port: number;
  readonly received: string[];
  pointTo(port: number): void;
  close(): void;
}

/** Ends TLS, and passes the bytes on as they are. */
async function openFront(ca: ThrowawayCa): Promise<Front> {
  const { certPem, keyPem } = await ca.issue(['localhost']);
  const received: string[] = [];
  let target = 0;
  const server: Server = createServer({ cert: certPem, key: keyPem }, (socket) => {
    const onward = connect(target, '127.0.0.1');
    socket.on('data', (bytes) => received.push(bytes.toString('latin1')));
    socket.pipe(onward).pipe(socket);
    for (const end of [socket, onward]) end.on('error', () => end.destroy());
    socket.on('close', () => onward.destroy());
    onward.on('close', () => socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    received,
    pointTo(port) {
      target = port;
    },
    close: () => void server.close(),
  };
}
