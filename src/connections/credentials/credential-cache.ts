import { signInLine } from '../../command-line.ts';
import { AuthsomeError, asAuthsomeError } from '../../errors.ts';
import type { ConnectionsOptions } from '../contract.ts';
import { splitConnectionKey } from '../names.ts';
import type { Connection } from '../records/index.ts';
import { type ConnectionStore, connectionNotFound, type OpenConnection } from '../records/index.ts';
import {
  cannotRefresh,
  isFinal,
  refreshConnection,
  requireConnected,
  type UnstoredGrants,
} from './connection-refresh.ts';
import type { CredentialSource, LiveCredential } from './credential.ts';
import { type Lifetime, lifetimeOf } from './credential-lifetime.ts';
import type { RefreshOf } from './grant-refresh.ts';

/** A version that came from a 401 is not replaced because of another 401 before this. */
const renewalPauseMs = 60_000;
const firstBackOffMs = 1_000;
const maxBackOffMs = 60_000;
/** While nobody uses the connection. */
const maxIdleBackOffMs = 3_600_000;

/** One connection's credential as held in memory. */
interface Entry extends Lifetime {
  readonly live: LiveCredential;
  readonly connection: Connection;
  readonly isRefreshable: boolean;
}

/** The last failures of a connection's refresh: for a while nobody asks again. */
interface Failure {
  readonly error: AuthsomeError;
  readonly count: number;
  readonly atMs: number;
}

export interface CredentialCache extends CredentialSource {
  /** `undefined` where nothing is held. */
  held(connection: string): Connection | undefined;
  /** Forgets what is held, at once; what is under way for it is not taken in any more. */
  drop(connection: string): void;
  /** As `drop`, and refuses the connection until `work` has ended. */
  whileBlocked<Result>(connection: string, work: () => Promise<Result>): Promise<Result>;
  /** Refreshes a connection that nobody may be using, unless somebody did since this version. */
  refreshAhead(connection: string, version: number): Promise<unknown>;
  /** When `refreshAhead` may be tried after a failure: `Infinity` once only a person can help. */
  quietUntilMs(connection: string): number;
}

export function createCredentialCache(
  options: ConnectionsOptions,
  connections: ConnectionStore,
  refreshOf: RefreshOf,
): CredentialCache {
  const { nowMs } = options;
  const entries = new Map<string, Entry>();
  const failures = new Map<string, Failure>();
  const unstored: UnstoredGrants = new Map();
  const loads = new Map<string, Promise<Entry>>();
  const refreshes = new Map<string, Promise<Entry>>();
  const renewedAtMs = new WeakMap<LiveCredential, number>();
  const blocked = new Map<string, number>();
  /** Grows when a connection is dropped: work begun before does not fill the cache again. */
  const generations = new Map<string, number>();

  const generationOf = (key: string): number => generations.get(key) ?? 0;

  /** One piece of work of a kind per connection at a time, whoever asks. */
  const once = (
    running: Map<string, Promise<Entry>>,
    key: string,
    work: () => Promise<OpenConnection>,
  ): Promise<Entry> => {
    const joined = running.get(key);
    if (joined !== undefined) return joined;
    const started = hold(key, work);
    const ended = (): void => {
      if (running.get(key) === started) running.delete(key);
    };
    running.set(key, started);
    started.then(ended, ended);
    return started;
  };

  const hold = async (key: string, work: () => Promise<OpenConnection>): Promise<Entry> => {
    const generation = generationOf(key);
    const open = await work();
    requireUnblocked(key);
    const held = entries.get(key);
    if (held !== undefined && held.live.version > open.connection.version) return held;
    // Dropped meanwhile (revoked, or signed in anew): what was read before that counts no more.
    if (generationOf(key) !== generation) return await hold(key, () => read(key));
    const entry = entryOf(open, held);
    entries.set(key, entry);
    return entry;
  };

  const requireUnblocked = (key: string): void => {
    if (!blocked.has(key)) return;
    const { provider, connection } = splitConnectionKey(key);
    throw new AuthsomeError('CredentialMissing', `${key} is being revoked`, {
      hint: `Sign in again with: ${signInLine({ provider, connection })}`,
    });
  };

  const read = async (key: string): Promise<OpenConnection> => {
    const { provider, connection } = splitConnectionKey(key);
    const open = await connections.find(provider, connection);
    if (open === undefined) throw connectionNotFound(provider, connection);
    requireConnected(options.catalog, open.connection);
    return open;
  };

  const load = (key: string): Promise<Entry> => once(loads, key, () => read(key));

  /** The failure after which it is too early to try again. */
  const recentFailure = (key: string): Failure | undefined => {
    const failure = failures.get(key);
    if (failure === undefined) return undefined;
    return isWithin(failure.atMs, nowMs(), backOffMs(failure.count, maxBackOffMs)) ? failure : undefined;
  };

  const refresh = (key: string, seen: number): Promise<Entry> => {
    const failure = recentFailure(key);
    if (failure !== undefined) return Promise.reject(failure.error);
    return once(refreshes, key, async () => {
      const { provider, connection } = splitConnectionKey(key);
      try {
        const open = await refreshConnection(
          { options, connections, unstored, refreshOf },
          provider,
          connection,
          seen,
        );
        failures.delete(key);
        return open;
      } catch (caught) {
        const error = asAuthsomeError(caught);
        if (isFinal(error)) entries.delete(key);
        const count = (failures.get(key)?.count ?? 0) + 1;
        failures.set(key, { error, count, atMs: nowMs() });
        options.notify({ event: 'token.refresh_failed', provider, connection, outcome: error.code });
        throw error;
      }
    });
  };

  const refreshInBackground = (key: string, entry: Entry): void => {
    if (refreshes.has(key) || recentFailure(key) !== undefined) return;
    // Its failure is recorded; the old token goes on working for whoever asks meanwhile.
    refresh(key, entry.live.version).catch(() => undefined);
  };

  /** The held credential while it works; a due refresh is set off beside it. */
  const usable = (key: string): LiveCredential | undefined => {
    const entry = entries.get(key);
    if (entry === undefined) return undefined;
    const now = nowMs();
    if (now >= entry.staleAtMs) return undefined;
    if (now >= entry.refreshAtMs) refreshInBackground(key, entry);
    return entry.live;
  };

  const acquire = async (key: string): Promise<LiveCredential> => {
    requireUnblocked(key);
    const held = usable(key);
    if (held !== undefined) return held;
    const entry = await load(key);
    if (nowMs() < entry.staleAtMs) return usable(key) ?? entry.live;
    if (!entry.isRefreshable) {
      const { provider, connection } = splitConnectionKey(key);
      const open = await connections.open(provider, connection);
      throw cannotRefresh(options.catalog, open.connection);
    }
    try {
      return (await refresh(key, entry.live.version)).live;
    } catch (error) {
      // Near its end, but not past it: better than nothing while the provider has a problem.
      if (isFinal(error) || nowMs() >= entry.endsAtMs) throw error;
      return entry.live;
    }
  };

  const renew: CredentialSource['renew'] = async (key, rejected) => {
    if (blocked.has(key)) return undefined;
    try {
      const held = entries.get(key);
      if (held !== undefined && held.live !== rejected) return held.live;
      const renewedMs = renewedAtMs.get(rejected);
      if (renewedMs !== undefined && isWithin(renewedMs, nowMs(), renewalPauseMs)) return undefined;
      const stored = await load(key);
      if (stored.live.version > rejected.version) return stored.live;
      if (!stored.isRefreshable) return undefined;
      const { live } = await refresh(key, rejected.version);
      renewedAtMs.set(live, nowMs());
      return live;
    } catch {
      return undefined;
    }
  };

  const drop = (key: string): void => {
    entries.delete(key);
    failures.delete(key);
    unstored.delete(key);
    loads.delete(key);
    refreshes.delete(key);
    generations.set(key, generationOf(key) + 1);
  };

  return {
    peek: usable,
    acquire,
    renew,
    drop,
    refreshAhead: refresh,
    quietUntilMs(key) {
      const failure = failures.get(key);
      if (failure === undefined) return Number.NEGATIVE_INFINITY;
      if (isFinal(failure.error)) return Number.POSITIVE_INFINITY;
      const idleMs = backOffMs(failure.count, maxIdleBackOffMs);
      return isWithin(failure.atMs, nowMs(), idleMs) ? failure.atMs + idleMs : Number.NEGATIVE_INFINITY;
    },
    held: (key) => entries.get(key)?.connection,
    async whileBlocked(key, work) {
      blocked.set(key, (blocked.get(key) ?? 0) + 1);
      drop(key);
      try {
        return await work();
      } finally {
        const holders = (blocked.get(key) ?? 1) - 1;
        if (holders === 0) blocked.delete(key);
        else blocked.set(key, holders);
        drop(key);
      }
    },
  };
}

function backOffMs(failures: number, maxMs: number): number {
  return Math.min(firstBackOffMs * 2 ** (failures - 1), maxMs);
}

/** Whether less than `ms` have passed since `thenMs`. A clock that was set back in between ends the wait. */
function isWithin(thenMs: number, nowMs: number, ms: number): boolean {
  return thenMs <= nowMs && nowMs < thenMs + ms;
}

/** Keeps the object of a version that is held already: the proxy caches by identity. */
function entryOf(open: OpenConnection, previous: Entry | undefined): Entry {
  const { connection, secrets } = open;
  const secret = secrets.apiKey ?? secrets.accessToken;
  if (secret === undefined) throw new TypeError('a connection without its secret');
  const { version, refreshable } = connection;
  const same = previous?.live.version === version && previous.live.secret === secret;
  const live = same ? previous.live : { version, secret };
  return { live, connection, isRefreshable: refreshable, ...lifetimeOf(connection) };
}
