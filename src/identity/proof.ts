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
  const expected = Buffer.from(daemonProof(secret, signatureHeader));
  const actual = Buffer.from(proof);
  return expected.length === actual.length && timingSafeEqual(expected, actual);
}
