import type { AuditTable } from './audit-table.ts';
import type { LeaseTable } from './lease-table.ts';
import type { PrincipalTable } from './principal-table.ts';
import type { RecordTable } from './record-table.ts';
import type { VaultTable } from './vault-table.ts';

/** Everything that a home stores in its database, table by table: what a dialect of SQL has to provide. */
export interface Storage {
  readonly principals: PrincipalTable;
  readonly vaults: VaultTable;
  readonly records: RecordTable;
  readonly leases: LeaseTable;
  readonly audit: AuditTable;
  /** Where the database is, for messages: the absolute path of its file. */
  readonly location: string;
  /** Throws when the database does not answer. Costs next to nothing. */
  ping(): Promise<void>;
  /** Whether the database is undamaged. Reads all of it. */
  isSound(): Promise<boolean>;
  close(): Promise<void>;
}
