import type { KeyWrappingKind, KeyWrappingRow, NewVaultRow, VaultRow, VaultTable } from '../vault-table.ts';
import type { Database } from './database.ts';

const columns = 'id, wrapped_key AS wrappedKey, key_check AS keyCheck';

export class SqliteVaultTable implements VaultTable {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  get location(): string {
    return this.#database.path;
  }

  async all(): Promise<readonly VaultRow[]> {
    return this.#rows();
  }

  async findOrAdd(id: string, make: (existing: readonly VaultRow[]) => NewVaultRow): Promise<VaultRow> {
    // Most starts find it and need no write lock. With the lock, the read is repeated.
    return (
      this.#find(id) ?? this.#database.transaction(() => this.#find(id) ?? this.#add(make(this.#rows())))
    );
  }

  async wrapping(kind: KeyWrappingKind): Promise<KeyWrappingRow | undefined> {
    // A database that is read as found may be of an authsome that knew no wrappings.
    const table = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name = 'key_wrappings'";
    if (this.#database.one(table) === undefined) return undefined;
    return this.#database.one<KeyWrappingRow>(
      'SELECT parameters, sealed FROM key_wrappings WHERE kind = ?',
      kind,
    );
  }

  async putWrapping(kind: KeyWrappingKind, { parameters, sealed }: KeyWrappingRow): Promise<void> {
    this.#database.run(
      'INSERT OR REPLACE INTO key_wrappings (kind, parameters, sealed) VALUES (?, ?, ?)',
      kind,
      parameters,
      sealed,
    );
  }

  async removeWrapping(kind: KeyWrappingKind): Promise<void> {
    this.#database.run('DELETE FROM key_wrappings WHERE kind = ?', kind);
  }

  #rows(): readonly VaultRow[] {
    return this.#database.all<VaultRow>(`SELECT ${columns} FROM vaults`);
  }

  #find(id: string): VaultRow | undefined {
    return this.#database.one<VaultRow>(`SELECT ${columns} FROM vaults WHERE id = ?`, id);
  }

  #add(row: NewVaultRow): VaultRow {
    this.#database.run(
      'INSERT INTO vaults (id, wrapped_key, key_check, created_at_ms) VALUES (?, ?, ?, ?)',
      row.id,
      row.wrappedKey,
      row.keyCheck,
      row.createdAtMs,
    );
    return row;
  }
}
