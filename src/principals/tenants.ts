import { AsyncLocalStorage } from 'node:async_hooks';
import { type AuditView, type ObservedTrail, type Origin, viewOf } from '../audit/index.ts';
import { type ConnectionChange, type Connections, createConnections } from '../connections/index.ts';
import type { Fetch } from '../network/index.ts';
import type { Policy } from '../policy/index.ts';
import type { Catalog } from '../providers/index.ts';
import type { Storage } from '../storage/index.ts';
import {
  type Keychain,
  type KeySources,
  type MasterKeySource,
  type PassphraseKey,
  removePassphrase,
  setPassphrase,
  unlockVault,
} from '../vault/index.ts';
import type { Caller, Principal, Principals } from './principals.ts';
import { catalogFor } from './tenant-catalog.ts';

/** All that serves one principal. Its vault and its events are its own; definitions and rules are the home's today. */
export interface Tenant {
  readonly principal: Principal;
  readonly connections: Connections;
  /** Where the master key comes from: another source once the passphrase has been set or removed. */
  keySource: MasterKeySource;
  readonly catalog: Catalog;
  /** Decides by the rules that apply to the principal now. */
  readonly policy: Policy;
  readonly audit: AuditView;
}

type ChangeListener = (tenant: Tenant, change: ConnectionChange) => void;

/** The tenants of all principals; each is opened once. */
export interface Tenants {
  of(caller: Caller): Promise<Tenant>;
  open(principal: Principal): Promise<Tenant>;
  /** Those of every principal there is. */
  openAll(): Promise<readonly Tenant[]>;
  /** Those that are open. */
  all(): Promise<readonly Tenant[]>;
  /** Called at every change of a connection from now on, before its next credential is handed out. */
  onChange(listener: ChangeListener): void;
  /** Sets the passphrase of the home's vaults; `undefined` removes it. One change at a time. */
  changePassphrase(passphrase: string | undefined): Promise<KeySources>;
  /** Resolves when nothing that providers have granted is still to be stored. */
  close(): Promise<void>;
}

export interface TenantsOptions {
  readonly principals: Pick<Principals, 'all'>;
  readonly storage: Storage;
  readonly masterKey: string | undefined;
  readonly masterKeyFile: string | undefined;
  readonly serverDirectory: string;
  readonly keychain: Keychain | undefined;
  readonly passphrase: PassphraseKey;
  readonly catalog: Catalog;
  readonly policy: Policy;
  readonly fetchFor: (options: { readonly publicOnly: boolean }) => Fetch;
  readonly trail: ObservedTrail;
  readonly redirectUri: string;
  readonly clientMetadataUrl: string | undefined;
  readonly ticketUrl: (sessionId: string, ticket: string) => string;
  readonly nowMs: () => number;
  readonly randomBytes: (size: number) => Uint8Array;
}

/** Who made the call that is being answered, for the audit trail. */
export const currentCaller = new AsyncLocalStorage<Caller & { readonly origin?: Origin }>();

export function createTenants(options: TenantsOptions): Tenants {
  const tenants = new Map<string, Promise<Tenant>>();
  const listeners: ChangeListener[] = [];

  const opened: Tenant[] = [];
  const isPhantom = (value: string): boolean =>
    opened.some(({ connections }) => connections.phantoms.has(value));

  const open = (principal: Principal): Promise<Tenant> => {
    const known = tenants.get(principal.id);
    if (known !== undefined) return known;
    const opening = openTenant({ ...options, isPhantom }, principal, listeners);
    tenants.set(principal.id, opening);
    // A vault that did not open (its keychain was locked) is tried again by the next call.
    opening.then(
      (tenant) => opened.push(tenant),
      () => tenants.delete(principal.id),
    );
    return opening;
  };

  let lastChange: Promise<unknown> = Promise.resolve();
  const changePassphrase = async (passphrase: string | undefined): Promise<KeySources> => {
    const sources =
      passphrase === undefined ? await removePassphrase(options) : await setPassphrase(options, passphrase);
    for (const tenant of await Promise.all(tenants.values())) tenant.keySource = sources[0];
    return sources;
  };

  return {
    open,
    of: ({ principal }) => open(principal),
    openAll: async () => Promise.all((await options.principals.all()).map(open)),
    all: () => Promise.all(tenants.values()),
    onChange: (listener) => listeners.push(listener),
    changePassphrase(passphrase) {
      const change = lastChange.then(() => changePassphrase(passphrase));
      lastChange = change.catch(() => undefined);
      return change;
    },
    async close() {
      const opened = await Promise.allSettled(tenants.values());
      await Promise.all(
        opened.map((tenant) =>
          tenant.status === 'fulfilled' ? tenant.value.connections.close() : undefined,
        ),
      );
    },
  };
}

async function openTenant(
  options: TenantsOptions & { readonly isPhantom: (value: string) => boolean },
  principal: Principal,
  listeners: readonly ChangeListener[],
): Promise<Tenant> {
  const { vault, keySource } = await unlockVault({ ...options, vaultId: principal.vaultId });
  const [first] = await options.principals.all();
  const audit = viewOf(options.trail, {
    principal: principal.id,
    isFirst: principal.id === first?.id,
    seesAll: principal.role === 'admin',
  });
  const catalog = catalogFor(principal, options.catalog);
  const connections = createConnections({
    ...options,
    vault,
    catalog,
    notify: (event) => {
      const by = currentCaller.getStore();
      audit.append(by === undefined ? event : { ...event, identity: by.handle, ...by.origin });
    },
  });
  const { policy } = options;
  const tenant: Tenant = { principal, connections, keySource, catalog, policy, audit };
  connections.onChange((change) => {
    for (const listener of listeners) listener(tenant, change);
  });
  await connections.start();
  return tenant;
}
