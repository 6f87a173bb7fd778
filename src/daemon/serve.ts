import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Environment } from '../environment.ts';
import { AuthsomeError, asAuthsomeError, errorDocument, exitCodeOf } from '../errors.ts';
import { loadSettings } from '../settings.ts';
import { type FileLock, lockFile } from '../storage/index.ts';
import type { Daemon } from './contract.ts';
import { checkMasterKey, homeAt, prepareHome, siblingIsHealthy } from './home/index.ts';
import { type Log, openLog, unexpectedFields } from './log/index.ts';
import { startDaemon } from './start.ts';

/** What the process was started with. */
export interface ServeOptions {
  readonly environment: Environment;
  readonly version: string;
  /** Only to tell whether the vault of this home could be opened from here. */
  readonly isCheck: boolean;
  /** The error for a port that something else holds: who that is, and what to do. */
  readonly addressInUse: (host: string, port: number) => Promise<AuthsomeError>;
}

/** Three files of this size are what a daemon keeps of its log. */
const maxLogBytes = 10 * 1024 * 1024;
const siblingTimeoutMs = 15_000;
const exitGraceMs = 2_000;

/**
 * The exit code, once the daemon has stopped. A failure to start is written to stderr: in words at a terminal, else as
 * an error document, the last line there. When this home has a healthy daemon already, there is nothing to do and
 * nothing to say: 0.
 */
export async function serveDaemon(options: ServeOptions): Promise<number> {
  // What `ps` and `pkill -f authsome` see, wherever the program is installed.
  process.title = 'authsome daemon serve';
  process.umask(0o077);
  let log: Log | undefined;
  try {
    const settings = loadSettings(options.environment);
    const home = homeAt(settings.home);
    if (options.isCheck) {
      await checkMasterKey(settings, home, options.environment);
      return 0;
    }
    prepareHome(home);
    log = openLog(2, settings.logLevel, { path: home.logFile, maxBytes: maxLogBytes });
    const lock = await claimHome(home.lockFile, home.daemonFile);
    if (lock === undefined) return 0;
    try {
      const daemon = await startDaemon({
        settings,
        home,
        environment: options.environment,
        version: options.version,
        log,
        addressInUse: options.addressInUse,
        nowMs: Date.now,
        randomBytes,
      });
      await stopped(daemon, log);
    } finally {
      lock.release();
    }
  } catch (thrown) {
    const error = asAuthsomeError(thrown);
    if (error.code === 'Unexpected') log?.error('the daemon cannot start', unexpectedFields(thrown));
    process.stderr.write(failureText(error, process.stderr.isTTY === true));
    endSoon(exitCodeOf(error.code));
    return exitCodeOf(error.code);
  }
  endSoon(0);
  return 0;
}

/** For a person at a terminal in words; for whoever started it in the background as a document. */
function failureText(error: AuthsomeError, isTerminal: boolean): string {
  if (!isTerminal) return `${JSON.stringify(errorDocument(error))}\n`;
  return `Error: ${error.message}\n${error.hint === undefined ? '' : `  ${error.hint}\n`}`;
}

/** The lock of the home, or `undefined` when a daemon that answers has it. */
async function claimHome(path: string, daemonFile: string): Promise<FileLock | undefined> {
  const deadline = performance.now() + siblingTimeoutMs;
  for (;;) {
    const lock = await lockFile(path);
    if (lock !== undefined) return lock;
    if (await siblingIsHealthy(daemonFile)) return undefined;
    if (performance.now() > deadline) {
      throw new AuthsomeError('DaemonUnavailable', 'another daemon of this home runs, but does not answer', {
        hint: 'Run: authsome daemon restart',
      });
    }
    await sleep(50);
  }
}

/** Resolves when the daemon has stopped, for whatever reason. A second signal does not wait for the first. */
async function stopped(daemon: Daemon, log: Log): Promise<void> {
  const onSignal = (signal: NodeJS.Signals): void => {
    log.info('stopping', { signal });
    daemon.stop('now');
  };
  const onUncaught = (error: unknown): void => log.error('unexpected error', unexpectedFields(error));
  process.on('SIGTERM', onSignal).on('SIGINT', onSignal);
  process.on('SIGHUP', () => {});
  process.on('uncaughtException', onUncaught).on('unhandledRejection', onUncaught);
  await daemon.stopped;
}

/** Ends the process even when something still holds the event loop. */
function endSoon(code: number): void {
  setTimeout(() => process.exit(code), exitGraceMs).unref();
}
