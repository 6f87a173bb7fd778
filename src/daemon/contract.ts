import type { StopDocument } from '../client/index.ts';
import type { Environment } from '../environment.ts';
import type { AuthsomeError } from '../errors.ts';
import type { Settings } from '../settings.ts';
import type { PassphraseKey } from '../vault/index.ts';
import type { Home } from './home/index.ts';
import type { Log } from './log/index.ts';

/** What a daemon is started with. */
export interface StartOptions {
  readonly settings: Settings;
  /** Prepared, and locked by this process. */
  readonly home: Home;
  readonly environment: Environment;
  readonly version: string;
  /** Opens vaults that have a passphrase. */
  readonly passphrase: PassphraseKey;
  readonly log: Log;
  readonly addressInUse: (host: string, port: number) => Promise<AuthsomeError>;
  readonly nowMs: () => number;
  readonly randomBytes: (size: number) => Uint8Array;
}

/** A daemon that is up and answering. */
export interface Daemon {
  readonly url: string;
  stop(when: 'now' | 'idle'): StopDocument;
  readonly stopped: Promise<void>;
}
