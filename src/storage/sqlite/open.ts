import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Database, SqlValue } from './database.ts';
import { isBusy, sqliteFailure } from './failure.ts';
import { prepareDatabaseFile } from './file.ts';
import { loadSqlite, type SqliteConnection, type SqliteStatement } from './sqlite-module.ts';

const busyTimeoutMs = 5_000;
const statementCacheSize = 128;

/**
 * The database at `path`, created (0600, with its directory 0700) when missing. Commits are synced to disk
 * before they return, so neither SIGKILL nor a power cut loses one.
 */
export async function openDatabase(path: string): Promise<Database> {
  const file = resolve(path);
  const { DatabaseSync } = await loadSqlite();
  prepareDatabaseFile(file);
  const deadline = performance.now() + busyTimeoutMs;
  for (;;) {
    let connection: SqliteConnection | undefined;
    try {
      connection = new DatabaseSync(file);
      configure(connection);
      return new SqliteDatabase(file, connection);
    } catch (error) {
      connection?.close();
      // The switch to WAL does not wait for the busy timeout when two processes meet at a new file.
      if (!isBusy(error) || performance.now() > deadline) throw sqliteFailure(error, file);
      await sleep(20);
    }
  }
}

function configure(connection: SqliteConnection): void {
  connection.exec(`PRAGMA busy_timeout = ${busyTimeoutMs}`);
  connection.exec('PRAGMA journal_mode = WAL');
  connection.exec('PRAGMA synchronous = FULL');
  connection.exec('PRAGMA foreign_keys = ON');
  connection.exec('PRAGMA trusted_schema = OFF');
  connection.exec('PRAGMA cell_size_check = ON');
  // Reads the schema: a file that is not a database fails here and not at some later statement.
  connection.prepare('SELECT count(*) FROM sqlite_schema').get();
}

class SqliteDatabase implements Database {
  readonly path: string;
  readonly #connection: SqliteConnection;
  readonly #statements = new Map<string, SqliteStatement>();
  #inTransaction = false;

  constructor(path: string, connection: SqliteConnection) {
    this.path = path;
    this.#connection = connection;
  }

  run(sql: string, ...values: readonly SqlValue[]): number {
    return this.#guarded(() => Number(this.#statement(sql).run(...values).changes));
  }

  all<Row>(sql: string, ...values: readonly SqlValue[]): Row[] {
    return this.#guarded(() => this.#statement(sql).all(...values) as Row[]);
  }

  one<Row>(sql: string, ...values: readonly SqlValue[]): Row | undefined {
    return this.#guarded(() => this.#statement(sql).get(...values) as Row | undefined);
  }

  script(sql: string): void {
    this.#guarded(() => this.#connection.exec(sql));
  }

  transaction<Result>(work: () => Result): Result {
    if (this.#inTransaction) throw new TypeError('a transaction is open already');
    this.script('BEGIN IMMEDIATE');
    this.#inTransaction = true;
    try {
      const result = work();
      if (result instanceof Promise) throw new TypeError('the work of a transaction must be synchronous');
      this.script('COMMIT');
      return result;
    } catch (error) {
      // After a full disk or an I/O error SQLite has rolled back already, and this fails.
      attempt(() => this.#connection.exec('ROLLBACK'));
      throw error;
    } finally {
      this.#inTransaction = false;
    }
  }

  unsyncedTransaction<Result>(work: () => Result): Result {
    if (this.#inTransaction) throw new TypeError('a transaction is open already');
    this.#connection.exec('PRAGMA synchronous = NORMAL');
    try {
      return this.transaction(work);
    } finally {
      this.#connection.exec('PRAGMA synchronous = FULL');
    }
  }

  close(): void {
    this.#statements.clear();
    // The packaged SQLite closes a connection only once its statements are collected. The write-ahead log must not
    // wait for that.
    attempt(() => this.#connection.exec('PRAGMA wal_checkpoint(TRUNCATE)'));
    this.#connection.close();
  }

  #statement(sql: string): SqliteStatement {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const prepared = this.#connection.prepare(sql);
    if (this.#statements.size >= statementCacheSize) {
      for (const oldest of this.#statements.keys()) {
        this.#statements.delete(oldest);
        break;
      }
    }
    this.#statements.set(sql, prepared);
    return prepared;
  }

  #guarded<Result>(work: () => Result): Result {
    try {
      return work();
    } catch (error) {
      throw sqliteFailure(error, this.path);
    }
  }
}

/** For steps whose failure changes nothing. */
function attempt(step: () => void): void {
  try {
    step();
  } catch {
    // Nothing was lost.
  }
}
