import { AuthsomeError } from '../../errors.ts';
import type { Database, Migration } from './database.ts';

/**
 * Brings the schema of every room in `migrations` up to date, each step in a transaction of its own together with
 * its version. A database that a newer authsome wrote is refused with `HomeNotUsable`, untouched.
 */
export function migrate(database: Database, migrations: readonly Migration[]): void {
  const rooms = byRoom(migrations);
  database.script(
    'CREATE TABLE IF NOT EXISTS schema_versions (room TEXT PRIMARY KEY, version INTEGER NOT NULL) STRICT, WITHOUT ROWID',
  );
  for (const [room, steps] of rooms) {
    const applied = appliedVersion(database, room);
    if (applied > steps.length) throw newerSchema(database, room, applied, steps.length);
  }
  for (const [room, steps] of rooms) {
    for (const step of steps) {
      // Most starts find nothing to do and need no write lock. With the lock, the version is read again.
      if (appliedVersion(database, room) >= step.version) continue;
      database.transaction(() => {
        if (appliedVersion(database, room) >= step.version) return;
        database.script(step.sql);
        database.run(
          'INSERT OR REPLACE INTO schema_versions (room, version) VALUES (?, ?)',
          room,
          step.version,
        );
      });
    }
  }
}

function byRoom(migrations: readonly Migration[]): ReadonlyMap<string, readonly Migration[]> {
  const rooms = new Map<string, Migration[]>();
  for (const migration of migrations) {
    const steps = rooms.get(migration.room) ?? [];
    if (migration.version !== steps.length + 1) {
      throw new TypeError(`migrations of ${migration.room} must count from 1 without a gap`);
    }
    rooms.set(migration.room, [...steps, migration]);
  }
  return rooms;
}

function appliedVersion(database: Database, room: string): number {
  const row = database.one<{ version: number }>('SELECT version FROM schema_versions WHERE room = ?', room);
  return row?.version ?? 0;
}

function newerSchema(database: Database, room: string, found: number, known: number): AuthsomeError {
  return new AuthsomeError(
    'HomeNotUsable',
    `a newer authsome wrote this database: ${database.path} (${room} schema ${found}, this version knows ${known})`,
    { hint: 'Upgrade with: npm install -g authsome@latest. Or use another AUTHSOME_HOME.' },
  );
}
