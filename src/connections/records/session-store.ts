import { createHash } from 'node:crypto';
import { AuthsomeError } from '../../errors.ts';
import { sameText } from '../../oauth/index.ts';
import type { Vault } from '../../vault/index.ts';
import type { Trouble } from '../contract.ts';
import { type NewSession, recordOf, type StoredSession, sessionFrom } from './session-record.ts';

/** How long a session that is over can still be asked about. */
const keepEndedMs = 60 * 60_000;

const maxWarnings = 20;

export interface SessionStore {
  create(session: NewSession): Promise<StoredSession>;
  read(id: string): Promise<StoredSession>;
  /**
   * Writes what `change` makes of the newest state, again whenever another write came first. `change` returns
   * `undefined` to leave it as it is.
   */
  update(
    id: string,
    change: (session: StoredSession) => Partial<NewSession> | undefined,
  ): Promise<StoredSession>;
  /** The waiting session with this state. */
  findByState(state: string): Promise<StoredSession | undefined>;
  /** Adds a warning to a waiting session; whether it did, since there is room for a few only. */
  warn(id: string, warning: Trouble): Promise<boolean>;
  /** Adds a warning to every session that waits for a callback; returns them. */
  warnWaiting(warning: Trouble): Promise<readonly StoredSession[]>;
  /** All that are not over, expired ones included. */
  waiting(): Promise<readonly StoredSession[]>;
  /** The one that was begun last, unless it ended connected. */
  lastUnfinished(): Promise<StoredSession | undefined>;
  /** Connected ones that have this warning. */
  connectedWith(warning: string): Promise<readonly Pick<StoredSession, 'provider' | 'connection'>[]>;
  /** Resolves on a revision above `seen`, or after `timeoutMs`. */
  changed(id: string, seen: number, timeoutMs: number): Promise<StoredSession>;
  forgetEnded(): Promise<void>;
}

/** SHA-256 of a value that only its browser has: a state, a ticket, a cookie. */
export function hashOf(value: string): string {
  return createHash('sha256').update(value).digest('hex');
}

/** The same for a session that never was, for one that is forgotten, and for who must not know the difference. */
export function sessionNotFound(): AuthsomeError {
  return new AuthsomeError('SessionNotFound', 'this sign-in does not exist or has expired');
}

export function createSessionStore(vault: Vault, nowMs: () => number): SessionStore {
  return new VaultSessionStore(vault, nowMs);
}

class VaultSessionStore implements SessionStore {
  readonly #vault: Vault;
  readonly #nowMs: () => number;
  readonly #watchers = new Map<string, Set<() => void>>();

  constructor(vault: Vault, nowMs: () => number) {
    this.#vault = vault;
    this.#nowMs = nowMs;
  }

  async create(session: NewSession): Promise<StoredSession> {
    const written = await this.#vault.write(recordOf(session), 0);
    if (written === undefined) throw new TypeError('a session with this id exists already');
    return sessionFrom(written);
  }

  async read(id: string): Promise<StoredSession> {
    const session = await this.#find(id);
    if (session === undefined) throw sessionNotFound();
    return session;
  }

  async update(
    id: string,
    change: (session: StoredSession) => Partial<NewSession> | undefined,
  ): Promise<StoredSession> {
    for (;;) {
      const session = await this.read(id);
      const patch = change(session);
      if (patch === undefined) return session;
      const written = await this.#vault.write(recordOf({ ...session, ...patch }), session.version);
      if (written === undefined) continue;
      this.#wake(id);
      return sessionFrom(written);
    }
  }

  async findByState(state: string): Promise<StoredSession | undefined> {
    const stateHash = hashOf(state);
    for (const { name, fields } of await this.#vault.list('auth-session')) {
      if (fields.stateHash !== stateHash) continue;
      const session = await this.#find(name);
      if (session?.status === 'expired') return session;
      if (session?.status !== 'waiting' || session.stage !== 'authorize') continue;
      if (sameText(session.secrets.state ?? '', state)) return session;
    }
    return undefined;
  }

  async warn(id: string, warning: Trouble): Promise<boolean> {
    let isNew = false;
    await this.update(id, ({ status, warnings }) => {
      isNew = status === 'waiting' && warnings.length < maxWarnings;
      return isNew ? { warnings: [...warnings, warning] } : undefined;
    });
    return isNew;
  }

  async warnWaiting(warning: Trouble): Promise<readonly StoredSession[]> {
    const warned: StoredSession[] = [];
    for (const session of await this.waiting()) {
      if (session.stage === 'authorize' && (await this.warn(session.id, warning))) warned.push(session);
    }
    return warned;
  }

  async waiting(): Promise<readonly StoredSession[]> {
    const found: StoredSession[] = [];
    for (const { name, fields } of await this.#vault.list('auth-session')) {
      if (fields.status !== 'waiting') continue;
      const session = await this.#find(name);
      if (session !== undefined) found.push(session);
    }
    return found;
  }

  async lastUnfinished(): Promise<StoredSession | undefined> {
    const records = await this.#vault.list('auth-session');
    const newest = records.reduce<{ name: string; atMs: number } | undefined>((best, { name, fields }) => {
      const atMs = Number(fields.createdAtMs);
      return best === undefined || atMs > best.atMs ? { name, atMs } : best;
    }, undefined);
    const session = newest === undefined ? undefined : await this.#find(newest.name);
    return session?.status === 'connected' ? undefined : session;
  }

  async connectedWith(warning: string): Promise<readonly Pick<StoredSession, 'provider' | 'connection'>[]> {
    const found: Pick<StoredSession, 'provider' | 'connection'>[] = [];
    for (const { name, fields } of await this.#vault.list('auth-session')) {
      const warnings = fields.warnings as StoredSession['warnings'];
      if (fields.status !== 'connected' || !warnings.some(({ error }) => error === warning)) continue;
      // The vault vouches for what it has opened only.
      const session = await this.#find(name);
      if (session !== undefined) found.push({ provider: session.provider, connection: session.connection });
    }
    return found;
  }

  async changed(id: string, seen: number, timeoutMs: number): Promise<StoredSession> {
    const deadlineMs = this.#nowMs() + timeoutMs;
    for (;;) {
      const signal = watch(this.#watchers, id);
      try {
        const session = await this.read(id);
        const leftMs = Math.min(deadlineMs, session.expiresAtMs) - this.#nowMs();
        if (session.version > seen || session.status !== 'waiting' || leftMs <= 0) return session;
        if (!(await signal.within(leftMs))) return await this.read(id);
      } finally {
        signal.stop();
      }
    }
  }

  async forgetEnded(): Promise<void> {
    for (const { name, fields } of await this.#vault.list('auth-session')) {
      const endMs = Number(fields.expiresAtMs) + keepEndedMs;
      if (endMs <= this.#nowMs()) await this.#vault.remove('auth-session', name);
    }
  }

  async #find(id: string): Promise<StoredSession | undefined> {
    const record = await this.#vault.read('auth-session', id);
    return record === undefined ? undefined : sessionFrom(record);
  }

  #wake(id: string): void {
    for (const watcher of this.#watchers.get(id) ?? []) watcher();
  }
}

interface Watch {
  /** Whether there was a change in that time. */
  within(ms: number): Promise<boolean>;
  stop(): void;
}

/** Begins to listen at once, so that a change between reading and waiting is not missed. */
function watch(watchers: Map<string, Set<() => void>>, id: string): Watch {
  let settle: (changed: boolean) => void = () => undefined;
  const settled = new Promise<boolean>((resolve) => {
    settle = resolve;
  });
  const watcher = (): void => settle(true);
  const set = watchers.get(id) ?? new Set();
  watchers.set(id, set.add(watcher));
  let timer: NodeJS.Timeout | undefined;
  return {
    async within(ms) {
      timer = setTimeout(() => settle(false), ms);
      return await settled;
    },
    stop() {
      clearTimeout(timer);
      set.delete(watcher);
      if (set.size === 0 && watchers.get(id) === set) watchers.delete(id);
    },
  };
}
