/**
 * The tables of a home's database: a contract for each, and SQLite behind them. What a row means is for the rooms that
 * use it: the vault, the audit trail and the principals.
 */
export type { AuditTable, BlockRow, ChainEnds, ChainLink } from './audit-table.ts';
export type { LeaseKey, LeaseRow, LeaseTable } from './lease-table.ts';
export type { IdentityRow, PrincipalRow, PrincipalTable } from './principal-table.ts';
export type { RecordKey, RecordListing, RecordRow, RecordTable } from './record-table.ts';
export { type FileLock, lockFile } from './sqlite/lock.ts';
export { openStorage, openStorageAsFound } from './sqlite/storage.ts';
export type { Storage } from './storage.ts';
export type { KeyWrappingRow, NewVaultRow, VaultRow, VaultTable } from './vault-table.ts';
