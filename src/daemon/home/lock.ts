import { AuthsomeError } from '../../errors.ts';
import type { Database } from '../../storage/index.ts';
import { openDatabase } from '../../storage/index.ts';

/** Held until it is released or the process is gone, whichever way it went. */
export interface HomeLock {
  release(): void;
}

/**
 * The lock of a home, or `undefined` while another daemon holds it. It is SQLite's own write lock on a file that
 * never holds anything: the operating system lets go of it when the process dies, so that none is ever stale.
 */
export async function lockHome(lockFile: string): Promise<HomeLock | undefined> {
  const database = await openDatabase(lockFile);
  try {
    database.script('PRAGMA busy_timeout = 0');
    database.script('BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    if (error instanceof AuthsomeError && error.code === 'HomeNotUsable') return undefined;
    throw error;
  }
  return { release: () => release(database) };
}

function release(database: Database): void {
  database.script('ROLLBACK');
  database.close();
}
