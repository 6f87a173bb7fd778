/**
 * The encrypted store, owned by one principal: sealing, records with optimistic versions, master-key sources
 * and the vault's own migrations.
 */
export { type Keychain, systemKeychain } from './keychain.ts';
export { freeLeases } from './lease.ts';
export {
  type MasterKeySource,
  resolveMasterKey,
} from './master-key.ts';
export { vaultMigrations } from './migrations.ts';
export type { RecordKind, StoredRecord, Vault } from './record.ts';
export { openVault } from './store.ts';
export { requireMasterKey, unlockVault } from './unlock.ts';
