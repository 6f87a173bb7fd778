/** A vault as stored: its own key, wrapped with the master key, and a check of that master key. */
export interface VaultRow {
  readonly id: string;
  readonly wrappedKey: Uint8Array;
  readonly keyCheck: Uint8Array;
}

export interface VaultTable {
  /** Where the database is, for messages. */
  readonly location: string;
  all(): Promise<readonly VaultRow[]>;
  /**
   * The vault with that id. If it does not exist, the one that `make` returns for all the vaults there are: looking,
   * making and adding are one transaction, so two processes never add two. When `make` throws, nothing is added.
   */
  findOrAdd(id: string, make: (existing: readonly VaultRow[]) => NewVaultRow): Promise<VaultRow>;
  wrapping(kind: KeyWrappingKind): Promise<KeyWrappingRow | undefined>;
  /** Adds a wrapping or replaces the one of its kind, in one step. */
  putWrapping(kind: KeyWrappingKind, row: KeyWrappingRow): Promise<void>;
  removeWrapping(kind: KeyWrappingKind): Promise<void>;
}

/** The master key as something that is not stored opens it: a passphrase. */
export interface KeyWrappingRow {
  /** How the key that opens it is derived: JSON, no secret. */
  readonly parameters: string;
  readonly sealed: Uint8Array;
}

export type KeyWrappingKind = 'passphrase';

export interface NewVaultRow extends VaultRow {
  readonly createdAtMs: number;
}
