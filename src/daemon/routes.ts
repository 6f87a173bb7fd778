import {
  adoptionRoutes,
  auditRoutes,
  authenticate,
  authSessionRoutes,
  connectionRoutes,
  daemonRoutes,
  openRoutes,
  type PeerGateOptions,
  type PublicAddress,
  pageRoutes,
  peerGate,
  probeRoutes,
  providerRoutes,
  type Routes,
  requireRole,
  runGuard,
  runPreviewRoutes,
  runRoutes,
  scanRoutes,
  signResponses,
  vaultRoutes,
} from '../api/index.ts';
import type { Caller, Principals, Tenant } from '../principals/index.ts';
import type { Daemon, StartOptions } from './contract.ts';
import { doctorChecks, doctorDocument, readyDocument } from './health/index.ts';
import { failureLog } from './log/index.ts';
import type { Runtime } from './runtime.ts';
import type { Stores } from './stores.ts';

export interface RoutesOptions {
  readonly start: StartOptions;
  readonly stores: Stores;
  readonly runtime: Runtime;
  readonly gate: PeerGateOptions;
  readonly url: string;
  /** Of `server/daemon.json`. */
  readonly secret: Uint8Array;
  /** The public name of this start. */
  readonly instance: string;
  /** `undefined` where only this machine calls. */
  readonly publicAddress: PublicAddress | undefined;
  readonly stop: Daemon['stop'];
}

/** All that the daemon answers: the pages and what anybody may ask, then the signed API. */
export function routesOf(options: RoutesOptions): readonly Routes[] {
  const { start, stores, runtime, gate, url, secret, instance, publicAddress, stop } = options;
  const { home, settings, version, log, nowMs, randomBytes } = start;
  const { principals, strangers } = stores;
  const { outbound, tenants, redirectUri, runs, peers, callers } = runtime;
  const { pid } = process;
  const monotonicMs = () => performance.now();
  const clockOffsetMs = nowMs() - monotonicMs();
  const checksOf = (visible: () => Promise<readonly Tenant[]>) =>
    doctorChecks({
      ...stores,
      home,
      settings,
      tenants: visible,
      extraRoots: outbound.extraRoots,
      proxies: outbound.proxies,
      nowMs,
      monotonicMs,
      clockOffsetMs,
    });
  const allChecks = checksOf(() => tenants.openAll());
  const doctor = ({ principal }: Caller) =>
    doctorDocument(
      principal.role === 'admin' ? allChecks : checksOf(async () => [await tenants.open(principal)]),
    );
  const admit: Principals['admit'] = (verified, isFromHome) => principals.admit(verified, isFromHome);
  const onUnknownCallback = (): void => strangers.note('callback');
  return [
    openRoutes({ version, pid, ready: () => readyDocument(allChecks) }),
    pageRoutes({
      tenants,
      callers,
      peers,
      runs,
      failures: failureLog(log),
      randomBytes,
      peerGate: gate,
      origin: url,
      onUnknownCallback,
    }),
    (app) => app.use('/v1/*', peerGate(gate)),
    (app) => {
      if (publicAddress === undefined) return;
      app.use('/v1/*', signResponses({ address: publicAddress, instance, nowMs }));
    },
    (app) =>
      app.use('/v1/*', authenticate({ secret, instance, publicOrigin: publicAddress?.origin, nowMs, admit })),
    (app) => app.use('/v1/*', requireRole()),
    (app) => app.use('/v1/*', runGuard({ callers, peers, runs, tenants })),
    daemonRoutes({
      version,
      pid,
      home: home.path,
      url,
      tenants,
      liveRuns: () => runs.count,
      doctor,
      stop,
    }),
    providerRoutes({
      tenants,
      redirectUri,
      fetch: outbound.fetchFor({ publicOnly: false }),
      onChange: () => runs.providersChanged(),
    }),
    connectionRoutes(tenants),
    probeRoutes(tenants),
    adoptionRoutes(tenants),
    authSessionRoutes(tenants, gate),
    auditRoutes(tenants),
    runRoutes({ runs, tenants, callers, peers }),
    runPreviewRoutes({ runs, tenants, callers, peers }),
    vaultRoutes(tenants),
    scanRoutes({ tenants }),
  ];
}
