export type SqlValue = string | number | bigint | Uint8Array | null;

/**
 * A SQLite database. Failures arrive as AuthsomeError: `DatabaseCorrupt`, `StorageFull`, `HomeNotUsable`. What is
 * committed is on disk when the call returns.
 */
export interface Database {
  /** Absolute path of the file, for messages. */
  readonly path: string;
  /** Runs one statement; returns the number of rows it changed. */
  run(sql: string, ...values: readonly SqlValue[]): number;
  all<Row>(sql: string, ...values: readonly SqlValue[]): Row[];
  one<Row>(sql: string, ...values: readonly SqlValue[]): Row | undefined;
  /** Runs a script: any number of statements, no values. For migrations. */
  script(sql: string): void;
  /** `work` inside BEGIN IMMEDIATE … COMMIT; rolled back when it throws. Not nested. */
  transaction<Result>(work: () => Result): Result;
  /**
   * As `transaction`, without the wait for the disk: survives the death of the process, but a power cut can take
   * it back until the next `transaction` returns. Never out of order, never half.
   */
  unsyncedTransaction<Result>(work: () => Result): Result;
  close(): void;
}

/** One step of one room's schema, applied once, in order of `version` (from 1). */
export interface Migration {
  readonly room: string;
  readonly version: number;
  readonly sql: string;
}
