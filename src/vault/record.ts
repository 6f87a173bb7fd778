export type RecordKind = 'connection' | 'client' | 'auth-session' | 'default' | 'phantom';

/**
 * One record of a vault. `fields` are readable metadata (JSON, no secrets); each entry of `secrets` is sealed on
 * its own with vault|record|field|version as associated data.
 */
export interface StoredRecord {
  readonly kind: RecordKind;
  /** Unique within its kind; for a connection `provider/connection`. */
  readonly name: string;
  /** 1 on creation, +1 with every write. */
  readonly version: number;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly secrets: Readonly<Record<string, string>>;
}

export interface Vault {
  readonly id: string;
  read(kind: RecordKind, name: string): Promise<StoredRecord | undefined>;
  /** Metadata only: nothing is decrypted. Ordered by name. */
  list(kind: RecordKind): Promise<readonly Omit<StoredRecord, 'secrets'>[]>;
  /**
   * Writes when the stored version is still `expectedVersion` (0: must not exist); returns the record as stored,
   * or `undefined` when another writer came first (then nothing changes).
   */
  write(record: Omit<StoredRecord, 'version'>, expectedVersion: number): Promise<StoredRecord | undefined>;
  /** Returns whether the record existed. */
  remove(kind: RecordKind, name: string): Promise<boolean>;
  /**
   * Runs `work` with a named lease that excludes every other owner, in this process and in others that share the
   * database. Not re-entrant. The lease of an owner that died expires after `leaseMs`.
   */
  exclusively<Result>(name: string, leaseMs: number, work: () => Promise<Result>): Promise<Result>;
}
