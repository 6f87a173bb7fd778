export interface LeaseKey {
  /** Sets the names of one owner (a vault) apart from those of others. */
  readonly scope: string;
  readonly name: string;
}

/** Who has the lease, how often it was renewed, and when it expires by the clock on the wall. */
export interface LeaseRow {
  readonly owner: string;
  readonly renewals: number;
  readonly expiresAtMs: number;
}

/** Leases that processes sharing the database take in turn. Each change is one conditional statement. */
export interface LeaseTable {
  find(key: LeaseKey): Promise<LeaseRow | undefined>;
  /** Adds the lease, not yet renewed. Returns whether nobody had it. */
  take(key: LeaseKey, owner: string, expiresAtMs: number): Promise<boolean>;
  /** As `take`, from the owner in `found`. Returns whether it was still theirs, and not renewed since. */
  takeOver(key: LeaseKey, found: LeaseRow, owner: string, expiresAtMs: number): Promise<boolean>;
  /** Changes nothing when the lease is another owner's. */
  renew(key: LeaseKey, owner: string, expiresAtMs: number): Promise<void>;
  /** Changes nothing when the lease is another owner's. */
  release(key: LeaseKey, owner: string): Promise<void>;
  /**
   * Frees every lease at once instead of after its time. Only for a process that is the one user of the database:
   * every owner has died.
   */
  freeAll(): Promise<void>;
}
