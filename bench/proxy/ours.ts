import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { connect as connectTls, TLSSocket } from 'node:tls';
import { openAuditTrail } from '../../src/audit/index.ts';
import { createDialer } from '../../src/network/index.ts';
import { compilePolicy } from '../../src/policy/index.ts';
import { parseHostPattern } from '../../src/providers/host-pattern.ts';
import { compileRoutes, type Route } from '../../src/providers/index.ts';
import { createCertificateAuthority } from '../../src/proxy/ca/index.ts';
import { startProxy } from '../../src/proxy/index.ts';
import { openStorage } from '../../src/storage/index.ts';

/**
 * The proxy as the daemon runs it, in a process of its own: real dialler, routes, policy and audit trail on disk. Only
 * the credential is a constant. Beside it the ceilings of what Node can do: for a tunnel a pair of `net` sockets piped
 * into each other, for an interception the same with TLS ended on both sides and not a byte looked at.
 */
const [caFile = '', upstreamCa = '', databaseFile = '', http1 = '', http2 = '', extraRoutes = '0'] =
  process.argv.slice(2);

const storage = await openStorage(databaseFile);
const trail = openAuditTrail({ table: storage.audit, nowMs: Date.now, randomBytes });
const dialer = createDialer({
  extraRoots: [readFileSync(upstreamCa, 'utf8')],
  overrides: [http1, http2].map((port) => ({
    host: 'blind.test',
    port: Number(port),
    address: '127.0.0.1',
    targetPort: Number(port),
  })),
});
const routes: Route[] = [http1, http2].map((port) => routeFor(`localhost:${port}`, 'bench'));
for (let index = 0; index < Number(extraRoutes); index += 1) {
  routes.push(routeFor(`api${index}.example.com`, `other${index}`));
}
const policy = compilePolicy([
  { id: 'no-deletes', effect: 'deny', methods: ['DELETE'] },
  { id: 'no-admin', effect: 'deny', paths: ['/admin/**'] },
]);

function routeFor(text: string, provider: string): Route {
  const pattern = parseHostPattern(text);
  return {
    id: `${provider}:${text}`,
    provider,
    source: 'bundled',
    connection: 'default',
    isApproved: true,
    pattern,
    placements: [{ kind: 'header', name: 'Authorization', prefix: 'Bearer ' }],
    allowPrivateAddress: true,
    scrub: true,
  };
}

const credential = { version: 1, secret: 'the-real-secret-of-usual-length' };
const proxy = await startProxy({
  listenHost: '127.0.0.1',
  listenPort: 0,
  connect: (target) => dialer.connect(target),
  connectTls: (target) => dialer.connectTls(target),
  forbiddenTargets: [{ host: '127.0.0.1', port: 7998 }],
  decisions: {
    record: (decision) => trail.append(decision),
    failed: (failure) => trail.append(failure),
    get congested() {
      return trail.pending >= 4096;
    },
    drained: () => trail.flush(),
  },
  nowMs: Date.now,
  randomBytes,
});
const run = await proxy.openRun({
  id: 'run_bench',
  identity: 'bench',
  routes: compileRoutes(routes),
  credentials: { peek: () => credential, acquire: async () => credential, renew: async () => undefined },
  decide: policy,
  // The first is what the load sends.
  phantoms: ['phantom-value-of-usual-length', 'ghp_phantom0123456789abcdefghijklmnopqrs'].map((value) => ({
    value,
    connection: 'bench/default',
    isInRun: true,
  })),
});
writeFileSync(caFile, run.caPem);

const loopback = (port: string) => ({ host: '127.0.0.1', port: Number(port), noDelay: true });

const pipe = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
  pipeBoth(client, connect({ ...loopback(http1), allowHalfOpen: true }));
});

const hosts = ['localhost'];
const authority = createCertificateAuthority({ runId: 'relay', hosts, nowMs: Date.now, randomBytes });
appendFileSync(caFile, authority.pem);
const ca = readFileSync(upstreamCa, 'utf8');
const relay = createServer({ noDelay: true }, (client) => {
  client.on('error', () => client.destroy());
  // What comes first is a CONNECT, perhaps in pieces; where it leads is known.
  let head = '';
  const onData = (chunk: Buffer): void => {
    head += chunk.toString('latin1');
    if (!head.endsWith('\r\n\r\n')) return;
    client.off('data', onData);
    client.write('HTTP/1.1 200 OK\r\n\r\n');
    const secureContext = authority.contextFor('localhost');
    const inner = new TLSSocket(client, { isServer: true, secureContext, ALPNProtocols: ['http/1.1'] });
    const outer = connectTls({ ...loopback(http1), servername: 'localhost', ca });
    pipeBoth(inner, outer.setNoDelay(true));
  };
  client.on('data', onData);
});

function pipeBoth(client: Socket, upstream: Socket): void {
  client.on('error', () => upstream.destroy());
  upstream.on('error', () => client.destroy());
  client.pipe(upstream);
  upstream.pipe(client);
}

async function portOf(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

const { username, password } = new URL(run.proxyUrl);
const ready = {
  port: proxy.port,
  auth: `${username}:${password}`,
  pipe: await portOf(pipe),
  relay: await portOf(relay),
};
process.stdout.write(`${JSON.stringify(ready)}\n`);
