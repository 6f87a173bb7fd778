/**
 * The encrypted store, owned by one principal: sealing, records with optimistic versions, master-key sources
 * and the vault's own migrations.
 */
export type { RecordKind, StoredRecord, Vault } from './record.ts';
