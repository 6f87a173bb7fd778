export interface PrincipalRow {
  readonly id: string;
  readonly role: 'admin' | 'user';
  readonly vaultId: string;
}

/** An admitted identity and the principal that it belongs to. */
export interface IdentityRow {
  readonly did: string;
  readonly handle: string;
  readonly principal: PrincipalRow;
}

export interface PrincipalTable {
  /** Oldest first. */
  all(): Promise<readonly PrincipalRow[]>;
  identity(did: string): Promise<IdentityRow | undefined>;
  /**
   * Adds the identity and its principal when there is no principal at all, in one transaction: of two first
   * identities only one finds the table empty. Returns whether it did.
   */
  addFirst(identity: IdentityRow, createdAtMs: number): Promise<boolean>;
}
