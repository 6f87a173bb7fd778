import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { type Client, createClient, type DaemonOptions } from '../client/index.ts';
import { type Identity, loadIdentity } from '../identity/index.ts';
import type { Settings } from '../settings.ts';
import type { CliOptions } from './options.ts';

/** What is said and asked on the way to the daemon. */
interface Talk {
  readonly onNewDaemon: DaemonOptions['onNewDaemon'];
  /** What a person types without being shown; `null` where nobody can be asked. */
  readonly secret: ((message: string) => Promise<string | undefined | null>) | undefined;
}

/** What it takes to find, start and call the daemon that `settings` name, as this machine's identity. */
export function daemonOptions(
  options: CliOptions,
  settings: Settings,
  { onNewDaemon, secret }: Talk,
): DaemonOptions {
  const { environment } = options;
  let identity: Identity | undefined;
  return {
    settings,
    onNewDaemon,
    /** Read when it is first needed, which is when the connection to the daemon is on its way. */
    get identity() {
      identity ??= loadIdentity({
        directory: join(settings.home, 'identities'),
        handle: settings.identityHandle,
        key: settings.identityKey,
        suggestedHandle: `${environment.USER ?? environment.LOGNAME ?? 'me'}@${hostname()}`,
        randomBytes,
      });
      return identity;
    },
    pid: process.pid,
    run: runOf(environment),
    now: Date.now,
    randomBytes,
    version: options.version,
    askPassphrase:
      secret && ((isRetry) => secret(`${isRetry ? 'Wrong passphrase. ' : ''}Passphrase of the vault: `)),
    launch: { execPath: process.execPath, entry: options.entry, environment },
  };
}

/** A header takes printable text only. What else the variable contains still says that there is a run. */
function runOf({ AUTHSOME_RUN: run = '' }: CliOptions['environment']): string | undefined {
  return run === '' ? undefined : run.replace(/[^\x21-\x7e]/g, '?').slice(0, 128);
}

/** A client for `run`, which has no questions but this one. */
export function connect(
  options: CliOptions,
  settings: Settings,
  onNewDaemon: DaemonOptions['onNewDaemon'],
): Client {
  return createClient(daemonOptions(options, settings, { onNewDaemon, secret: secretIfTerminal }));
}

/** `null` without a terminal. Nothing of this is loaded unless the daemon needs the passphrase. */
async function secretIfTerminal(message: string): Promise<string | undefined | null> {
  const [{ isatty }, { secretFrom }] = await Promise.all([import('node:tty'), import('./questions.ts')]);
  return isatty(0) && isatty(2) ? secretFrom(message) : null;
}
