import { AuthsomeError, asAuthsomeError } from '../errors.ts';
import { cannotRefresh, isFinal, refreshConnection, requireConnected } from './connection-refresh.ts';
import { type ConnectionStore, connectionNotFound, type OpenConnection } from './connection-store.ts';
import type { CredentialSource, LiveCredential } from './credential.ts';
import { splitConnectionKey } from './names.ts';
import type { ConnectionsOptions } from './ports.ts';

const earlyMs = 300_000;
const skewMs = 60_000;
/** A version that came from a 401 is not replaced because of another 401 before this. */
const renewalPauseMs = 60_000;
const firstBackOffMs = 1_000;
const maxBackOffMs = 60_000;

/** One connection's credential as held in memory. */
interface Entry {
  readonly live: LiveCredential;
  readonly isRefreshable: boolean;
  /** From then on a refresh is due, though the credential still works. `Infinity`: never. */
  readonly refreshAtMs: number;
  /** From then on it is used only when no newer one can be had: our clock may be behind. */
  readonly staleAtMs: number;
  readonly endsAtMs: number;
}

/** The last failures of a connection's refresh: nobody asks again before `retryAtMs`. */
interface Failure {
  readonly error: AuthsomeError;
  readonly count: number;
  readonly retryAtMs: number;
}

export interface CredentialCache extends CredentialSource {
  /** Forgets what is held, at once; what is under way for it is not taken in any more. */
  drop(connection: string): void;
  /** As `drop`, and refuses the connection until `work` has ended. */
  whileBlocked<Result>(connection: string, work: () => Promise<Result>): Promise<Result>;
}

export function createCredentialCache(
  options: ConnectionsOptions,
  connections: ConnectionStore,
): CredentialCache {
  const { nowMs } = options;
  const entries = new Map<string, Entry>();
  const failures = new Map<string, Failure>();
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
      hint: `Sign in again with: authsome login ${provider} --connection ${connection}`,
    });
  };

  const read = async (key: string): Promise<OpenConnection> => {
    const { provider, connection } = splitConnectionKey(key);
    const open = await connections.find(provider, connection);
    if (open === undefined) throw connectionNotFound(provider, connection);
    requireConnected(open.connection);
    return open;
  };

  const load = (key: string): Promise<Entry> => once(loads, key, () => read(key));

  const refresh = (key: string, seen: number): Promise<Entry> => {
    const failure = failures.get(key);
    if (failure !== undefined && failure.retryAtMs > nowMs()) return Promise.reject(failure.error);
    return once(refreshes, key, async () => {
      const { provider, connection } = splitConnectionKey(key);
      try {
        const open = await refreshConnection(options, connections, provider, connection, seen);
        failures.delete(key);
        return open;
      } catch (caught) {
        const error = asAuthsomeError(caught);
        if (isFinal(error)) entries.delete(key);
        const count = (failures.get(key)?.count ?? 0) + 1;
        const pauseMs = Math.min(firstBackOffMs * 2 ** (count - 1), maxBackOffMs);
        failures.set(key, { error, count, retryAtMs: nowMs() + pauseMs });
        options.notify({ event: 'token.refresh_failed', provider, connection, outcome: error.code });
        throw error;
      }
    });
  };

  const refreshInBackground = (key: string, entry: Entry): void => {
    const failure = failures.get(key);
    if (refreshes.has(key) || (failure !== undefined && failure.retryAtMs > nowMs())) return;
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
      throw cannotRefresh((await connections.open(provider, connection)).connection);
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
      if (renewedMs !== undefined && nowMs() - renewedMs < renewalPauseMs) return undefined;
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
    loads.delete(key);
    refreshes.delete(key);
    generations.set(key, generationOf(key) + 1);
  };

  return {
    peek: usable,
    acquire,
    renew,
    drop,
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

/** Keeps the object of a version that is held already: the proxy caches by identity. */
function entryOf(open: OpenConnection, previous: Entry | undefined): Entry {
  const { connection, secrets } = open;
  const secret = secrets.apiKey ?? secrets.accessToken;
  if (secret === undefined) throw new TypeError('a connection without its secret');
  const { expiresAtMs, obtainedAtMs, version } = connection;
  const same = previous?.live.version === version && previous.live.secret === secret;
  // A short-lived token is not refreshed from its first second on: at half its life at the earliest.
  const lifetimeMs = expiresAtMs === undefined ? Number.POSITIVE_INFINITY : expiresAtMs - obtainedAtMs;
  const isRefreshable = connection.refreshable;
  const end = expiresAtMs ?? Number.POSITIVE_INFINITY;
  return {
    live: same ? previous.live : { version, secret },
    isRefreshable,
    refreshAtMs: isRefreshable ? end - Math.min(earlyMs, lifetimeMs / 2) : Number.POSITIVE_INFINITY,
    staleAtMs: end - Math.min(skewMs, lifetimeMs / 4),
    endsAtMs: end,
  };
}
