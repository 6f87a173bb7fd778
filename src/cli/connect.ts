import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { type Client, createClient, type DaemonOptions } from '../client/index.ts';
import { type Identity, loadIdentity } from '../identity/index.ts';
import type { Settings } from '../settings.ts';
import type { CliOptions } from './options.ts';

/** What it takes to find, start and call the daemon that `settings` name, as this machine's identity. */
export function daemonOptions(
  options: CliOptions,
  settings: Settings,
  onNewDaemon: DaemonOptions['onNewDaemon'],
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
    now: Date.now,
    randomBytes,
    version: options.version,
    launch: { execPath: process.execPath, entry: options.entry, environment },
  };
}

export function connect(
  options: CliOptions,
  settings: Settings,
  onNewDaemon: DaemonOptions['onNewDaemon'],
): Client {
  return createClient(daemonOptions(options, settings, onNewDaemon));
}
