import type { RevokeDocument } from '../../client/index.ts';
import type { Terminal } from '../terminal.ts';

/** What happened to a connection's tokens, in words. */
export const atProvider = {
  revoked: 'revoked at the provider, and removed from this machine',
  unsupported:
    'removed from this machine. authsome cannot revoke it at this provider: use your account settings there',
  unreachable:
    'removed from this machine. The provider could not be reached: revoke it in your account settings there',
} as const;

/** A line for each connection that was revoked, and one for the client. */
export function noteRevoked(
  { note }: Terminal,
  { provider, connections, remote, client_cleared }: Omit<RevokeDocument, 'v'>,
): void {
  for (const name of connections) {
    note(`${provider}/${name}: ${atProvider[remote[name] ?? 'unsupported']}.`);
  }
  if (client_cleared) note(`Cleared the OAuth client of ${provider}.`);
}
