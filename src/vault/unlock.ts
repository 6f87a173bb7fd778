import type { Database } from '../storage/index.ts';
import type { Keychain } from './keychain.ts';
import { type MasterKeySource, resolveMasterKey } from './master-key.ts';
import type { Vault } from './record.ts';
import type { RandomBytes } from './seal.ts';
import { openVault } from './store.ts';
import { hasVault, opensVaults, wrongMasterKey } from './vault-key.ts';

export interface UnlockOptions {
  /** With `vaultMigrations` applied. */
  readonly database: Database;
  readonly vaultId: string;
  readonly masterKey: string | undefined;
  readonly masterKeyFile: string | undefined;
  readonly serverDirectory: string;
  readonly keychain: Keychain | undefined;
  readonly randomBytes: RandomBytes;
  readonly nowMs: () => number;
}

/**
 * The vault, opened with the master key from wherever it is kept, and where that was. For the holder of the home's
 * lock only: two first starts at once could make two keys and lose the one that the vault was made with.
 */
export async function unlockVault(
  options: UnlockOptions,
): Promise<{ readonly vault: Vault; readonly keySource: MasterKeySource }> {
  const { database, vaultId, randomBytes, nowMs } = options;
  const { key, source } = await resolveMasterKey({
    ...options,
    vaultExists: hasVault(database),
    opensVault: (candidate) => opensVaults(database, candidate),
  });
  return {
    vault: await openVault({ database, masterKey: key, vaultId, randomBytes, nowMs }),
    keySource: source,
  };
}

/** Throws `WrongMasterKey` unless the master key of the vaults that exist is at hand. Makes nothing. */
export async function requireMasterKey(options: Omit<UnlockOptions, 'vaultId' | 'nowMs'>): Promise<void> {
  const { database } = options;
  if (!hasVault(database)) return;
  const { key } = await resolveMasterKey({
    ...options,
    vaultExists: true,
    opensVault: (candidate) => opensVaults(database, candidate),
  });
  if (!opensVaults(database, key)) throw wrongMasterKey(database);
}
