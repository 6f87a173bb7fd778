import { createServer, type Server, type Socket } from 'node:net';
import { AuthsomeError } from '../errors.ts';
import { hearAgain } from './authorize/index.ts';
import { createCertificateAuthority, createKeySupply } from './ca/index.ts';
import { admit, SpokenProtocols } from './connect/index.ts';
import { type Context, createWay, type Owner } from './context.ts';
import type { Patience, ProxyOptions, Run, Proxy as RunningProxy, RunSpec } from './contract.ts';
import { createDecisionIds } from './decide/index.ts';
import { UpstreamPool } from './http1-relay/index.ts';
import { IdleWatch, LiveRun, proxyUrl, TokenRegistry } from './runs/index.ts';

const minuteMs = 60_000;

const usualPatience: Patience = {
  headMs: 30_000,
  keepAliveMs: 5 * minuteMs,
  exchangeMs: 20 * minuteMs,
  tunnelMs: 120 * minuteMs,
  halfClosedMs: 5 * minuteMs,
  lingerMs: 5_000,
  upstreamMs: minuteMs,
};

const maxTickMs = 1_000;
const tokenBytes = 32;

/** A listening proxy, with no run yet: until one is opened, everybody is refused. */
export async function startProxy(options: ProxyOptions): Promise<RunningProxy> {
  const patience = { ...usualPatience, ...options.patience };
  const watch = new IdleWatch(
    Math.min(maxTickMs, ...Object.values(patience).map((limit) => Math.max(5, limit / 4))),
  );
  const keys = createKeySupply();
  const owners = new TokenRegistry<Owner>();
  const sockets = new Set<Socket>();
  const open = new Map<string, { readonly owner: Owner; readonly token: string }>();
  const server = createServer({ allowHalfOpen: true, noDelay: true, highWaterMark: 64 * 1024 });
  const address = await listen(server, options.listenHost, options.listenPort);
  const context: Context = {
    options,
    decisions: options.decisions,
    nextDecisionId: createDecisionIds(options.randomBytes),
    patience,
    watch,
    owners,
    way: createWay(options, () => [...options.forbiddenTargets, address]),
    spoken: new SpokenProtocols(options.nowMs),
  };
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => {});
    admit(socket, context);
  });

  const endRun = (id: string): void => {
    const entry = open.get(id);
    if (entry === undefined) return;
    open.delete(id);
    entry.owner.run.ended = true;
    owners.remove(entry.token);
    entry.owner.run.cut();
    entry.owner.pool.drop();
  };

  return {
    ...address,
    async openRun(spec: RunSpec): Promise<Run> {
      const authority = createCertificateAuthority({
        runId: spec.id,
        hosts: spec.routes.routes.map((route) => route.pattern.host),
        keys: keys.take(),
        nowMs: options.nowMs,
        randomBytes: options.randomBytes,
      });
      const token = Buffer.from(options.randomBytes(tokenBytes)).toString('base64url');
      const run = new LiveRun(spec, authority);
      const owner = { run, pool: new UpstreamPool(watch, patience.upstreamMs) };
      open.set(spec.id, { owner, token });
      owners.add(token, owner);
      return {
        id: spec.id,
        proxyUrl: proxyUrl(address.host, address.port, token),
        caPem: authority.pem,
        replaceRoutes(routes) {
          run.routes = routes;
          hearAgain(run);
        },
        judgeAgain: () => hearAgain(run),
        dropConnection(connection) {
          run.cutConnection(connection, takenAway(connection));
          owner.pool.drop(connection);
        },
        end: () => endRun(spec.id),
      };
    },
    async close() {
      for (const id of [...open.keys()]) endRun(id);
      watch.close();
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

function takenAway(connection: string): AuthsomeError {
  return new AuthsomeError('CredentialMissing', `${connection} was revoked, replaced or removed meanwhile`);
}

function listen(
  server: Server,
  host: string,
  port: number,
): Promise<{ readonly host: string; readonly port: number }> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port, exclusive: true, backlog: 1024 }, () => {
      server.off('error', reject);
      const address = server.address();
      resolve({ host, port: typeof address === 'object' && address !== null ? address.port : port });
    });
  });
}
