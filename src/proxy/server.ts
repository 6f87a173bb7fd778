import { createServer, type Server, type Socket } from 'node:net';
import { AuthsomeError } from '../errors.ts';
import type { PeerCheck } from '../peers/index.ts';
import { hostsOf } from '../providers/index.ts';
import { reauthorize } from './authorize/index.ts';
import { createCertificateAuthority, createKeySupply } from './ca/index.ts';
import { admit } from './connect/index.ts';
import type { Context, Owner } from './context.ts';
import type { ProxyOptions, Run, Proxy as RunningProxy, RunSpec, Timeouts } from './contract.ts';
import { createDecisionIds } from './decide/index.ts';
import { IdleMonitor, LiveRun, proxyUrl, TokenRegistry } from './runs/index.ts';
import { AlpnCache, createUpstreamDialer, UpstreamPool } from './upstream/index.ts';

const anybody: PeerCheck = { allowed: true, settled: Promise.resolve(true) };
const minuteMs = 60_000;

const usualTimeouts: Timeouts = {
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

/** Starts a proxy that listens, but has no run yet: until one is opened, it refuses every request. */
export async function startProxy(options: ProxyOptions): Promise<RunningProxy> {
  const timeouts = { ...usualTimeouts, ...options.timeouts };
  const idleMonitor = new IdleMonitor(
    Math.min(maxTickMs, ...Object.values(timeouts).map((limit) => Math.max(5, limit / 4))),
  );
  const keys = createKeySupply();
  const owners = new TokenRegistry<Owner>();
  const sockets = new Set<Socket>();
  const open = new Map<string, { readonly owner: Owner; readonly token: string }>();
  const server = createServer({ allowHalfOpen: true, noDelay: true, highWaterMark: 64 * 1024 });
  const address = await listen(server, options.listenHost, options.listenPort);
  const context: Context = {
    options,
    checkPeer: options.checkPeer ?? (() => anybody),
    decisions: options.decisions,
    nextDecisionId: createDecisionIds(options.randomBytes),
    timeouts,
    idleMonitor,
    owners,
    dialer: createUpstreamDialer(options, () => [...options.forbiddenTargets, address]),
    alpnCache: new AlpnCache(options.nowMs),
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
    isOwn: (target) => context.dialer.isOwn(target),
    async openRun(spec: RunSpec): Promise<Run> {
      const authority = createCertificateAuthority({
        runId: spec.id,
        hosts: hostsOf(spec.routes),
        keys: keys.take(),
        nowMs: options.nowMs,
        randomBytes: options.randomBytes,
      });
      const token = Buffer.from(options.randomBytes(tokenBytes)).toString('base64url');
      const run = new LiveRun(spec, authority);
      const owner = { run, pool: new UpstreamPool(idleMonitor, timeouts.upstreamMs) };
      open.set(spec.id, { owner, token });
      owners.add(token, owner);
      return {
        id: spec.id,
        proxyUrl: proxyUrl(address.host, address.port, token),
        caPem: authority.pem,
        replaceRoutes(routes, phantoms) {
          run.replaceRoutes(routes, phantoms);
          reauthorize(run);
        },
        reauthorize: () => reauthorize(run),
        dropConnection(connection) {
          run.cutConnection(connection, takenAway(connection));
          owner.pool.drop(connection);
        },
        end: () => endRun(spec.id),
      };
    },
    async close() {
      for (const id of [...open.keys()]) endRun(id);
      idleMonitor.close();
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

function takenAway(connection: string): AuthsomeError {
  return new AuthsomeError('CredentialMissing', `${connection} has since been revoked, replaced or removed`);
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
