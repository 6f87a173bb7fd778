import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { AuthsomeError } from '../../errors.ts';
import { fileFailure, makePrivateDirectory } from '../../private-files/index.ts';
import { daemonEnvironment, isInsideRun, leftOutNote } from '../daemon-environment.ts';
import type { DaemonOptions } from '../daemon-options.ts';
import { readDaemonRecord } from '../daemon-record.ts';
import { describeHolder, isAuthsomeDaemon } from '../port-holder.ts';
import { probe } from '../probe.ts';
import type { DaemonRecord } from '../wire.ts';
import { passphraseArguments, sendPassphrase, withPassphrase } from './passphrase.ts';
import { lastErrorAfter } from './reported-error.ts';
import { removeStartLock, takeStartLock } from './start-lock.ts';

const startTimeoutMs = 30_000;
const pollMs = 10;
// Windows has neither of these flags.
const noFollow = constants.O_NOFOLLOW ?? 0;
const nonBlocking = constants.O_NONBLOCK ?? 0;
/** No process has the lock for longer: a start takes less, or is given up. */
const longestStartMs = 2 * startTimeoutMs;

/**
 * The daemon for this home, which has proved itself. Starts it unless it is running, with the passphrase of its vault: the
 * one that was `typed` before, else one that is asked for.
 */
export function startDaemon(options: DaemonOptions, typed?: string): Promise<DaemonRecord> {
  // The lock is free while a person types: others may start the daemon in the meantime.
  return withPassphrase(options, (passphrase) => startWith(options, passphrase ?? typed));
}

async function startWith(options: DaemonOptions, passphrase: string | undefined): Promise<DaemonRecord> {
  const { home } = options.settings;
  const deadlineMs = options.now() + startTimeoutMs;
  makePrivateDirectory(home);
  makePrivateDirectory(join(home, 'server'));
  makePrivateDirectory(join(home, 'logs'));
  const lock = join(home, 'server', 'start.lock');
  while (options.now() < deadlineMs) {
    const running = await runningDaemon(options);
    if (running !== undefined) return running;
    if (takeStartLock(lock, options.now(), longestStartMs)) {
      try {
        // The process that had the lock before may have started one by now.
        return (await runningDaemon(options)) ?? (await launch(options, deadlineMs, passphrase));
      } finally {
        removeStartLock(lock);
      }
    }
    await delay(pollMs);
  }
  throw tooSlow();
}

/** The daemon that the home's record names, if it proves itself. Throws `AddressInUse` for a stranger in its place. */
async function runningDaemon(options: DaemonOptions): Promise<DaemonRecord | undefined> {
  const record = readDaemonRecord(options.settings.home);
  if (record === undefined) return undefined;
  const who = await probe(record, options);
  if (who === 'ours') return record;
  // A stranger matters only on the port that this home would use.
  const { listenHost, listenPort } = options.settings;
  const { hostname, port } = new URL(record.url);
  if (who === 'stranger' && Number(port || 80) === listenPort && !(await wasReplaced(record, options))) {
    throw await describeHolder(
      listenHost === '0.0.0.0' ? listenHost : hostname.replace(/^\[|\]$/g, ''),
      listenPort,
    );
  }
  return undefined;
}

/** Whether the record changed between reading it and the probe's result: the daemon was just replaced. */
async function wasReplaced(record: DaemonRecord, { settings }: DaemonOptions): Promise<boolean> {
  const now = readDaemonRecord(settings.home);
  return now !== undefined && now.secret !== record.secret;
}

async function launch(
  options: DaemonOptions,
  deadlineMs: number,
  passphrase: string | undefined,
): Promise<DaemonRecord> {
  const logFile = join(options.settings.home, 'logs', 'daemon.log');
  const { environment } = options.launch;
  const isInside = await isInsideRun(environment, options.settings.home);
  const note = isInside ? leftOutNote(environment) : undefined;
  if (note !== undefined) options.onNewDaemon(note);
  const { child, logStart } = spawnDaemon(options, { logFile, passphrase, isInside });
  let end: string | undefined;
  child.once('exit', (code, signal) => {
    end = signal === null ? `exit code ${code}` : `signal ${signal}`;
  });
  child.once('error', (error: NodeJS.ErrnoException) => {
    end = error.code ?? error.name;
  });
  child.unref();

  while (options.now() < deadlineMs) {
    const running = await runningDaemon(options);
    if (running !== undefined) return running;
    if (end !== undefined) return explainExit(options, end, lastErrorAfter(logFile, logStart));
    await delay(pollMs);
  }
  throw tooSlow();
}

/** The daemon's process, with the offset in its log where its own lines begin. */
function spawnDaemon(
  { settings, launch: program }: DaemonOptions,
  {
    logFile,
    passphrase,
    isInside,
  }: {
    readonly logFile: string;
    readonly passphrase: string | undefined;
    readonly isInside: boolean;
  },
): { readonly child: ChildProcess; readonly logStart: number } {
  const log = openLog(logFile);
  try {
    const logStart = fstatSync(log).size;
    const args = [program.entry, 'daemon', 'serve', ...passphraseArguments(passphrase)];
    const child = spawn(program.execPath, args, {
      cwd: settings.home,
      // Its own session: neither the terminal's Ctrl-C nor its end reaches it.
      detached: true,
      stdio: [passphrase === undefined ? 'ignore' : 'pipe', log, log],
      env: daemonEnvironment(program.environment, settings.home, isInside),
      windowsHide: true,
    });
    sendPassphrase(child.stdin, passphrase);
    return { child, logStart };
  } finally {
    closeSync(log);
  }
}

function openLog(file: string): number {
  const { O_WRONLY, O_APPEND, O_CREAT } = constants;
  try {
    return openSync(file, O_WRONLY | O_APPEND | O_CREAT | noFollow | nonBlocking, 0o600);
  } catch (error) {
    throw fileFailure(file, 'written', error);
  }
}

/** Explains why a daemon exited during start: another one was quicker, or it reported an error. */
async function explainExit(
  options: DaemonOptions,
  end: string,
  reported: AuthsomeError | undefined,
): Promise<DaemonRecord> {
  const { listenHost, listenPort } = options.settings;
  if (reported?.code === 'AddressInUse') {
    // `daemon serve` typed by hand may have won the port and not have written its record yet.
    for (let waitedMs = 0; waitedMs < 1_000; waitedMs += 50) {
      const running = await runningDaemon(options);
      if (running !== undefined) return running;
      if (!(await isAuthsomeDaemon(listenHost, listenPort))) break;
      await delay(50);
    }
    throw await describeHolder(listenHost, listenPort);
  }
  throw reported ?? new AuthsomeError('DaemonUnavailable', `the daemon exited during start (${end})`);
}

function tooSlow(): AuthsomeError {
  return new AuthsomeError(
    'DaemonUnavailable',
    `the daemon was not ready within ${startTimeoutMs / 1000} seconds`,
  );
}
