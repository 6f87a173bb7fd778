import { setImmediate as nextTurn } from 'node:timers/promises';
import type { LeaseKey, LeaseRow } from './lease-table.ts';
import type { IdentityRow } from './principal-table.ts';
import type { RecordKey, RecordRow } from './record-table.ts';
import type { Storage } from './storage.ts';
import type { KeyWrappingRow, VaultRow } from './vault-table.ts';

export type MemoryStorage = Pick<Storage, 'principals' | 'vaults' | 'records' | 'leases'>;

/**
 * A second dialect: the same contracts over maps. Every call takes a turn of the event loop before it looks and another
 * before it returns, as one over a network does, so nothing can rely on SQLite answering at once.
 */
export function memoryStorage(): MemoryStorage {
  const vaults = new Map<string, VaultRow>();
  const wrappings = new Map<string, KeyWrappingRow>();
  const records = new Map<string, RecordRow>();
  const leases = new Map<string, LeaseRow>();
  const identities: IdentityRow[] = [];

  return {
    vaults: {
      location: 'memory',
      all: () => step(() => [...vaults.values()]),
      findOrAdd: (id, make) =>
        step(() => {
          const row = vaults.get(id) ?? make([...vaults.values()]);
          vaults.set(id, row);
          return row;
        }),
      wrapping: (kind) => step(() => wrappings.get(kind)),
      putWrapping: (kind, row) => step(() => void wrappings.set(kind, row)),
      removeWrapping: (kind) => step(() => void wrappings.delete(kind)),
    },
    records: {
      read: (key) => step(() => records.get(textOf(key))),
      list: (vault, kind) =>
        step(() =>
          [...records.values()]
            .filter((row) => row.vault === vault && row.kind === kind)
            .sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)))
            .map(({ secrets, ...row }) => ({ ...row, secretNames: secrets.map(({ field }) => field) })),
        ),
      write: (row) =>
        step(() => {
          if ((records.get(textOf(row))?.version ?? 0) !== row.version - 1) return false;
          records.set(textOf(row), row);
          return true;
        }),
      remove: (key) => step(() => records.delete(textOf(key))),
    },
    leases: {
      find: (key) => step(() => leases.get(leaseText(key))),
      take: (key, owner, expiresAtMs) =>
        step(() => {
          if (leases.has(leaseText(key))) return false;
          leases.set(leaseText(key), { owner, renewals: 0, expiresAtMs });
          return true;
        }),
      takeOver: (key, found, owner, expiresAtMs) =>
        step(() => {
          const lease = leases.get(leaseText(key));
          if (lease?.owner !== found.owner || lease.renewals !== found.renewals) return false;
          leases.set(leaseText(key), { owner, renewals: 0, expiresAtMs });
          return true;
        }),
      renew: (key, owner, expiresAtMs) =>
        step(() => {
          const lease = leases.get(leaseText(key));
          if (lease?.owner !== owner) return;
          leases.set(leaseText(key), { owner, renewals: lease.renewals + 1, expiresAtMs });
        }),
      release: (key, owner) =>
        step(() => {
          if (leases.get(leaseText(key))?.owner === owner) leases.delete(leaseText(key));
        }),
      freeAll: () => step(() => leases.clear()),
    },
    principals: {
      all: () => step(() => [...new Set(identities.map(({ principal }) => principal))]),
      identity: (did) => step(() => identities.find((identity) => identity.did === did)),
      addFirst: (identity) =>
        step(() => {
          if (identities.length > 0) return false;
          identities.push(identity);
          return true;
        }),
    },
  };
}

async function step<Result>(work: () => Result): Promise<Result> {
  await nextTurn();
  const result = work();
  await nextTurn();
  return result;
}

function textOf({ vault, kind, name }: RecordKey): string {
  return JSON.stringify([vault, kind, name]);
}

function leaseText({ scope, name }: LeaseKey): string {
  return JSON.stringify([scope, name]);
}
