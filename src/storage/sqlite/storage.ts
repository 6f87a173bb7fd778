import type { Storage } from '../storage.ts';
import { auditMigrations } from './audit-migrations.ts';
import { SqliteAuditTable } from './audit-table.ts';
import type { Database } from './database.ts';
import { SqliteLeaseTable } from './lease-table.ts';
import { migrate } from './migrate.ts';
import { openDatabase } from './open.ts';
import { principalMigrations } from './principal-migrations.ts';
import { SqlitePrincipalTable } from './principal-table.ts';
import { SqliteRecordTable } from './record-table.ts';
import { vaultMigrations } from './vault-migrations.ts';
import { SqliteVaultTable } from './vault-table.ts';

/** Every room's tables, in the order that they are made. */
export const schema = [...principalMigrations, ...vaultMigrations, ...auditMigrations];

/** The storage in the SQLite file at `path`: made when it is missing, its schema brought up to date. */
export async function openStorage(path: string): Promise<Storage> {
  const database = await openDatabase(path);
  try {
    migrate(database, schema);
  } catch (error) {
    database.close();
    throw error;
  }
  return sqliteStorage(database);
}

/** As `openStorage`, with the schema that it has: for reading it beside a daemon that has it open. */
export async function openStorageAsFound(path: string): Promise<Storage> {
  return sqliteStorage(await openDatabase(path));
}

export function sqliteStorage(database: Database): Storage {
  return {
    principals: new SqlitePrincipalTable(database),
    vaults: new SqliteVaultTable(database),
    records: new SqliteRecordTable(database),
    leases: new SqliteLeaseTable(database),
    audit: new SqliteAuditTable(database),
    location: database.path,
    async ping() {
      database.one('SELECT count(*) FROM principals');
    },
    async isSound() {
      const [row] = database.all<Record<string, unknown>>('PRAGMA quick_check(1)');
      return Object.values(row ?? {})[0] === 'ok';
    },
    async close() {
      database.close();
    },
  };
}
