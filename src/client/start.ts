import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { AuthsomeError } from '../errors.ts';
import { parseJson } from '../json.ts';
import { fileFailure, makePrivateDirectory } from '../private-files/index.ts';
import type { DaemonOptions } from './daemon.ts';
import { daemonEnvironment } from './daemon-environment.ts';
import { readDaemonRecord } from './daemon-record.ts';
import { errorOf } from './exchange.ts';
import { isAlive } from './liveness.ts';
import { describeHolder, findPortHolder, isAuthsomeDaemon } from './port-holder.ts';
import { probe } from './probe.ts';
import { removeStartLock, takeStartLock } from './start-lock.ts';
import type { DaemonRecord } from './wire.ts';

const startTimeoutMs = 30_000;
const exitTimeoutMs = 15_000;
const pollMs = 10;
// Windows has neither of these flags.
const noFollow = constants.O_NOFOLLOW ?? 0;
const nonBlocking = constants.O_NONBLOCK ?? 0;
/** Nobody holds the lock for longer: a start takes less, or is given up. */
const longestStartMs = 2 * startTimeoutMs;
/** How much of the log's end is searched for what the daemon said last. */
const tailBytes = 64 * 1024;

/** The proven daemon of this home, started first unless it runs. */
export async function startDaemon(options: DaemonOptions): Promise<DaemonRecord> {
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
        // Whoever held the lock before may have started one since the look above.
        return (await runningDaemon(options)) ?? (await launch(options, deadlineMs));
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
  // A stranger on a port that this home would not use anyway is of no concern.
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

/** Whether the record changed between reading it and the probe's answer: a daemon that was just replaced. */
async function wasReplaced(record: DaemonRecord, { settings }: DaemonOptions): Promise<boolean> {
  const now = readDaemonRecord(settings.home);
  return now !== undefined && now.secret !== record.secret;
}

async function launch(options: DaemonOptions, deadlineMs: number): Promise<DaemonRecord> {
  const { settings, launch: program } = options;
  const logFile = join(settings.home, 'logs', 'daemon.log');
  const { O_WRONLY, O_APPEND, O_CREAT } = constants;
  let log: number;
  try {
    log = openSync(logFile, O_WRONLY | O_APPEND | O_CREAT | noFollow | nonBlocking, 0o600);
  } catch (error) {
    throw fileFailure(logFile, 'written', error);
  }
  const logStart = fstatSync(log).size;
  let child: ChildProcess;
  try {
    child = spawn(program.execPath, [program.entry, 'daemon', 'serve'], {
      cwd: settings.home,
      // Its own session: neither the terminal's Ctrl-C nor its end reaches it.
      detached: true,
      stdio: ['ignore', log, log],
      env: daemonEnvironment(program.environment, settings.home),
      windowsHide: true,
    });
  } finally {
    closeSync(log);
  }
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
    if (end !== undefined) return afterFailure(options, end, lastError(logFile, logStart));
    await delay(pollMs);
  }
  throw tooSlow();
}

/**
 * Throws `WrongMasterKey` when a daemon started now would not find the key of its vault. Nothing else is foreseen: a
 * restart mends more than it breaks.
 */
export async function rehearseStart({ settings, launch: program }: DaemonOptions): Promise<void> {
  const child = spawn(program.execPath, [program.entry, 'daemon', 'serve', '--check'], {
    cwd: settings.home,
    stdio: ['ignore', 'ignore', 'pipe'],
    env: daemonEnvironment(program.environment, settings.home),
    timeout: startTimeoutMs,
    windowsHide: true,
  });
  let text = '';
  child.stderr.setEncoding('utf8').on('data', (piece: string) => {
    text += piece;
  });
  await new Promise<void>((resolve) => {
    child.once('close', () => resolve()).once('error', () => resolve());
  });
  const error = lastErrorIn(text);
  if (error?.code !== 'WrongMasterKey') return;
  throw new AuthsomeError(error.code, `the daemon was not stopped, since ${error.message}`, {
    hint: `${error.hint ?? ''}\nRun this where the daemon was first started, or with the variables that it had there.`.trim(),
  });
}

/** What came of a daemon that ended at once: another one that was quicker, or the error that it reported. */
async function afterFailure(
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
  throw (
    reported ?? new AuthsomeError('DaemonUnavailable', `the daemon ended as soon as it was started (${end})`)
  );
}

function accepts(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: 500 });
    const settle = (answer: boolean) => () => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', settle(true)).once('error', settle(false)).once('timeout', settle(false));
  });
}

/** The error document that the daemon wrote last, among what was logged after `start`. */
function lastError(logFile: string, start: number): AuthsomeError | undefined {
  const descriptor = openSync(logFile, constants.O_RDONLY | nonBlocking);
  try {
    const { size } = fstatSync(descriptor);
    // A file smaller than it was took the place of one that was full.
    const from = Math.max(start > size ? 0 : start, size - tailBytes);
    const bytes = Buffer.alloc(Math.max(0, size - from));
    readSync(descriptor, bytes, 0, bytes.length, from);
    return lastErrorIn(bytes.toString('utf8'));
  } finally {
    closeSync(descriptor);
  }
}

function lastErrorIn(text: string): AuthsomeError | undefined {
  for (const line of text.split('\n').reverse()) {
    const error = line.startsWith('{') ? errorOf(parseJson(line)) : undefined;
    if (error !== undefined) return error;
  }
  return undefined;
}

/** Resolves when the process of a record that was asked to stop has gone. */
export async function waitForExit(record: DaemonRecord, home: string): Promise<void> {
  for (let waitedMs = 0; waitedMs < exitTimeoutMs; waitedMs += pollMs) {
    if (!isAlive(record.pid)) return;
    // In containers a zombie's pid stays; the record it removed on leaving says as much.
    const now = readDaemonRecord(home);
    if (now?.secret !== record.secret && !(await acceptsAt(record))) return;
    await delay(pollMs);
  }
  throw new AuthsomeError('DaemonUnavailable', `the daemon (pid ${record.pid}) does not stop`, {
    hint: `Run: kill -9 ${record.pid}`,
  });
}

/**
 * Whether the daemon of a record was killed because it no longer answers. Only the process that holds the record's port
 * is: its number alone could have been given to another one since.
 */
export async function killHanging(record: DaemonRecord, home: string): Promise<boolean> {
  const holder = await findPortHolder(Number(new URL(record.url).port || 80));
  if (holder?.pid !== record.pid) return false;
  process.kill(record.pid, 'SIGKILL');
  await waitForExit(record, home);
  return true;
}

function acceptsAt({ url }: DaemonRecord): Promise<boolean> {
  const { hostname, port } = new URL(url);
  return accepts(hostname.replace(/^\[|\]$/g, ''), Number(port || 80));
}

function tooSlow(): AuthsomeError {
  return new AuthsomeError(
    'DaemonUnavailable',
    `the daemon was not ready within ${startTimeoutMs / 1000} seconds`,
  );
}
