import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { auditMigrations, openAuditTrail } from '../../src/audit/index.ts';
import { migrate, openDatabase } from '../../src/database/index.ts';
import { createDialer } from '../../src/network/index.ts';
import { compilePolicy } from '../../src/policy/index.ts';
import { parseHostPattern } from '../../src/providers/host-pattern.ts';
import { compileRoutes, type Route } from '../../src/providers/index.ts';
import { startProxy } from '../../src/proxy/index.ts';

/**
 * The proxy as the daemon runs it, in a process of its own: real dialler, routes, policy and audit trail on disk. Only
 * the credential is a constant. Beside it a bare `net` pipe pair, as the ceiling of what Node can do.
 */
const [caFile = '', upstreamCa = '', databaseFile = '', http1 = '', http2 = '', extraRoutes = '0'] =
  process.argv.slice(2);

const database = await openDatabase(databaseFile);
migrate(database, auditMigrations);
const trail = openAuditTrail({ database, nowMs: Date.now, randomBytes });
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
    connection: 'default',
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
});
writeFileSync(caFile, run.caPem);

const pipe = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
  const upstream = connect({ host: '127.0.0.1', port: Number(http1), noDelay: true, allowHalfOpen: true });
  client.on('error', () => upstream.destroy());
  upstream.on('error', () => client.destroy());
  client.pipe(upstream);
  upstream.pipe(client);
});
pipe.listen(0, '127.0.0.1', () => {
  const address = pipe.address();
  const { username, password } = new URL(run.proxyUrl);
  process.stdout.write(
    `${JSON.stringify({
      port: proxy.port,
      auth: `${username}:${password}`,
      pipe: typeof address === 'object' && address !== null ? address.port : 0,
    })}\n`,
  );
});
