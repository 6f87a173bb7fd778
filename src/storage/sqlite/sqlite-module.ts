/** The part of the `node:sqlite` API that is used here; `@photostructure/sqlite` has the same. */
export interface SqliteModule {
  readonly DatabaseSync: new (path: string) => SqliteConnection;
}

export interface SqliteConnection {
  exec(sql: string): void;
  prepare(sql: string): SqliteStatement;
  close(): void;
}

export interface SqliteStatement {
  run(...values: readonly unknown[]): { readonly changes: number | bigint };
  all(...values: readonly unknown[]): unknown[];
  get(...values: readonly unknown[]): unknown;
}

let loaded: SqliteModule | undefined;

/** Node's own SQLite where this Node has it, else the packaged build of the same API. */
export async function loadSqlite(): Promise<SqliteModule> {
  loaded ??= builtinSqlite() ?? ((await import('@photostructure/sqlite')) as SqliteModule);
  return loaded;
}

/**
 * Node 22 and some versions of 24 warn on stderr that their SQLite is experimental, which is of no use to a person at
 * the terminal. They do so while the module loads, synchronously, so this withholds that one warning and no other.
 */
function builtinSqlite(): SqliteModule | undefined {
  const emitWarning = process.emitWarning;
  process.emitWarning = () => {};
  try {
    return process.getBuiltinModule('node:sqlite') as SqliteModule | undefined;
  } finally {
    process.emitWarning = emitWarning;
  }
}
