import type { KeyObject } from 'node:crypto';

/** An Ed25519 key with a handle: the agent or machine that calls. */
export interface Identity {
  readonly handle: string;
  /** `did:key:z6Mk…` (multicodec 0xed01, base58btc). */
  readonly did: string;
  readonly privateKey: KeyObject;
}

/** The parts of a request that a signature covers. */
export interface SignableRequest {
  readonly method: string;
  /** The daemon's origin, such as `http://127.0.0.1:7998`. */
  readonly origin: string;
  /** Path and query, as sent. */
  readonly target: string;
  /** Empty when there is none. */
  readonly body: Uint8Array;
}

/** What a valid signature proves. */
export interface Verified {
  readonly did: string;
  readonly handle: string;
}
