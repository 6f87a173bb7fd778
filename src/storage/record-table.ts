export interface RecordKey {
  readonly vault: string;
  readonly kind: string;
  /** Unique within its vault and kind. */
  readonly name: string;
}

/** One record as stored. What its texts and bytes mean is for the vault to say. */
export interface RecordRow extends RecordKey {
  /** 1 on creation, +1 with every write. */
  readonly version: number;
  readonly fields: string;
  readonly proof: Uint8Array;
  readonly secrets: readonly SecretRow[];
}

export interface SecretRow {
  readonly field: string;
  readonly sealed: Uint8Array;
}

/** A record without the bytes of its secrets. */
export interface RecordListing extends Omit<RecordRow, 'secrets'> {
  readonly secretNames: readonly string[];
}

/** The records of all vaults. A record and its secrets are of one version, even while another process writes. */
export interface RecordTable {
  read(key: RecordKey): Promise<RecordRow | undefined>;
  /** Ordered by name. */
  list(vault: string, kind: string): Promise<readonly RecordListing[]>;
  /**
   * Replaces version `row.version - 1` of that record by `row`, in one step; version 1 is for a record that does not
   * exist. Returns whether it did: with any other version stored, nothing changes.
   */
  write(row: RecordRow): Promise<boolean>;
  /** Removes the record with its secrets. Returns whether it existed. */
  remove(key: RecordKey): Promise<boolean>;
}
