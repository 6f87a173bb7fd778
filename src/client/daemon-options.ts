import type { Environment } from '../environment.ts';
import type { Settings } from '../settings.ts';
import type { Signer } from './exchange.ts';

/** Everything needed to talk to the daemon, and to start it. */
export interface DaemonOptions extends Signer {
  readonly settings: Settings;
  /**
   * Told when a hosted daemon is called for the first time, with its key, which is trusted from then on; and when a daemon
   * starts without settings that it may not take.
   */
  readonly onNewDaemon: (text: string) => void;
  /** Of this program; a daemon of another one is replaced once it has nothing to do. */
  readonly version: string;
  /**
   * The passphrase that a person types; `undefined` when the question was left, `null` where nobody can be asked. `isRetry`:
   * the one before was wrong.
   */
  readonly askPassphrase?: ((isRetry: boolean) => Promise<string | undefined | null>) | undefined;
  /** `<execPath> <entry> daemon serve` is the daemon. */
  readonly launch: {
    readonly execPath: string;
    readonly entry: string;
    readonly environment: Environment;
  };
}
