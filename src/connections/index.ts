/**
 * The use cases of a connection: sign in, hand out a live credential, refresh it once whoever asks, revoke it.
 */
export type { CredentialSource, LiveCredential } from './credential.ts';
