import { setTimeout as sleep } from 'node:timers/promises';
import { ticketPath } from '../api/index.ts';
import { type Callers, createCallers, createPeers, type Peers, procTable } from '../peers/index.ts';
import { createTenants, type Tenants } from '../principals/index.ts';
import { type Proxy as RunProxy, startProxy } from '../proxy/index.ts';
import { createDecisionSink, createRoots, RunAudits, Runs, removeStaleRuns } from '../runs/index.ts';
import type { Closers } from './closers.ts';
import type { StartOptions } from './contract.ts';
import type { Listener } from './listener.ts';
import { unexpectedFields } from './log/index.ts';
import { createOutbound, type Outbound } from './outbound.ts';
import type { Stores } from './stores.ts';

/** What works while the daemon is up. */
export interface Runtime {
  readonly outbound: Outbound;
  readonly tenants: Tenants;
  readonly redirectUri: string;
  readonly peers: Peers;
  readonly callers: Callers;
  readonly proxy: RunProxy;
  readonly runs: Runs;
  /** Resolves once all that providers have granted is stored, or after a grace period. */
  settle(): Promise<void>;
}

/** How long a stop waits for a provider that is about to answer; the client waits a little longer for the stop. */
const exchangeGraceMs = 10_000;

/** Opens the services of all principals, the proxy and the runs, and adds each to `closers` as it opens. */
export async function createRuntime(
  options: StartOptions,
  stores: Stores,
  listener: Listener,
  closers: Closers,
): Promise<Runtime> {
  const { settings, home, log, environment, nowMs, randomBytes } = options;
  const { storage, trail, strangers, principals, catalog, keychain, rules } = stores;
  const url = `http://${listener.address}`;
  const redirectUri = `${url}/auth/callback/oauth`;
  const peers = createPeers({
    self: process.getuid?.(),
    allowed: settings.allowedUsers,
    platform: process.platform,
  });
  // Beside the arrival of the request, which then need not wait for it.
  listener.onConnection((socket) => peers.check(socket, 'now'));
  const monotonicMs = (): number => performance.now();
  const callers = createCallers({ peers, table: procTable, runs: home.runs, monotonicMs });
  const outbound = createOutbound(settings, environment);
  const tenants = createTenants({
    principals,
    storage,
    masterKey: settings.masterKey,
    masterKeyFile: settings.masterKeyFile,
    passphrase: options.passphrase,
    serverDirectory: home.server,
    keychain,
    catalog,
    policy: rules.policy,
    fetchFor: outbound.fetchFor,
    trail,
    redirectUri,
    clientMetadataUrl: settings.clientMetadataUrl,
    ticketUrl: (sessionId, ticket) => url + ticketPath(sessionId, ticket),
    nowMs,
    randomBytes,
  });
  let settled: Promise<void> | undefined;
  const settle = (): Promise<void> => {
    settled ??= Promise.race([tenants.close(), sleep(exchangeGraceMs, undefined, { ref: false })]);
    return settled;
  };
  closers.add(settle);
  // Before the proxy: with a wrong master key, or a keychain that is locked, the daemon cannot start.
  await tenants.openAll();

  const audits = new RunAudits();
  const proxy = await startProxy({
    listenHost: settings.listenHost,
    listenPort: 0,
    connect: (target) => outbound.dialer.connect(target),
    connectTls: (target) => outbound.dialer.connectTls(target),
    forbiddenTargets: [...listener.names].map((name) => ({
      host: new URL(`http://${name}`).hostname,
      port: listener.port,
    })),
    decisions: createDecisionSink({ trail, audits, strangers, nowMs }),
    checkPeer: (client) => peers.check(client, 'soon'),
    nowMs,
    randomBytes,
  });
  closers.add(() => proxy.close());
  await removeStaleRuns(home.runs);
  const runs = new Runs({
    proxy,
    directory: home.runs,
    roots: createRoots(),
    overrides: { resolved: settings.resolveOverrides, extraRootFiles: settings.extraCaFiles },
    audits,
    randomBytes,
    processOf: async (client) => {
      const found = await callers.find(client, undefined);
      const [process] = found.kind === 'known' ? found.lineage : [];
      return process === undefined ? {} : { pid: process.pid, program: process.program };
    },
  });
  closers.add(() => runs.endAll());
  trail.onEvent((event) => runs.noticed(event));
  const inBackground = (work: Promise<void>): void => {
    work.catch((error) =>
      log.error('a live run could not be updated with its new routes or rules', unexpectedFields(error)),
    );
  };
  rules.onChange(() => inBackground(runs.rulesChanged()));
  tenants.onChange((tenant, change) => inBackground(runs.connectionChanged(tenant, change)));
  return { outbound, tenants, redirectUri, peers, callers, proxy, runs, settle };
}
