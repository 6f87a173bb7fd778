/** A credential that works now. One object per version: the proxy may cache what it derives from it by identity. */
export interface LiveCredential {
  readonly version: number;
  readonly secret: string;
  /** The one that a renewal replaced by this one. Its service may accept it for a while. */
  readonly older?: LiveCredential | undefined;
  /** The one that a renewal has replaced this one by. */
  readonly newer?: LiveCredential | undefined;
}

/** Where the proxy takes credentials from; keyed by connection (`provider/connection`). */
export interface CredentialSource {
  /** Warm path: no await, query or decryption. `undefined` when it is cold, nearly expired or revoked. */
  peek(connection: string): LiveCredential | undefined;
  /** Loads, and refreshes when needed (single flight). Rejects with an AuthsomeError. */
  acquire(connection: string): Promise<LiveCredential>;
  /** After a 401 with `rejected`: a newer credential, or `undefined` when none can be had. */
  renew(connection: string, rejected: LiveCredential): Promise<LiveCredential | undefined>;
}
