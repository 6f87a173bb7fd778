/**
 * The embedded SQL database: one small synchronous interface over SQLite, and the migration runner. It knows no
 * table of its own; the vault and the audit trail bring their migrations.
 */
export type { Database, Migration, SqlValue } from './database.ts';
