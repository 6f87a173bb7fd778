/**
 * Who is asking: Ed25519 identities, their did:key names, and the HTTP message signatures (RFC 9421)
 * that prove which identity made a call. It also has the proof that a response came from the daemon.
 */

export { pidHeader, runHeader } from './call-headers.ts';
export { didOf } from './did.ts';
export { fingerprintKey, fingerprintOf } from './fingerprint.ts';
export type { Identity, SignableRequest, Verified } from './identity.ts';
export { loadIdentity } from './load.ts';
export { createNonceMemory } from './nonce-memory.ts';
export {
  daemonProof,
  homeProof,
  homeProofHeader,
  homeProofMatches,
  proofHeader,
  proofMatches,
} from './proof.ts';
export { type Sender, senderOf, signResponse } from './response.ts';
export { contentDigest, instanceHeader, signRequest } from './signature.ts';
export { notAuthentic, requireFresh, verifyRequest } from './verify.ts';
