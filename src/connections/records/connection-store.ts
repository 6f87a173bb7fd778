import { signInLine } from '../../command-line.ts';
import { AuthsomeError } from '../../errors.ts';
import type { StoredRecord, Vault } from '../../vault/index.ts';
import type { ConnectionChange, ProviderCatalog } from '../contract.ts';
import { connectionKey, connectionName } from '../names.ts';
import { type Connection, type ConnectionSecrets, connectionFrom, secretsFrom } from './connection-record.ts';
import { retirePhantoms } from './phantom-record.ts';

export interface OpenConnection {
  readonly connection: Connection;
  readonly secrets: ConnectionSecrets;
}

/** Connections in one vault, their defaults, and the listeners to changes. */
export interface ConnectionStore {
  find(provider: string, name: string): Promise<OpenConnection | undefined>;
  /** Nothing is decrypted. Ordered by key. */
  list(provider?: string): Promise<readonly Connection[]>;
  /** The named connection, else the default one; ConnectionNotFound, or ProviderNotFound where not even that exists. */
  open(provider: string, name?: string): Promise<OpenConnection>;
  /** The explicit default where it still exists, else the first of `connections`. */
  defaultOf(provider: string, connections: readonly Connection[]): Promise<string | undefined>;
  setDefault(provider: string, name: string): Promise<void>;
  /** Records `name` as the default when there is none yet. */
  offerDefault(provider: string, name: string): Promise<void>;
  /** Its phantoms stay known, and stand for nothing from then on. */
  remove(provider: string, name: string): Promise<boolean>;
  changed(change: ConnectionChange): void;
  onChange(listener: (change: ConnectionChange) => void): () => void;
}

export function createConnectionStore(vault: Vault, catalog: ProviderCatalog): ConnectionStore {
  const listeners = new Set<(change: ConnectionChange) => void>();

  const find: ConnectionStore['find'] = async (provider, name) => {
    const record = await vault.read('connection', connectionKey(provider, name));
    return record === undefined ? undefined : openRecord(record);
  };

  const list: ConnectionStore['list'] = async (provider) => {
    const all = (await vault.list('connection')).map(connectionFrom);
    return provider === undefined ? all : all.filter((connection) => connection.provider === provider);
  };

  const defaultOf: ConnectionStore['defaultOf'] = async (provider, connections) => {
    const record = await vault.read('default', provider);
    const named = connections.find(({ name }) => name === record?.fields.connection);
    return (named ?? connections[0])?.name;
  };

  const setDefault: ConnectionStore['setDefault'] = async (provider, name) => {
    for (;;) {
      const record = await vault.read('default', provider);
      if (record?.fields.connection === name) return;
      const next = { kind: 'default' as const, name: provider, fields: { connection: name }, secrets: {} };
      if ((await vault.write(next, record?.version ?? 0)) !== undefined) return;
    }
  };

  return {
    find,
    list,
    defaultOf,
    setDefault,

    async open(provider, name) {
      const wanted =
        name === undefined ? await defaultOf(provider, await list(provider)) : connectionName(name);
      const found = wanted === undefined ? undefined : await find(provider, wanted);
      if (found !== undefined) return found;
      // A misspelled provider gets an error that says so, not a sign-in that cannot work.
      catalog.resolve(provider);
      throw connectionNotFound(provider, name);
    },

    async offerDefault(provider, name) {
      const record = await vault.read('default', provider);
      const current = record?.fields.connection;
      if (typeof current === 'string' && (await find(provider, current)) !== undefined) return;
      await setDefault(provider, name);
    },

    async remove(provider, name) {
      const removed = await vault.remove('connection', connectionKey(provider, name));
      await retirePhantoms(vault, connectionKey(provider, name));
      const record = await vault.read('default', provider);
      if (record?.fields.connection === name) await vault.remove('default', provider);
      return removed;
    },

    changed(change) {
      for (const listener of listeners) listener(change);
    },

    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

export function connectionNotFound(provider: string, name?: string): AuthsomeError {
  const what = name === undefined ? `no connection to ${provider}` : `no connection ${provider}/${name}`;
  return new AuthsomeError('ConnectionNotFound', `there is ${what}`, {
    hint: `Sign in with: ${signInLine({ provider, connection: name })}`,
  });
}

function openRecord(record: StoredRecord): OpenConnection {
  return { connection: connectionFrom(record), secrets: secretsFrom(record) };
}
