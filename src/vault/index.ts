/**
 * The encrypted store, owned by one principal: it seals what the record table stores, finds the master key, and lets
 * one process at a time refresh a credential.
 */
export { type Keychain, systemKeychain } from './keychain.ts';
export {
  type MasterKeySource,
  resolveMasterKey,
} from './master-key.ts';
export type { RecordKind, StoredRecord, Vault } from './record.ts';
export { openVault } from './sealed-vault.ts';
export { requireMasterKey, unlockVault } from './unlock.ts';
