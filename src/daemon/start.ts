import { rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  auditRoutes,
  authenticate,
  authSessionRoutes,
  connectionRoutes,
  createApp,
  daemonRoutes,
  openRoutes,
  pagePath,
  pageRoutes,
  providerRoutes,
  runRoutes,
  scanRoutes,
} from '../api/index.ts';
import { observeTrail, openAuditTrail } from '../audit/index.ts';
import type { ApiVersion, DaemonRecord, StopDocument } from '../client/index.ts';
import type { AuthsomeError } from '../errors.ts';
import { createDesks, Principals } from '../principals/index.ts';
import { createCatalog, loadBundled, openDefinitionFolder } from '../providers/index.ts';
import { startProxy } from '../proxy/index.ts';
import { createDecisionSink, createRoots, createRuns, removeStaleRuns } from '../runs/index.ts';
import type { Settings } from '../settings.ts';
import { openStorage } from '../storage/index.ts';
import { systemKeychain } from '../vault/index.ts';
import { doctorChecks, doctorDocument, readyDocument } from './health/index.ts';
import type { Home } from './home/index.ts';
import { keepFile, watchFile } from './home/index.ts';
import { type Listener, listen, listenFailure } from './listener.ts';
import { failureLog, type Log, unexpectedFields } from './log/index.ts';
import { createWayOut } from './outbound.ts';
import { watchRules } from './rules.ts';

const apiVersion: ApiVersion = 1;

export interface StartOptions {
  readonly settings: Settings;
  /** Prepared, and locked by this process. */
  readonly home: Home;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly version: string;
  readonly log: Log;
  readonly addressInUse: (host: string, port: number) => Promise<AuthsomeError>;
  readonly nowMs: () => number;
  readonly randomBytes: (size: number) => Uint8Array;
}

export interface Daemon {
  readonly url: string;
  stop(when: 'now' | 'idle'): StopDocument;
  readonly stopped: Promise<void>;
}

/** The daemon of a home, up and answering, with its record in `server/daemon.json`. */
export async function startDaemon(options: StartOptions): Promise<Daemon> {
  const { settings } = options;
  let listener: Listener;
  try {
    listener = await listen(settings.listenHost, settings.listenPort);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') {
      throw await options.addressInUse(settings.listenHost, settings.listenPort);
    }
    throw listenFailure(error, settings.listenHost, settings.listenPort);
  }
  try {
    return await assemble(options, listener);
  } catch (error) {
    await listener.close();
    throw error;
  }
}

/** Older events are sealed into segment files under `logs/`: some 50 MB stay in the database. */
const keptAuditEvents = 100_000;

/** How long a stop waits for a provider that is about to answer; the client waits a little longer for the stop. */
const exchangeGraceMs = 10_000;

async function assemble(options: StartOptions, listener: Listener): Promise<Daemon> {
  const { settings, home, environment, version, log, nowMs, randomBytes } = options;
  const startedAtMs = nowMs();
  const url = `http://${listener.address}`;
  const secret = randomBytes(32);
  const redirectUri = `${url}/auth/callback/oauth`;
  const storage = await openStorage(home.databaseFile);
  // The home's lock is ours: a daemon that was killed in the middle of a refresh keeps nobody waiting.
  await storage.leases.freeAll();
  const trail = observeTrail(
    openAuditTrail({
      table: storage.audit,
      nowMs,
      randomBytes,
      archive: { directory: home.logs, keptEvents: keptAuditEvents },
    }),
  );
  const wayOut = createWayOut(settings, environment);
  const catalog = await createCatalog({
    bundled: await loadBundled(),
    custom: openDefinitionFolder(home.providers),
  });
  const keychain = systemKeychain({ account: home.path, environment: { ...environment } });
  const rules = watchRules(home.configFile, ({ ruleCount, problem }) => {
    trail.append({
      event: 'rules.changed',
      outcome: problem?.code ?? 'ok',
      detail: problem?.message ?? `${ruleCount} rules`,
    });
    inBackground(runs.rulesChanged());
  });
  const principals = new Principals({
    table: storage.principals,
    nowMs,
    randomBytes,
    onAdmitted: ({ handle, did }) =>
      trail.append({ event: 'identity.admitted', identity: handle, outcome: 'ok', detail: did }),
    onRefused: ({ handle, did }) =>
      trail.append({
        event: 'identity.refused',
        identity: handle,
        outcome: 'IdentityNotAllowed',
        detail: did,
      }),
  });
  const { dialer } = wayOut;
  const proxy = await startProxy({
    listenHost: settings.listenHost,
    listenPort: 0,
    connect: (target) => dialer.connect(target),
    connectTls: (target) => dialer.connectTls(target),
    forbiddenTargets: [...listener.names].map((name) => ({
      host: new URL(`http://${name}`).hostname,
      port: listener.port,
    })),
    decisions: createDecisionSink(trail, nowMs),
    nowMs,
    randomBytes,
  });
  await removeStaleRuns(home.runs);
  const runs = createRuns({
    proxy,
    directory: home.runs,
    roots: createRoots(),
    policy: rules.policy,
    catalog,
    trail,
    randomBytes,
  });
  const inBackground = (work: Promise<void>): void => {
    work.catch((error) =>
      log.error('a live run could not be given its new routes or rules', unexpectedFields(error)),
    );
  };
  const desks = createDesks({
    storage,
    masterKey: settings.masterKey,
    masterKeyFile: settings.masterKeyFile,
    serverDirectory: home.server,
    keychain,
    catalog,
    fetchFor: wayOut.fetchFor,
    trail,
    redirectUri,
    clientMetadataUrl: settings.clientMetadataUrl,
    pageUrl: (sessionId) => url + pagePath(sessionId),
    onChange: (desk, change) => inBackground(runs.connectionChanged(desk, change)),
    nowMs,
    randomBytes,
  });
  const openDesks = async () =>
    Promise.all((await principals.all()).map((principal) => desks.open(principal)));
  // A wrong master key, or a keychain that is locked, is for the start to report and not for some later call.
  await openDesks();
  const checks = doctorChecks({
    home,
    settings,
    storage,
    trail,
    catalog,
    keychain,
    desks: openDesks,
    rules,
    extraRoots: wayOut.extraRoots,
    proxies: wayOut.proxies,
    nowMs,
    monotonicMs: () => performance.now(),
  });

  let announceEnd: () => void = () => {};
  const stopped = new Promise<void>((resolve) => {
    announceEnd = resolve;
  });
  let isStopping = false;
  // Somebody who removes a home to start afresh wants its port back, and a database that nobody can find keeps nothing.
  const databaseFile = watchFile(home.databaseFile, () => {
    log.error('the home was removed or replaced: stopping', { path: home.databaseFile });
    stopNow();
  });
  const shutDown = async (): Promise<void> => {
    const closed = listener.close();
    const settled = Promise.race([desks.close(), sleep(exchangeGraceMs, undefined, { ref: false })]);
    await runs.endAll();
    await proxy.close();
    await closed;
    // A refresh token that was just spent has a successor on its way.
    await settled;
    trail.append({ event: 'daemon.stopped', outcome: 'ok' });
    await trail
      .flush()
      .catch((error) => log.error('the audit trail is not flushed', unexpectedFields(error)));
    await storage.close();
    recordFile.close();
    if (databaseFile.isIntact()) rmSync(home.daemonFile, { force: true });
    databaseFile.close();
    rules.close();
    log.info('stopped');
    announceEnd();
  };
  const stopNow = (): void => {
    if (isStopping) return;
    isStopping = true;
    // Not at once: the answer to the call that asked for it goes out first.
    setImmediate(() => void shutDown());
  };
  const stop = (when: 'now' | 'idle'): StopDocument => {
    const live = runs.count;
    if (when === 'now') stopNow();
    else void runs.idle().then(stopNow);
    return { v: 1, stopping: true, live_runs: live };
  };

  const failures = failureLog(log);
  const app = createApp({
    allowedHosts: () => listener.names,
    failures,
    routes: [
      openRoutes({ version, pid: process.pid, ready: () => readyDocument(checks) }),
      pageRoutes({ desks, catalog, failures, randomBytes }),
      (hono) =>
        hono.use(
          '/v1/*',
          authenticate({ secret, nowMs, startedAtMs, admit: (...call) => principals.admit(...call) }),
        ),
      daemonRoutes({
        version,
        pid: process.pid,
        home: home.path,
        url,
        desks,
        doctor: () => doctorDocument(checks),
        stop,
      }),
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
    ],
  });
  listener.serve(app.fetch);
  trail.append({ event: 'daemon.started', outcome: 'ok', detail: version });
  const record: DaemonRecord = {
    v: 1,
    api: apiVersion,
    url,
    pid: process.pid,
    version,
    secret: Buffer.from(secret).toString('base64url'),
  };
  // Without it nobody finds this daemon, nor can another one start: whoever removes it, thinking it stale, is put right.
  const recordFile = keepFile(home.daemonFile, `${JSON.stringify(record)}\n`, databaseFile.isIntact);
  log.info('listening', { url, version });
  return { url, stop, stopped };
}
