import { createHmac } from 'node:crypto';

/**
 * A fingerprint of a value that is compared with the vault's secrets without being sent. The salt is new for each
 * request, so that nothing can be looked up in a table, nor recognized in a later request.
 */
export function fingerprintOf(salt: string, value: string): string {
  return createHmac('sha256', salt).update(value).digest('base64url');
}
