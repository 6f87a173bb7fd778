import { AuthsomeError } from '../errors.ts';
import type { Database } from '../storage/index.ts';
import { type Leases, openLeases } from './lease.ts';
import type { RecordKind, StoredRecord, Vault } from './record.ts';
import { authenticate, type Place, type RandomBytes, type SealingKey, seal, unseal, verify } from './seal.ts';
import { vaultKey } from './vault-key.ts';

export interface VaultOptions {
  /** With `vaultMigrations` applied. */
  readonly database: Database;
  /** 32 bytes. */
  readonly masterKey: Uint8Array;
  readonly vaultId: string;
  readonly randomBytes: RandomBytes;
  readonly nowMs: () => number;
}

interface RecordRow {
  readonly name: string;
  readonly version: number;
  readonly fields: string;
  readonly proof: Uint8Array;
  /** Names of the record's secrets: a JSON list. */
  readonly secret_names: string;
}

interface SecretRow extends RecordRow {
  readonly field: string | null;
  readonly sealed: Uint8Array | null;
}

/**
 * The vault with that id, made when there is none yet. Throws `WrongMasterKey` when the key is not the vault's
 * and `DatabaseCorrupt` when its own key cannot be read.
 */
export async function openVault(options: VaultOptions): Promise<Vault> {
  const { database, vaultId, masterKey, randomBytes, nowMs } = options;
  const key = vaultKey(database, vaultId, masterKey, randomBytes, nowMs);
  return new SqlVault(
    vaultId,
    database,
    key,
    openLeases({ database, scope: vaultId, randomBytes, nowMs }),
    randomBytes,
  );
}

// One statement each, so that a record and its secrets are of the same version whoever else is writing.
const recordColumns = `name, version, fields, proof, (
  SELECT json_group_array(field) FROM secrets AS s
  WHERE s.vault = r.vault AND s.kind = r.kind AND s.name = r.name
) AS secret_names`;

class SqlVault implements Vault {
  readonly id: string;
  readonly #database: Database;
  readonly #key: SealingKey;
  readonly #leases: Leases;
  readonly #randomBytes: RandomBytes;

  constructor(id: string, database: Database, key: SealingKey, leases: Leases, randomBytes: RandomBytes) {
    this.id = id;
    this.#database = database;
    this.#key = key;
    this.#leases = leases;
    this.#randomBytes = randomBytes;
  }

  async read(kind: RecordKind, name: string): Promise<StoredRecord | undefined> {
    const rows = this.#database.all<SecretRow>(
      `SELECT ${recordColumns}, field, sealed FROM records AS r LEFT JOIN secrets USING (vault, kind, name)
       WHERE vault = ? AND kind = ? AND name = ?`,
      this.id,
      kind,
      name,
    );
    const [first] = rows;
    if (first === undefined) return undefined;
    const record = this.#readable(kind, first);
    const secrets: Record<string, string> = {};
    for (const { field, sealed } of rows) {
      if (field === null || sealed === null) continue;
      const place = this.#place(kind, name, `secret ${field}`, record.version);
      secrets[field] = Buffer.from(unseal(this.#key, place, sealed)).toString('utf8');
    }
    return { ...record, secrets };
  }

  async list(kind: RecordKind): Promise<readonly Omit<StoredRecord, 'secrets'>[]> {
    return this.#database
      .all<RecordRow>(
        `SELECT ${recordColumns} FROM records AS r WHERE vault = ? AND kind = ? ORDER BY name`,
        this.id,
        kind,
      )
      .map((row) => this.#readable(kind, row));
  }

  async write(
    record: Omit<StoredRecord, 'version'>,
    expectedVersion: number,
  ): Promise<StoredRecord | undefined> {
    const { kind, name } = record;
    const version = expectedVersion + 1;
    const fields = JSON.stringify(record.fields);
    const secrets = Object.entries(record.secrets);
    const place = this.#place(kind, name, 'fields', version);
    const proof = authenticate(this.#key, place, provedContent(fields, Object.keys(record.secrets)));
    // Sealed before the write lock is taken.
    const sealed = secrets.map(([field, value]) => {
      const place = this.#place(kind, name, `secret ${field}`, version);
      return [field, seal(this.#key, place, Buffer.from(value, 'utf8'), this.#randomBytes)] as const;
    });
    const written = this.#database.transaction(() => {
      if (!this.#claimVersion(kind, name, expectedVersion, fields, proof)) return false;
      this.#database.run(
        'DELETE FROM secrets WHERE vault = ? AND kind = ? AND name = ?',
        this.id,
        kind,
        name,
      );
      for (const [field, bytes] of sealed) {
        this.#database.run(
          'INSERT INTO secrets (vault, kind, name, field, sealed) VALUES (?, ?, ?, ?, ?)',
          this.id,
          kind,
          name,
          field,
          bytes,
        );
      }
      return true;
    });
    return written ? { kind, name, version, fields: record.fields, secrets: record.secrets } : undefined;
  }

  async remove(kind: RecordKind, name: string): Promise<boolean> {
    return (
      this.#database.run(
        'DELETE FROM records WHERE vault = ? AND kind = ? AND name = ?',
        this.id,
        kind,
        name,
      ) > 0
    );
  }

  exclusively<Result>(name: string, leaseMs: number, work: () => Promise<Result>): Promise<Result> {
    return this.#leases.exclusively(name, leaseMs, work);
  }

  /** Whether the record was at `expectedVersion`; it is one further then. */
  #claimVersion(
    kind: RecordKind,
    name: string,
    expectedVersion: number,
    fields: string,
    proof: Uint8Array,
  ): boolean {
    const changed =
      expectedVersion === 0
        ? this.#database.run(
            'INSERT OR IGNORE INTO records (vault, kind, name, version, fields, proof) VALUES (?, ?, ?, 1, ?, ?)',
            this.id,
            kind,
            name,
            fields,
            proof,
          )
        : this.#database.run(
            'UPDATE records SET version = version + 1, fields = ?, proof = ? WHERE vault = ? AND kind = ? AND name = ? AND version = ?',
            fields,
            proof,
            this.id,
            kind,
            name,
            expectedVersion,
          );
    return changed === 1;
  }

  #readable(kind: RecordKind, row: RecordRow): Omit<StoredRecord, 'secrets'> {
    const place = this.#place(kind, row.name, 'fields', row.version);
    verify(this.#key, place, provedContent(row.fields, JSON.parse(row.secret_names) as string[]), row.proof);
    return { kind, name: row.name, version: row.version, fields: parseFields(row.fields, place) };
  }

  #place(kind: RecordKind, name: string, field: string, version: number): Place {
    return { vault: this.id, record: `${kind} ${name}`, field, version };
  }
}

/**
 * The readable fields are no secret but steer where secrets go (a base URL, say), so they are authenticated,
 * together with the names of the secrets: none can be left out.
 */
function provedContent(fields: string, secretNames: readonly string[]): string {
  return `${JSON.stringify([...secretNames].sort())}\n${fields}`;
}

function parseFields(text: string, place: Place): Readonly<Record<string, unknown>> {
  const parsed: unknown = JSON.parse(text);
  if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed))
    return parsed as Record<string, unknown>;
  throw new AuthsomeError('DatabaseCorrupt', `the stored fields of ${place.record} are not an object`);
}
