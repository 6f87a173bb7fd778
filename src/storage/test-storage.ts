import type { Database } from './sqlite/database.ts';
import { migrate } from './sqlite/migrate.ts';
import { openDatabase } from './sqlite/open.ts';
import { schema, sqliteStorage } from './sqlite/storage.ts';
import type { Storage } from './storage.ts';

export type { Database, SqlValue } from './sqlite/database.ts';
export { openDatabase } from './sqlite/open.ts';
export { sqliteStorage } from './sqlite/storage.ts';

/** A migrated SQLite storage, and the database under it for tests that look at its rows or change them. */
export async function openTestStorage(
  path: string,
): Promise<{ readonly database: Database; readonly storage: Storage }> {
  const database = await openDatabase(path);
  migrate(database, schema);
  return { database, storage: sqliteStorage(database) };
}
