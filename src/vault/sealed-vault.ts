import { AuthsomeError } from '../errors.ts';
import type { RecordListing, RecordTable, Storage } from '../storage/index.ts';
import { Leases } from './lease.ts';
import type { RecordKind, StoredRecord, Vault } from './record.ts';
import { authenticate, type Place, type RandomBytes, type SealingKey, seal, unseal, verify } from './seal.ts';
import { vaultKey } from './vault-key.ts';

/** The tables that a vault is stored in. */
export type VaultStorage = Pick<Storage, 'vaults' | 'records' | 'leases'>;

export interface VaultOptions {
  readonly storage: VaultStorage;
  /** 32 bytes. */
  readonly masterKey: Uint8Array;
  readonly vaultId: string;
  readonly randomBytes: RandomBytes;
  readonly nowMs: () => number;
}

/**
 * The vault with that id, made when there is none yet. Throws `WrongMasterKey` when the key is not the vault's
 * and `DatabaseCorrupt` when its own key cannot be read.
 */
export async function openVault(options: VaultOptions): Promise<Vault> {
  return new SealedVault(options, await vaultKey(options));
}

/** Seals what the record table stores, so that the table learns names and readable fields and no secret. */
class SealedVault implements Vault {
  readonly id: string;
  readonly #records: RecordTable;
  readonly #key: SealingKey;
  readonly #leases: Leases;
  readonly #randomBytes: RandomBytes;

  constructor({ storage, vaultId, randomBytes, nowMs }: VaultOptions, key: SealingKey) {
    this.id = vaultId;
    this.#records = storage.records;
    this.#key = key;
    this.#leases = new Leases({ table: storage.leases, scope: vaultId, randomBytes, nowMs });
    this.#randomBytes = randomBytes;
  }

  async read(kind: RecordKind, name: string): Promise<StoredRecord | undefined> {
    const row = await this.#records.read({ vault: this.id, kind, name });
    if (row === undefined) return undefined;
    const secretNames = row.secrets.map(({ field }) => field);
    const record = this.#readable(kind, { ...row, name, secretNames });
    const secrets: Record<string, string> = {};
    for (const { field, sealed } of row.secrets) {
      const place = this.#place(kind, name, `secret ${field}`, record.version);
      secrets[field] = Buffer.from(unseal(this.#key, place, sealed)).toString('utf8');
    }
    return { ...record, secrets };
  }

  async list(kind: RecordKind): Promise<readonly Omit<StoredRecord, 'secrets'>[]> {
    const rows = await this.#records.list(this.id, kind);
    return rows.map((row) => this.#readable(kind, row));
  }

  async write(
    record: Omit<StoredRecord, 'version'>,
    expectedVersion: number,
  ): Promise<StoredRecord | undefined> {
    const { kind, name } = record;
    const version = expectedVersion + 1;
    const fields = JSON.stringify(record.fields);
    const place = this.#place(kind, name, 'fields', version);
    const proof = authenticate(this.#key, place, provedContent(fields, Object.keys(record.secrets)));
    const secrets = Object.entries(record.secrets).map(([field, value]) => {
      const place = this.#place(kind, name, `secret ${field}`, version);
      return { field, sealed: seal(this.#key, place, Buffer.from(value, 'utf8'), this.#randomBytes) };
    });
    const written = await this.#records.write({
      vault: this.id,
      kind,
      name,
      version,
      fields,
      proof,
      secrets,
    });
    return written ? { kind, name, version, fields: record.fields, secrets: record.secrets } : undefined;
  }

  remove(kind: RecordKind, name: string): Promise<boolean> {
    return this.#records.remove({ vault: this.id, kind, name });
  }

  exclusively<Result>(name: string, leaseMs: number, work: () => Promise<Result>): Promise<Result> {
    return this.#leases.exclusively(name, leaseMs, work);
  }

  #readable(kind: RecordKind, row: RecordListing): Omit<StoredRecord, 'secrets'> {
    const place = this.#place(kind, row.name, 'fields', row.version);
    verify(this.#key, place, provedContent(row.fields, row.secretNames), row.proof);
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
