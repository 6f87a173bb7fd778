/**
 * The encrypted store, owned by one principal: sealing, records with optimistic versions, master-key sources
 * and the vault's own migrations.
 */
export { vaultMigrations } from './migrations.ts';
export type { RecordKind, StoredRecord, Vault } from './record.ts';
export { openVault, type VaultOptions } from './store.ts';
export { hasVault } from './vault-key.ts';
