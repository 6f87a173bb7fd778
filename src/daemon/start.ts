import { rmSync } from 'node:fs';
import { createApp, type PublicAddress, requireAllowedPeer } from '../api/index.ts';
import type { ApiVersion, DaemonRecord, StopDocument } from '../client/index.ts';
import { loadIdentity } from '../identity/index.ts';
import { procTable } from '../peers/index.ts';
import { Closers } from './closers.ts';
import type { Daemon, StartOptions } from './contract.ts';
import { maintainFile, watchFile } from './home/index.ts';
import { type Listener, listen, listenFailure } from './listener.ts';
import { failureLog, unexpectedFields } from './log/index.ts';
import { routesOf } from './routes.ts';
import { createRuntime } from './runtime.ts';
import { shutdown } from './shutdown.ts';
import { startedEvent, starterOf } from './started.ts';
import { openStores } from './stores.ts';

const apiVersion: ApiVersion = 1;

/** The daemon of a home, up and answering, with its record in `server/daemon.json`. A failed start leaves nothing open. */
export async function startDaemon(options: StartOptions): Promise<Daemon> {
  const closers = new Closers((thrown) => reportUnclosed(options, thrown));
  try {
    const listener = await openListener(options);
    closers.add(() => listener.close());
    return await assemble(options, listener, closers);
  } catch (error) {
    await closers.close();
    throw error;
  }
}

function reportUnclosed({ log }: StartOptions, thrown: unknown): void {
  log.error('something could not be closed', unexpectedFields(thrown));
}

async function openListener({ settings, addressInUse }: StartOptions): Promise<Listener> {
  const { listenHost, listenPort } = settings;
  try {
    return await listen(listenHost, listenPort);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') {
      throw await addressInUse(listenHost, listenPort);
    }
    throw listenFailure(error, listenHost, listenPort);
  }
}

async function assemble(options: StartOptions, listener: Listener, closers: Closers): Promise<Daemon> {
  const { home, version, log, randomBytes } = options;
  const url = `http://${listener.address}`;
  const secret = randomBytes(32);
  const instance = Buffer.from(randomBytes(16)).toString('base64url');
  const publicAddress = publicAddressOf(options);
  const stores = await openStores(options, closers);
  const runtime = await createRuntime(options, stores, listener, closers);

  let announceEnd: () => void = () => {};
  const stopped = new Promise<void>((resolve) => {
    announceEnd = resolve;
  });
  let isStopping = false;
  const stopNow = (): void => {
    if (isStopping) return;
    isStopping = true;
    // Not at once: the call that asked for it is answered first.
    setImmediate(async () => {
      const onFailure = (thrown: unknown): void => reportUnclosed(options, thrown);
      try {
        await shutdown({ listener, stores, runtime, closers, onFailure });
        if (databaseFile.isIntact()) rmSync(home.daemonFile, { force: true });
        log.info('stopped');
      } catch (thrown) {
        onFailure(thrown);
      } finally {
        announceEnd();
      }
    });
  };
  const stop = (when: 'now' | 'idle'): StopDocument => {
    const live = runtime.runs.count;
    if (when === 'now') stopNow();
    else void runtime.runs.idle().then(stopNow);
    return { v: 1, stopping: true, live_runs: live };
  };
  // A person who removes a home to start afresh wants its port back; and what is stored in a removed database is lost.
  const databaseFile = watchFile(home.databaseFile, () => {
    log.error('the home was removed or replaced: stopping', { path: home.databaseFile });
    stopNow();
  });
  closers.add(() => databaseFile.close());

  const publicNames = publicAddress === undefined ? [] : [new URL(publicAddress.origin).host];
  const names = new Set([...listener.names, ...publicNames]);
  const gate = { peers: runtime.peers, onRefused: () => stores.strangers.note('other-user') };
  const routes = routesOf({
    start: options,
    stores,
    runtime,
    gate,
    url,
    secret,
    instance,
    publicAddress,
    stop,
  });
  const app = createApp({
    allowedHosts: () => names,
    failures: failureLog(log),
    async onRefused(context) {
      await requireAllowedPeer(context, gate);
      stores.strangers.note('other-site');
    },
    routes,
  });
  listener.serve(app.fetch);
  const record: DaemonRecord = {
    v: 1,
    api: apiVersion,
    url,
    pid: process.pid,
    version,
    secret: Buffer.from(secret).toString('base64url'),
  };
  // Nobody finds a daemon without its record, and its lock keeps others from starting: a removed record is written again.
  const recordFile = maintainFile(home.daemonFile, `${JSON.stringify(record)}\n`, databaseFile.isIntact);
  closers.add(() => recordFile.close());
  const { settings } = options;
  const { extraRoots } = runtime.outbound;
  const startedBy = starterOf(process.pid, procTable, home.runs, process.execPath);
  stores.trail.append(startedEvent({ version, settings, extraRoots, startedBy }));
  log.info('listening', { url, version, ...(publicAddress && { key: publicAddress.key.did }) });
  return { url, stop, stopped };
}

/** The daemon's own key is made on first use, and is none of the callers' identities. */
function publicAddressOf({ settings, home, randomBytes }: StartOptions): PublicAddress | undefined {
  if (settings.isLocal) return undefined;
  const key = loadIdentity({ directory: home.server, handle: 'daemon', randomBytes });
  return { origin: settings.baseUrl, key };
}
