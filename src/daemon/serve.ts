import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Environment } from '../environment.ts';
import { AuthsomeError, asAuthsomeError, errorDocument, exitCodeOf } from '../errors.ts';
import { homeOf, loadSettings } from '../settings.ts';
import { type FileLock, lockFile } from '../storage/index.ts';
import { passphraseKey } from '../vault/index.ts';
import type { Daemon } from './contract.ts';
import {
  checkMasterKey,
  homeAt,
  otherDaemonIsHealthy,
  prepareHome,
  removeKeychainEntry,
  typedPassphrase,
} from './home/index.ts';
import { type Log, openLog, unexpectedFields } from './log/index.ts';
import { startDaemon } from './start.ts';

/** What the process was started with. */
export interface ServeOptions {
  readonly environment: Environment;
  readonly version: string;
  /** Only checks whether the vaults of the home could be opened with this environment. */
  readonly isCheck: boolean;
  /** A passphrase comes through the standard input. */
  readonly isTyped: boolean;
  /** The error for a port that another process uses: which one, and what to do. */
  readonly addressInUse: (host: string, port: number) => Promise<AuthsomeError>;
  /** The environment without what a start from inside of a run may not set, and what to say about that. */
  readonly environmentToServe: (
    environment: Environment,
    home: string,
  ) => Promise<{ readonly environment: Environment; readonly note: string | undefined }>;
}

/** Removes a home's master key from the keychain, once the home is gone. Writes `{"removed":…}`; resolves with the exit code. */
export async function forgetKeychain({ environment }: Pick<ServeOptions, 'environment'>): Promise<number> {
  try {
    const home = homeAt(loadSettings(environment).home);
    process.stdout.write(`${JSON.stringify({ removed: await removeKeychainEntry(home, environment) })}\n`);
    return 0;
  } catch (thrown) {
    const error = asAuthsomeError(thrown);
    process.stderr.write(failureText(error, process.stderr.isTTY === true));
    return exitCodeOf(error.code);
  }
}

/** The log is kept in three files of this size. */
const maxLogBytes = 10 * 1024 * 1024;
const otherDaemonTimeoutMs = 15_000;
const exitGraceMs = 2_000;

/**
 * Runs the daemon; resolves with the exit code once it has stopped. A failure to start is written to stderr: as text at a
 * terminal, else as an error document in the last line. Does nothing, with exit code 0, when the home has a healthy
 * daemon already.
 */
export async function serveDaemon(options: ServeOptions): Promise<number> {
  // What `ps` and `pkill -f authsome` see, wherever the program is installed.
  process.title = 'authsome daemon serve';
  process.umask(0o077);
  let log: Log | undefined;
  try {
    const { environment, note } = await options.environmentToServe(
      options.environment,
      homeOf(options.environment),
    );
    if (note !== undefined) process.stderr.write(`${note}\n`);
    const settings = loadSettings(environment);
    const home = homeAt(settings.home);
    const typed = options.isTyped ? await typedPassphrase(process.stdin) : undefined;
    const passphrase = passphraseKey({ typed, file: settings.passphraseFile });
    if (options.isCheck) {
      await checkMasterKey(settings, home, environment, passphrase);
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
        environment,
        version: options.version,
        passphrase,
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

/** Text for a person at a terminal; a document for the process that started it in the background. */
function failureText(error: AuthsomeError, isTerminal: boolean): string {
  if (!isTerminal) return `${JSON.stringify(errorDocument(error))}\n`;
  const hint = error.hint === undefined ? [] : error.hint.split('\n');
  return [`Error: ${error.message}`, ...hint.map((line) => `  ${line}`), '']
    .map((line) => line.replace(/[\p{Cc}\p{Bidi_Control}]/gu, '?'))
    .join('\n');
}

/** The lock of the home, or `undefined` when a healthy daemon has it. */
async function claimHome(path: string, daemonFile: string): Promise<FileLock | undefined> {
  const deadline = performance.now() + otherDaemonTimeoutMs;
  for (;;) {
    const lock = await lockFile(path);
    if (lock !== undefined) return lock;
    if (await otherDaemonIsHealthy(daemonFile)) return undefined;
    if (performance.now() > deadline) {
      throw new AuthsomeError(
        'DaemonUnavailable',
        'another daemon is running for this home but is not responding',
        {
          hint: 'Run: authsome daemon restart',
        },
      );
    }
    await sleep(50);
  }
}

/** Resolves when the daemon has stopped, on a signal or by itself. */
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

/** Ends the process even when something keeps the event loop alive. */
function endSoon(code: number): void {
  setTimeout(() => process.exit(code), exitGraceMs).unref();
}
