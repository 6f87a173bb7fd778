import { createHmac } from 'node:crypto';

/**
 * The key of the fingerprints of one request. The salt is new for each, so that nothing can be looked up in a table, nor
 * recognized in a later request. `secret` is the one in `server/daemon.json`: the request may reach a stranger on a dead
 * daemon's port, who must not be able to guess values. A daemon on another machine has proved its key before; it has no
 * such secret.
 */
export function fingerprintKey(salt: string, secret: Uint8Array | undefined): Uint8Array {
  if (secret === undefined) return Buffer.from(salt);
  return createHmac('sha256', secret).update(`authsome-fingerprint\n${salt}`).digest();
}

/** A fingerprint of a value that is compared with the vault's secrets without being sent. */
export function fingerprintOf(key: Uint8Array, value: string): string {
  return createHmac('sha256', key).update(value).digest('base64url');
}
