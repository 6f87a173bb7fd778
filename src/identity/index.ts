/**
 * Who is asking: Ed25519 identities, their did:key names, and the HTTP message signatures (RFC 9421) by which
 * every call to the daemon proves which identity made it.
 */
export type { Identity, SignableRequest, Verified } from './identity.ts';
