import type { Vault } from '../../vault/index.ts';

/**
 * A vault that knows which exchanges with providers are under way: everything that spends a code or a refresh token
 * does so under a lease. A daemon that stops between the response and its write would lose the grant.
 */
export interface Exchanges {
  readonly vault: Vault;
  /**
   * Resolves when those under way have ended. New ones are held back for good: the process is about to end, and what
   * they would have done is taken up by the next one.
   */
  close(): Promise<void>;
}

export function trackExchanges(vault: Vault): Exchanges {
  const running = new Set<Promise<unknown>>();
  let isClosed = false;
  return {
    vault: {
      id: vault.id,
      read: (kind, name) => vault.read(kind, name),
      list: (kind) => vault.list(kind),
      write: (record, expectedVersion) => vault.write(record, expectedVersion),
      remove: (kind, name) => vault.remove(kind, name),
      async exclusively(name, leaseMs, work) {
        if (isClosed) return await new Promise<never>(() => {});
        const exchange = vault.exclusively(name, leaseMs, work);
        const settled = exchange.then(ignore, ignore);
        running.add(settled);
        void settled.then(() => running.delete(settled));
        return await exchange;
      },
    },
    async close() {
      isClosed = true;
      await Promise.all(running);
    },
  };
}

function ignore(): void {}
