import { signInLine } from '../../command-line.ts';
import { AuthsomeError } from '../../errors.ts';
import type { ConnectionsOptions } from '../contract.ts';
import { splitConnectionKey } from '../names.ts';
import {
  type Connection,
  type ConnectionStore,
  connectionNotFound,
  type OpenConnection,
} from '../records/index.ts';
import type { CredentialSource, LiveCredential } from './credential.ts';
import { type Lifetime, lifetimeOf } from './credential-lifetime.ts';
import { isWithin } from './failure-memory.ts';
import type { RefreshOf } from './grant-refresh.ts';
import { RefreshGate } from './refresh-gate.ts';
import { SingleFlight } from './single-flight.ts';
import { cannotRefresh, isFinal, requireConnected } from './unusable-connection.ts';

/** A version that came from a 401 is not replaced because of another 401 before this. */
const renewalPauseMs = 60_000;

/** Knows what replaced it, and what it replaced: responses may contain either. */
interface Renewable extends LiveCredential {
  older: Renewable | undefined;
  newer: Renewable | undefined;
}

/** One connection's credential as held in memory. */
interface Entry extends Lifetime {
  readonly live: Renewable;
  readonly connection: Connection;
  readonly isRefreshable: boolean;
}

export interface CredentialCache extends CredentialSource {
  /** As `acquire`, but waits for a refresh that is due while the credential still works. */
  acquireFresh(connection: string): Promise<LiveCredential>;
  /** `undefined` where nothing is held. */
  held(connection: string): Connection | undefined;
  /** Forgets what is held, at once; what is under way for it is not taken in any more. */
  drop(connection: string): void;
  /** As `drop`, and refuses the connection until `work` has ended. */
  whileBlocked<Result>(connection: string, work: () => Promise<Result>): Promise<Result>;
  /** Refreshes a connection that may be idle, unless another caller did since this version. */
  refreshAhead(connection: string, version: number): Promise<unknown>;
  /** Whether a new grant is still to be stored over the version that it came from. */
  hasUnstored(connection: string): boolean;
  /** When `refreshAhead` may be tried after a failure: `Infinity` once only a person can help. */
  quietUntilMs(connection: string): number;
}

export function createCredentialCache(
  options: ConnectionsOptions,
  connections: ConnectionStore,
  refreshOf: RefreshOf,
): CredentialCache {
  return new MemoryCredentialCache(options, connections, refreshOf);
}

/** Credentials in memory, each loaded from the vault once and replaced as it is refreshed. */
class MemoryCredentialCache implements CredentialCache {
  readonly #options: ConnectionsOptions;
  readonly #connections: ConnectionStore;
  readonly #gate: RefreshGate;
  readonly #entries = new Map<string, Entry>();
  readonly #loads = new SingleFlight<Entry>();
  readonly #renewedAtMs = new WeakMap<LiveCredential, number>();
  /** How many callers block a connection. */
  readonly #blocked = new Map<string, number>();
  /** Grows when a connection is dropped: work begun before does not fill the cache again. */
  readonly #generations = new Map<string, number>();

  constructor(options: ConnectionsOptions, connections: ConnectionStore, refreshOf: RefreshOf) {
    this.#options = options;
    this.#connections = connections;
    const onFinalFailure = (key: string): void => {
      this.#entries.delete(key);
    };
    this.#gate = new RefreshGate({ options, connections, refreshOf, onFinalFailure });
  }

  /** The held credential while it works; a due refresh is started beside it. */
  peek(key: string): LiveCredential | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    const now = this.#options.nowMs();
    if (now >= entry.staleAtMs) return undefined;
    if (now >= entry.refreshAtMs) this.#refreshInBackground(key, entry);
    return entry.live;
  }

  async acquire(key: string): Promise<LiveCredential> {
    this.#requireUnblocked(key);
    const held = this.peek(key);
    if (held !== undefined) return held;
    const entry = await this.#load(key);
    if (this.#options.nowMs() < entry.staleAtMs) return this.peek(key) ?? entry.live;
    if (!entry.isRefreshable) {
      const { provider, connection } = splitConnectionKey(key);
      const open = await this.#connections.open(provider, connection);
      throw cannotRefresh(this.#options.catalog, open.connection);
    }
    try {
      return (await this.#refresh(key, entry.live.version)).live;
    } catch (error) {
      // Near its end, but not past it: better than nothing while the provider has a problem.
      if (isFinal(error) || this.#options.nowMs() >= entry.endsAtMs) throw error;
      return entry.live;
    }
  }

  async acquireFresh(key: string): Promise<LiveCredential> {
    const live = await this.acquire(key);
    const entry = this.#entries.get(key);
    if (entry === undefined || this.#options.nowMs() < entry.refreshAtMs) return live;
    try {
      return (await this.#refresh(key, entry.live.version)).live;
    } catch (error) {
      if (isFinal(error)) throw error;
      return live;
    }
  }

  async renew(key: string, rejected: LiveCredential): Promise<LiveCredential | undefined> {
    if (this.#blocked.has(key)) return undefined;
    const { nowMs } = this.#options;
    try {
      const held = this.#entries.get(key);
      if (held !== undefined && held.live !== rejected) return held.live;
      const renewedMs = this.#renewedAtMs.get(rejected);
      if (renewedMs !== undefined && isWithin(renewedMs, nowMs(), renewalPauseMs)) return undefined;
      const stored = await this.#load(key);
      if (stored.live.version > rejected.version) return stored.live;
      if (!stored.isRefreshable) return undefined;
      const { live } = await this.#refresh(key, rejected.version);
      this.#renewedAtMs.set(live, nowMs());
      return live;
    } catch {
      return undefined;
    }
  }

  held(key: string): Connection | undefined {
    return this.#entries.get(key)?.connection;
  }

  drop(key: string): void {
    this.#entries.delete(key);
    this.#gate.forget(key);
    this.#loads.forget(key);
    this.#generations.set(key, this.#generationOf(key) + 1);
  }

  async whileBlocked<Result>(key: string, work: () => Promise<Result>): Promise<Result> {
    this.#blocked.set(key, (this.#blocked.get(key) ?? 0) + 1);
    this.drop(key);
    try {
      return await work();
    } finally {
      const holders = (this.#blocked.get(key) ?? 1) - 1;
      if (holders === 0) this.#blocked.delete(key);
      else this.#blocked.set(key, holders);
      this.drop(key);
    }
  }

  async refreshAhead(key: string, version: number): Promise<unknown> {
    return await this.#refresh(key, version);
  }

  hasUnstored(key: string): boolean {
    return this.#gate.hasUnstored(key);
  }

  quietUntilMs(key: string): number {
    return this.#gate.quietUntilMs(key);
  }

  async #refresh(key: string, seen: number): Promise<Entry> {
    return await this.#hold(key, () => this.#gate.refresh(key, seen));
  }

  #refreshInBackground(key: string, entry: Entry): void {
    if (!this.#gate.isOpen(key)) return;
    // Its failure is recorded; until then the old token keeps working for everybody.
    this.#refresh(key, entry.live.version).catch(() => undefined);
  }

  async #load(key: string): Promise<Entry> {
    return await this.#loads.run(key, () => this.#hold(key, () => this.#read(key)));
  }

  async #hold(key: string, work: () => Promise<OpenConnection>): Promise<Entry> {
    const generation = this.#generationOf(key);
    const open = await work();
    this.#requireUnblocked(key);
    const held = this.#entries.get(key);
    if (held !== undefined && held.live.version > open.connection.version) return held;
    // Dropped since (revoked, or signed in again): what was read before that counts no more.
    if (this.#generationOf(key) !== generation) return await this.#hold(key, () => this.#read(key));
    const entry = entryOf(open, held);
    this.#entries.set(key, entry);
    return entry;
  }

  async #read(key: string): Promise<OpenConnection> {
    const { provider, connection } = splitConnectionKey(key);
    const open = await this.#connections.find(provider, connection);
    if (open === undefined) throw connectionNotFound(provider, connection);
    requireConnected(this.#options.catalog, open.connection);
    return open;
  }

  #requireUnblocked(key: string): void {
    if (!this.#blocked.has(key)) return;
    const { provider, connection } = splitConnectionKey(key);
    throw new AuthsomeError('CredentialMissing', `${key} is being revoked`, {
      hint: `Sign in again with: ${signInLine({ provider, connection })}`,
    });
  }

  #generationOf(key: string): number {
    return this.#generations.get(key) ?? 0;
  }
}

/** Keeps the object of a version that is held already: the proxy caches by identity. */
function entryOf(open: OpenConnection, previous: Entry | undefined): Entry {
  const { connection, secrets } = open;
  const secret = secrets.apiKey ?? secrets.accessToken;
  if (secret === undefined) throw new TypeError('a connection without its secret');
  const { version, refreshable } = connection;
  const same = previous?.live.version === version && previous.live.secret === secret;
  const live = same ? previous.live : replacement(previous?.live, { version, secret });
  return { live, connection, isRefreshable: refreshable, ...lifetimeOf(connection) };
}

/** Links a renewed credential with the one before it; that one's own is forgotten, so that no chain grows. */
function replacement(before: Renewable | undefined, { version, secret }: LiveCredential): Renewable {
  if (before === undefined) return { version, secret, older: undefined, newer: undefined };
  const live = {
    version,
    secret,
    older: before.secret === secret ? before.older : before,
    newer: undefined,
  };
  before.older = undefined;
  before.newer = live;
  return live;
}
