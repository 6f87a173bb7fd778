import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createSecureServer, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Fixture, openFixture, register, root } from '../../support/fixture.ts';
import { freePort, type Outcome } from '../../support/product.ts';
import { createThrowawayCa } from '../../support/service/index.ts';

export const apiKey = 'h2_5d1f0c7be29a4836';

/** One request as the upstream got it. */
export interface Arrived {
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export const olderHost = 'older.multiplex.test';
export const grpcHost = 'grpc.multiplex.test';
export const newerHost = 'newer.multiplex.test';

/**
 * A fixture with an API that speaks HTTP/2 only, at `newerHost` and at `localhost:at` for clients of the proxy,
 * and one at `olderHost` that speaks HTTP/1.1.
 */
export interface Http2Fixture extends Fixture {
  readonly at: number;
  readonly caFile: string;
  readonly arrived: Arrived[];
  /** Runs a command that knows no proxies: `localhost:at` leads it through the run's, a tunnel for each connection. */
  runThroughTunnel(...command: readonly string[]): Promise<Outcome>;
}

type Respond = (stream: ServerHttp2Stream, arrived: Arrived) => void;

interface KeyPair {
  readonly certPem: string;
  readonly keyPem: string;
}

/** `startGrpc` starts what is at `grpcHost`, and tells its port. */
export async function openHttp2Fixture(
  respond: Respond,
  startGrpc: (pair: KeyPair) => Promise<number> = async () => 1,
): Promise<Http2Fixture> {
  const ca = await createThrowawayCa('Throwaway HTTP/2 CA');
  const { certPem, keyPem } = await ca.issue(['localhost', newerHost, olderHost, grpcHost]);
  const arrived: Arrived[] = [];
  const server = createSecureServer({ cert: certPem, key: keyPem });
  const sessions = new Set<{ destroy(): void }>();
  server.on('session', (session) => {
    sessions.add(session);
    session.on('close', () => sessions.delete(session));
  });
  server.on('stream', (stream, headers) => {
    const chunks: Buffer[] = [];
    stream.on('error', () => {});
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('end', () => {
      const request = { headers, body: Buffer.concat(chunks) };
      arrived.push(request);
      if (!stream.destroyed && !stream.closed) respond(stream, request);
    });
  });
  const older = createHttpsServer({ cert: certPem, key: keyPem }, (request, response) => {
    arrived.push({ headers: request.headers, body: Buffer.alloc(0) });
    request.resume().on('end', () => response.end(`${request.method} ${request.url} 0\n`));
  });
  await new Promise<void>((resolve) => older.listen(0, '127.0.0.1', resolve));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const grpcPort = await startGrpc({ certPem, keyPem });
  const at = await freePort();
  const directory = mkdtempSync(join(tmpdir(), 'authsome-http2-'));
  const caFile = join(directory, 'ca.pem');
  writeFileSync(caFile, ca.caPem);
  const fixture = await openFixture({
    AUTHSOME_RESOLVE: [
      `localhost:${at}:127.0.0.1:${port}`,
      `${newerHost}:443:127.0.0.1:${port}`,
      `${olderHost}:443:127.0.0.1:${(older.address() as AddressInfo).port}`,
      `${grpcHost}:443:127.0.0.1:${grpcPort}`,
    ].join(','),
    AUTHSOME_EXTRA_CA_CERTS: caFile,
    MULTIPLEX_KEY: apiKey,
  });
  const definition = {
    schema_version: 1,
    name: 'multiplex',
    display_name: 'Multiplex',
    auth_type: 'api_key',
    flow: 'api_key',
    api_url: [
      `https://localhost:${at}`,
      `https://${newerHost}`,
      `https://${olderHost}`,
      `https://${grpcHost}`,
    ],
    api_key: { env_var: 'MULTIPLEX_KEY', header_name: 'Authorization', header_prefix: 'Bearer' },
  };
  await register(fixture, definition, '--allow-loopback');
  await fixture.json(['login', 'multiplex', '--yes']);
  const tunnel = join(root, 'test/conformance/through-tunnel.mjs');
  return {
    ...fixture,
    at,
    caFile,
    arrived,
    runThroughTunnel: (...command) =>
      fixture.authsome(['run', '--', process.execPath, tunnel, String(at), `localhost:${at}`, ...command]),
    async close() {
      await fixture.close();
      for (const session of sessions) session.destroy();
      older.closeAllConnections();
      await Promise.all([server, older].map((one) => new Promise((resolve) => one.close(resolve))));
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
