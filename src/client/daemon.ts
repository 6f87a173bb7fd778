import { askPerson } from '../command-line.ts';
import { AuthsomeError } from '../errors.ts';
import { isInsideRun } from './daemon-environment.ts';
import type { DaemonOptions } from './daemon-options.ts';
import { apiVersion, readDaemonRecord } from './daemon-record.ts';
import { type Call, type Endpoint, readDocument, type Signer, send } from './exchange.ts';
import { endpointOf, probe, probeIdleMs } from './probe.ts';
import type { DaemonRecord, StopDocument } from './wire.ts';

/** The daemon for this home, if it is running and has proved that it is. Starts nothing. */
export async function findDaemon(options: DaemonOptions): Promise<DaemonRecord | undefined> {
  const record = readDaemonRecord(options.settings.home);
  if (record === undefined) return undefined;
  return (await probe(record, options)) === 'ours' ? record : undefined;
}

/**
 * The daemon for this home, started in the background if it is not running. Of several callers at once, one starts it.
 * Throws what kept it from starting; `AddressInUse` when another process uses its port.
 */
export async function ensureDaemon(options: DaemonOptions, passphrase?: string): Promise<DaemonRecord> {
  // Loaded only to start a daemon: every other command does without it.
  const { startDaemon } = await import('./start/start.ts');
  return startDaemon(options, passphrase);
}

/**
 * A daemon that this client can work with: the one of `record`, or the one that replaced it, because it had another
 * version and no live runs. Inside a run, there is a live run.
 */
export async function currentDaemon(record: DaemonRecord, options: DaemonOptions): Promise<DaemonRecord> {
  if (record.version === options.version) return record;
  if (options.run !== undefined && record.api === apiVersion) return record;
  const stopped = await preflight(options)
    .then(() => askToStop(record, options, 'idle'))
    .catch(() => undefined);
  if (stopped?.stopping === true && stopped.live_runs === 0) {
    const { waitForExit } = await import('./stop.ts');
    await waitForExit(record, options.settings.home);
    return ensureDaemon(options);
  }
  if (record.api === apiVersion) return record;
  throw new AuthsomeError(
    'DaemonUnavailable',
    `the running daemon has version ${record.version}, which authsome ${options.version} cannot use`,
    { hint: 'Once its runs can be interrupted, run: authsome daemon restart' },
  );
}

/**
 * The daemon that replaces the running one, even while that has runs. Throws `WrongMasterKey`, and leaves the old one
 * running, if this shell cannot get the vault's key: the variable with the key may be set only in another shell. Asks for
 * the vault's passphrase first, where it has one.
 */
export async function restartDaemon(options: DaemonOptions): Promise<DaemonRecord> {
  if (readDaemonRecord(options.settings.home) === undefined) return ensureDaemon(options);
  const { withPassphrase } = await import('./start/passphrase.ts');
  const typed = await withPassphrase(options, async (passphrase) => {
    await preflight(options, passphrase);
    return passphrase;
  });
  await stopDaemon(options, 'now');
  // Asked once: the daemon that starts now needs what the check has just opened the vault with.
  return ensureDaemon(options, typed);
}

async function preflight(options: DaemonOptions, passphrase?: string): Promise<void> {
  const { preflightStart } = await import('./start/preflight.ts');
  await preflightStart(options, passphrase);
}

/**
 * The daemon's response to being stopped; `undefined` when none is running. With `now`, or `idle` and no live runs,
 * resolves once it is gone. With `now`, one that hangs is killed.
 */
export async function stopDaemon(
  options: DaemonOptions,
  when: 'now' | 'idle',
): Promise<StopDocument | undefined> {
  const { home } = options.settings;
  const record = readDaemonRecord(home);
  if (record === undefined) return undefined;
  let response: StopDocument;
  try {
    if ((await probe(record, options)) !== 'ours') return undefined;
    response = await askToStop(record, options, when);
  } catch (error) {
    if (when !== 'now' || !isSilence(error)) throw error;
    // A daemon that does not respond cannot refuse it itself.
    if (await isInsideRun(options.launch.environment, home)) throw stopDenied();
    const { killHanging } = await import('./stop.ts');
    if (!(await killHanging(record, home))) throw error;
    return { v: 1, stopping: true, live_runs: 0 };
  }
  if (response.stopping && (when === 'now' || response.live_runs === 0)) {
    const { waitForExit } = await import('./stop.ts');
    await waitForExit(record, home);
  }
  return response;
}

function stopDenied(): AuthsomeError {
  return new AuthsomeError('DeniedInRun', 'not from inside a run: stopping the daemon', {
    hint: askPerson('authsome daemon stop'),
  });
}

function isSilence(error: unknown): boolean {
  return error instanceof AuthsomeError && error.code === 'DaemonUnavailable';
}

async function askToStop(record: DaemonRecord, signer: Signer, when: 'now' | 'idle'): Promise<StopDocument> {
  const call: Call = { method: 'POST', target: '/v1/daemon/stop', body: { when }, idleMs: 30_000 };
  const response = await send(endpointOf(record), signer, call);
  return (await readDocument(response, record.url)) as StopDocument;
}

/**
 * The response to a call whose body contains a secret. The body is sent only on a connection whose other end has just
 * proved that it is the daemon. So a stranger on a dead daemon's port never sees it.
 */
export async function sendToVerifiedDaemon(endpoint: Endpoint, signer: Signer, call: Call): Promise<unknown> {
  const { Agent } = await import(endpoint.origin.startsWith('https:') ? 'node:https' : 'node:http');
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  try {
    const opening: Call = { method: 'GET', target: '/v1/whoami', idleMs: probeIdleMs };
    const proof = await send(endpoint, signer, opening, { agent });
    const { socket } = proof;
    for await (const _ of proof) {
      // Read to its end, which frees the connection for the call itself.
    }
    return await readDocument(await send(endpoint, signer, call, { agent, onlyOn: socket }), endpoint.origin);
  } finally {
    agent.destroy();
  }
}

/** Removes the master key of a home that is gone from the keychain; whether it was there. */
export async function forgetKeychain(options: DaemonOptions): Promise<boolean> {
  const forgetting = await import('./forget-keychain.ts');
  return forgetting.forgetKeychain(options);
}

/** The error for a port that another process uses, with its name and what to do; for `daemon serve` itself. */
export async function addressInUse(host: string, port: number): Promise<AuthsomeError> {
  const { describeHolder } = await import('./port-holder.ts');
  return describeHolder(host, port);
}
