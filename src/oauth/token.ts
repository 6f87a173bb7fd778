/** An OAuth client, as a provider issued it. */
export interface ClientCredentials {
  readonly clientId: string;
  readonly clientSecret: string | undefined;
}

/** A token response, read (RFC 6749 §5.1, with the shapes found in the wild normalized). */
export interface TokenSet {
  readonly accessToken: string;
  /** `undefined` when none came: the old one stays. */
  readonly refreshToken: string | undefined;
  /** `undefined` when the server gave no `expires_in`. */
  readonly expiresAtMs: number | undefined;
  /** As granted; falls back to what was asked for when the response names none. */
  readonly scopes: readonly string[];
  /** A sentence for the audit trail, where the response was read in spite of its form. */
  readonly remark?: string | undefined;
}
