/**
 * The encrypted store, owned by one principal: it seals what the record table stores, finds the master key or
 * opens it with a passphrase, and lets one process at a time refresh a credential.
 */
export { type Keychain, systemKeychain } from './keychain.ts';
export {
  type MasterKeySource,
  resolveMasterKey,
} from './master-key.ts';
export { type KeySources, removePassphrase, setPassphrase } from './passphrase-change.ts';
export { type PassphraseKey, passphraseKey } from './passphrase-key.ts';
export type { RecordKind, StoredRecord, Vault } from './record.ts';
export { openVault } from './sealed-vault.ts';
export { requireMasterKey, unlockVault } from './unlock.ts';
