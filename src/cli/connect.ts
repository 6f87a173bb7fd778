import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { type Client, createClient, type DaemonOptions } from '../client/index.ts';
import { loadIdentity } from '../identity/index.ts';
import type { Settings } from '../settings.ts';
import type { CliOptions } from './cli.ts';

/** What it takes to find, start and call the daemon that `settings` name, as this machine's identity. */
export function daemonOptions(options: CliOptions, settings: Settings): DaemonOptions {
  const { environment } = options;
  return {
    settings,
    identity: loadIdentity({
      directory: join(settings.home, 'identities'),
      handle: settings.identityHandle,
      key: settings.identityKey,
      suggestedHandle: `${environment.USER ?? environment.LOGNAME ?? 'me'}@${hostname()}`,
      randomBytes,
    }),
    now: Date.now,
    randomBytes,
    version: options.version,
    launch: { execPath: process.execPath, entry: options.entry, environment },
  };
}

export function connect(options: CliOptions, settings: Settings): Client {
  return createClient(daemonOptions(options, settings));
}
