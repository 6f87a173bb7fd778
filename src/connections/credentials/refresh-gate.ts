import { asAuthsomeError } from '../../errors.ts';
import type { ConnectionsOptions } from '../contract.ts';
import { splitConnectionKey } from '../names.ts';
import type { ConnectionStore, OpenConnection } from '../records/index.ts';
import { type RefreshContext, refreshConnection, type UnstoredGrants } from './connection-refresh.ts';
import { FailureMemory } from './failure-memory.ts';
import type { RefreshOf } from './grant-refresh.ts';
import { SingleFlight } from './single-flight.ts';
import { isFinal } from './unusable-connection.ts';

export interface RefreshGateOptions {
  readonly options: ConnectionsOptions;
  readonly connections: ConnectionStore;
  readonly refreshOf: RefreshOf;
  /** Called when only a person can help the connection. */
  readonly onFinalFailure: (key: string) => void;
}

/** Lets one refresh of a connection through at a time, and none for a while after one has failed. */
export class RefreshGate {
  readonly #options: RefreshGateOptions;
  readonly #unstored: UnstoredGrants = new Map();
  readonly #refreshes = new SingleFlight<OpenConnection>();
  readonly #failures: FailureMemory;

  constructor(options: RefreshGateOptions) {
    this.#options = options;
    this.#failures = new FailureMemory(options.options.nowMs);
  }

  /**
   * The connection after the refresh, unless another caller did it since version `seen`.
   * Rejects with the last failure while that is recent.
   */
  async refresh(key: string, seen: number): Promise<OpenConnection> {
    const failure = this.#failures.recent(key);
    if (failure !== undefined) throw failure;
    return await this.#refreshes.run(key, () => this.#refreshNow(key, seen));
  }

  /** Whether `refresh` would ask the provider now. */
  isOpen(key: string): boolean {
    return !this.#refreshes.isRunning(key) && this.#failures.recent(key) === undefined;
  }

  hasUnstored(key: string): boolean {
    return this.#unstored.has(key);
  }

  quietUntilMs(key: string): number {
    return this.#failures.quietUntilMs(key);
  }

  /** To be called when the connection is replaced: earlier failures and unstored grants no longer count. */
  forget(key: string): void {
    this.#failures.forget(key);
    this.#unstored.delete(key);
    this.#refreshes.forget(key);
  }

  async #refreshNow(key: string, seen: number): Promise<OpenConnection> {
    const { provider, connection } = splitConnectionKey(key);
    const { options, connections, refreshOf, onFinalFailure } = this.#options;
    let wantedMs: number | undefined;
    const context: RefreshContext = {
      options,
      connections,
      refreshOf,
      unstored: this.#unstored,
      onRetryAfter(ms) {
        wantedMs = ms;
      },
    };
    try {
      const open = await refreshConnection(context, provider, connection, seen);
      this.#failures.forget(key);
      return open;
    } catch (caught) {
      const error = asAuthsomeError(caught);
      if (isFinal(error)) onFinalFailure(key);
      this.#failures.add(key, error, wantedMs);
      options.notify({ event: 'token.refresh_failed', provider, connection, outcome: error.code });
      throw error;
    }
  }
}
