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
  /** The start of the daemon that may take it, as the daemon named it. A caller from its home proves that otherwise. */
  readonly instance?: string | undefined;
}

/** What a valid signature proves. */
export interface Verified {
  readonly did: string;
  readonly handle: string;
}

/** A valid signature: who made it, when, and for which start of the daemon. */
export interface VerifiedCall extends Verified {
  readonly nonce: string;
  /** Whole seconds, by the caller's clock. */
  readonly createdMs: number;
  readonly instance: string | undefined;
}
