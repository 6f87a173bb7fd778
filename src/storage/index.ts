/**
 * The embedded SQL database: one small synchronous interface over SQLite, and the migration runner. It knows no
 * table of its own but the list of applied migrations; the vault and the audit trail bring theirs.
 */
export type { Database, Migration, SqlValue } from './sqlite/database.ts';
export { migrate } from './sqlite/migrate.ts';
export { openDatabase } from './sqlite/open.ts';
