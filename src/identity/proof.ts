import { createHmac, timingSafeEqual } from 'node:crypto';

/** Header of every answer under `/v1/`: the daemon's half of the proof. */
export const proofHeader = 'authsome-proof';

/**
 * What only the daemon of this home can answer to a request with that `Signature` header: base64url of the
 * HMAC-SHA256 under the secret in `server/daemon.json`. A stranger on the port cannot make it, and since signatures
 * are single use it cannot repeat one either.
 */
export function daemonProof(secret: Uint8Array, signatureHeader: string): string {
  return createHmac('sha256', secret).update(`authsome-proof\n${signatureHeader}`).digest('base64url');
}

/** Whether `proof` answers that `Signature` header; compared in constant time. */
export function proofMatches(secret: Uint8Array, signatureHeader: string, proof: string): boolean {
  return areEqual(daemonProof(secret, signatureHeader), proof);
}

/** Header of every call to the daemon of one's own home: the caller's half of the proof. */
export const homeProofHeader = 'authsome-home-proof';

/**
 * What only somebody who can read the home can send with that `Signature` header. Reaching the port says nothing about
 * whose home it is: everybody on the machine can.
 */
export function homeProof(secret: Uint8Array, signatureHeader: string): string {
  return createHmac('sha256', secret).update(`authsome-home-proof\n${signatureHeader}`).digest('base64url');
}

/** Whether `proof` came with that `Signature` header out of the home; compared in constant time. */
export function homeProofMatches(secret: Uint8Array, signatureHeader: string, proof: string): boolean {
  return areEqual(homeProof(secret, signatureHeader), proof);
}

function areEqual(expectedText: string, actualText: string): boolean {
  const expected = Buffer.from(expectedText);
  const actual = Buffer.from(actualText);
  return expected.length === actual.length && timingSafeEqual(expected, actual);
}
