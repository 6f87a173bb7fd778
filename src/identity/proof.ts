import { createHmac, timingSafeEqual } from 'node:crypto';

/** Header of every response under `/v1/`: the daemon's half of the proof. */
export const proofHeader = 'authsome-proof';

/**
 * The MAC that proves the responder is this home's daemon: base64url of the HMAC-SHA256 of the request's `Signature`
 * header under the secret in `server/daemon.json`. A stranger on the port cannot make one, and cannot repeat one
 * either, since signatures are single use.
 */
export function daemonProof(secret: Uint8Array, signatureHeader: string): string {
  return createHmac('sha256', secret).update(`authsome-proof\n${signatureHeader}`).digest('base64url');
}

/** Whether `proof` is `daemonProof` for that `Signature` header; compared in constant time. */
export function proofMatches(secret: Uint8Array, signatureHeader: string, proof: string): boolean {
  return areEqual(daemonProof(secret, signatureHeader), proof);
}

/** Header of every call to the daemon of the caller's own home: the caller's half of the proof. */
export const homeProofHeader = 'authsome-home-proof';

/**
 * The MAC that proves the caller can read the home. Reaching the port proves nothing: everybody on the machine can.
 */
export function homeProof(secret: Uint8Array, signatureHeader: string): string {
  return createHmac('sha256', secret).update(`authsome-home-proof\n${signatureHeader}`).digest('base64url');
}

/** Whether `proof` is `homeProof` for that `Signature` header; compared in constant time. */
export function homeProofMatches(secret: Uint8Array, signatureHeader: string, proof: string): boolean {
  return areEqual(homeProof(secret, signatureHeader), proof);
}

function areEqual(expectedText: string, actualText: string): boolean {
  const expected = Buffer.from(expectedText);
  const actual = Buffer.from(actualText);
  return expected.length === actual.length && timingSafeEqual(expected, actual);
}
