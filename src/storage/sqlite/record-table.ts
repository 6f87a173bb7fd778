import type { RecordKey, RecordListing, RecordRow, RecordTable, SecretRow } from '../record-table.ts';
import type { Database } from './database.ts';

interface JoinedRow {
  readonly version: number;
  readonly fields: string;
  readonly proof: Uint8Array;
  readonly field: string | null;
  readonly sealed: Uint8Array | null;
}

interface ListedRow {
  readonly name: string;
  readonly version: number;
  readonly fields: string;
  readonly proof: Uint8Array;
  /** A JSON list. */
  readonly secret_names: string;
}

export class SqliteRecordTable implements RecordTable {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  // One statement for each read, so that a record and its secrets are of the same version.
  async read({ vault, kind, name }: RecordKey): Promise<RecordRow | undefined> {
    const rows = this.#database.all<JoinedRow>(
      `SELECT version, fields, proof, field, sealed FROM records LEFT JOIN secrets USING (vault, kind, name)
       WHERE vault = ? AND kind = ? AND name = ?`,
      vault,
      kind,
      name,
    );
    const [first] = rows;
    if (first === undefined) return undefined;
    const { version, fields, proof } = first;
    return { vault, kind, name, version, fields, proof, secrets: rows.flatMap(secretOf) };
  }

  async list(vault: string, kind: string): Promise<readonly RecordListing[]> {
    const rows = this.#database.all<ListedRow>(
      `SELECT name, version, fields, proof, (
         SELECT json_group_array(field) FROM secrets AS s
         WHERE s.vault = r.vault AND s.kind = r.kind AND s.name = r.name
       ) AS secret_names
       FROM records AS r WHERE vault = ? AND kind = ? ORDER BY name`,
      vault,
      kind,
    );
    return rows.map(({ secret_names, ...row }) => ({
      vault,
      kind,
      ...row,
      secretNames: JSON.parse(secret_names) as string[],
    }));
  }

  async write(row: RecordRow): Promise<boolean> {
    const { vault, kind, name } = row;
    return this.#database.transaction(() => {
      if (!this.#claimVersion(row)) return false;
      this.#database.run('DELETE FROM secrets WHERE vault = ? AND kind = ? AND name = ?', vault, kind, name);
      for (const { field, sealed } of row.secrets) {
        this.#database.run(
          'INSERT INTO secrets (vault, kind, name, field, sealed) VALUES (?, ?, ?, ?, ?)',
          vault,
          kind,
          name,
          field,
          sealed,
        );
      }
      return true;
    });
  }

  async remove({ vault, kind, name }: RecordKey): Promise<boolean> {
    const removed = this.#database.run(
      'DELETE FROM records WHERE vault = ? AND kind = ? AND name = ?',
      vault,
      kind,
      name,
    );
    return removed > 0;
  }

  /** Whether the record was at the version before; it is at the row's then. */
  #claimVersion({ vault, kind, name, version, fields, proof }: RecordRow): boolean {
    const changed =
      version === 1
        ? this.#database.run(
            'INSERT OR IGNORE INTO records (vault, kind, name, version, fields, proof) VALUES (?, ?, ?, 1, ?, ?)',
            vault,
            kind,
            name,
            fields,
            proof,
          )
        : this.#database.run(
            'UPDATE records SET version = version + 1, fields = ?, proof = ? WHERE vault = ? AND kind = ? AND name = ? AND version = ?',
            fields,
            proof,
            vault,
            kind,
            name,
            version - 1,
          );
    return changed === 1;
  }
}

/** Nothing in the one row of a record without secrets. */
function secretOf({ field, sealed }: JoinedRow): readonly SecretRow[] {
  return field === null || sealed === null ? [] : [{ field, sealed }];
}
