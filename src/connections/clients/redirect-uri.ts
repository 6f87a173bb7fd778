import { createHash } from 'node:crypto';
import type { Provider } from '../../providers/index.ts';
import type { Endpoints } from '../discovery/index.ts';
import type { KnownClient } from '../records/index.ts';

/**
 * The redirect URI of a client that authsome registers at this server: no other server has it, so a response that was
 * meant for one server cannot pass as another's (RFC 9700 §4.4.2.2).
 */
export function redirectUriAt(
  base: string,
  { issuer, authorizationUrl, tokenUrl }: Pick<Endpoints, 'issuer' | 'authorizationUrl' | 'tokenUrl'>,
): string {
  const server = [issuer ?? '', originOf(authorizationUrl), originOf(tokenUrl)].join('\n');
  return `${base}/${createHash('sha256').update(server).digest('base64url').slice(0, 22)}`;
}

/** The redirect URI that a person registers at this provider: `base`, unless the definition wants another host. */
export function redirectUriFor(base: string, { oauth }: Pick<Provider, 'oauth'>): string {
  return oauth?.redirectHost === 'localhost' ? onLocalhost(base) : base;
}

/** The same place by name, for a server that refuses an address. */
export function onLocalhost(redirectUri: string): string {
  const url = new URL(redirectUri);
  if (url.hostname === '127.0.0.1') url.hostname = 'localhost';
  return url.href;
}

/** Where the provider sends a browser with this client: to its own URI, or to the one that a person registers. */
export function redirectUriOf(base: string, client: Pick<KnownClient, 'origin' | 'redirectUri'>): string {
  return client.origin === 'registration' ? (client.redirectUri ?? base) : base;
}

function originOf(url: string | undefined): string {
  return url === undefined ? '' : new URL(url).origin;
}
