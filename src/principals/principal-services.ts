import { AsyncLocalStorage } from 'node:async_hooks';
import type { AuditTrail } from '../audit/index.ts';
import { type ConnectionChange, type Connections, createConnections } from '../connections/index.ts';
import type { Fetch } from '../network/index.ts';
import type { Catalog } from '../providers/index.ts';
import type { Storage } from '../storage/index.ts';
import { type Keychain, type MasterKeySource, unlockVault } from '../vault/index.ts';
import type { Caller, Principal } from './principals.ts';

/** What serves the owner of one vault. */
export interface Desk {
  readonly connections: Connections;
  readonly keySource: MasterKeySource;
}

/** The desks of all vaults; each is opened once. */
export interface Desks {
  of(caller: Caller): Promise<Desk>;
  open(principal: Principal): Promise<Desk>;
  all(): Promise<readonly Desk[]>;
  /** Called at every change of a connection from now on, before its next credential is handed out. */
  onChange(listener: (desk: Desk, change: ConnectionChange) => void): void;
  /** Resolves when nothing of what providers have granted is still to be stored. */
  close(): Promise<void>;
}

export interface DesksOptions {
  readonly storage: Storage;
  readonly masterKey: string | undefined;
  readonly masterKeyFile: string | undefined;
  readonly serverDirectory: string;
  readonly keychain: Keychain | undefined;
  readonly catalog: Catalog;
  readonly fetchFor: (options: { readonly publicOnly: boolean }) => Fetch;
  readonly trail: AuditTrail;
  readonly redirectUri: string;
  readonly clientMetadataUrl: string | undefined;
  readonly pageUrl: (sessionId: string) => string;
  readonly nowMs: () => number;
  readonly randomBytes: (size: number) => Uint8Array;
}

/** Who made the call that is being answered, for the audit trail. */
export const currentCaller = new AsyncLocalStorage<Caller>();

export function createDesks(options: DesksOptions): Desks {
  const { trail } = options;
  const desks = new Map<string, Promise<Desk>>();
  const listeners: ((desk: Desk, change: ConnectionChange) => void)[] = [];

  const make = async (vaultId: string): Promise<Desk> => {
    const { vault, keySource } = await unlockVault({ ...options, vaultId });
    const connections = createConnections({
      ...options,
      vault,
      notify: (event) => {
        const identity = currentCaller.getStore()?.handle;
        trail.append(identity === undefined ? event : { ...event, identity });
      },
    });
    const desk: Desk = { connections, keySource };
    connections.onChange((change) => {
      for (const listener of listeners) listener(desk, change);
    });
    await connections.start();
    return desk;
  };

  const open = (principal: Principal): Promise<Desk> => {
    const known = desks.get(principal.vaultId);
    if (known !== undefined) return known;
    const opening = make(principal.vaultId);
    desks.set(principal.vaultId, opening);
    // A vault that did not open (its keychain was locked) is tried again by the next call.
    opening.catch(() => desks.delete(principal.vaultId));
    return opening;
  };

  return {
    open,
    of: ({ principal }) => open(principal),
    all: () => Promise.all(desks.values()),
    onChange: (listener) => listeners.push(listener),
    async close() {
      const opened = await Promise.allSettled(desks.values());
      await Promise.all(
        opened.map((desk) => (desk.status === 'fulfilled' ? desk.value.connections.close() : undefined)),
      );
    },
  };
}
