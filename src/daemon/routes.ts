import {
  auditRoutes,
  authenticate,
  authSessionRoutes,
  connectionRoutes,
  daemonRoutes,
  openRoutes,
  pageRoutes,
  providerRoutes,
  type Routes,
  runRoutes,
  scanRoutes,
} from '../api/index.ts';
import type { Principals } from '../principals/index.ts';
import type { Daemon, StartOptions } from './contract.ts';
import { doctorChecks, doctorDocument, readyDocument } from './health/index.ts';
import { failureLog } from './log/index.ts';
import type { Runtime } from './runtime.ts';
import type { Stores } from './stores.ts';

export interface RoutesOptions {
  readonly start: StartOptions;
  readonly stores: Stores;
  readonly runtime: Runtime;
  readonly url: string;
  /** Of `server/daemon.json`. */
  readonly secret: Uint8Array;
  readonly startedAtMs: number;
  readonly stop: Daemon['stop'];
}

/** All that the daemon answers: the pages and what anybody may ask, then the signed API. */
export function routesOf(options: RoutesOptions): readonly Routes[] {
  const { start, stores, runtime, url, secret, startedAtMs, stop } = options;
  const { home, settings, version, log, nowMs, randomBytes } = start;
  const { trail, catalog, principals } = stores;
  const { wayOut, desks, openDesks, redirectUri, runs } = runtime;
  const { pid } = process;
  const checks = doctorChecks({
    ...stores,
    home,
    settings,
    desks: openDesks,
    extraRoots: wayOut.extraRoots,
    proxies: wayOut.proxies,
    nowMs,
    monotonicMs: () => performance.now(),
  });
  const doctor = () => doctorDocument(checks);
  const admit: Principals['admit'] = (verified, isFromHome) => principals.admit(verified, isFromHome);
  return [
    openRoutes({ version, pid, ready: () => readyDocument(checks) }),
    pageRoutes({ desks, catalog, failures: failureLog(log), randomBytes }),
    (app) => app.use('/v1/*', authenticate({ secret, nowMs, startedAtMs, admit })),
    daemonRoutes({ version, pid, home: home.path, url, desks, doctor, stop }),
    providerRoutes({
      desks,
      catalog,
      redirectUri,
      fetch: wayOut.fetchFor({ publicOnly: false }),
      trail,
      onChange: () => runs.providersChanged(),
    }),
    connectionRoutes(desks),
    authSessionRoutes(desks, catalog),
    auditRoutes(trail),
    runRoutes(runs, desks),
    scanRoutes({ desks, catalog, runs, randomBytes }),
  ];
}
