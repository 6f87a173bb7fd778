import { AuthsomeError } from '../../errors.ts';
import type { Database } from './database.ts';
import { openDatabase } from './open.ts';

/** Held until it is released or the process ends, in whatever way. */
export interface FileLock {
  release(): void;
}

/**
 * The lock that `path` stands for, or `undefined` while another process holds it. It is SQLite's own write lock on a
 * file that never contains anything: the operating system frees it when the process dies, so that none is ever stale.
 */
export async function lockFile(path: string): Promise<FileLock | undefined> {
  const database = await openDatabase(path);
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
