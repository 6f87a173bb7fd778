import type { TokenEndpoint } from '../../oauth/index.ts';
import type { Provider } from '../../providers/index.ts';
import type { KnownClient } from '../records/index.ts';

/** The fix for a client that the provider refuses; `undefined` where a person entered it. `again` is a command. */
export function clientHint({ name }: Provider, { origin }: KnownClient, again: string): string | undefined {
  if (origin !== 'registration') return undefined;
  return `${name} no longer accepts the client that authsome registered there. Signing in again registers a new one: ${again}`;
}

/** How to talk to a token endpoint as this client. */
export function tokenEndpoint(provider: Provider, tokenUrl: string, client: KnownClient): TokenEndpoint {
  const { oauth } = provider;
  return {
    provider: provider.name,
    tokenUrl,
    client,
    authMethod: client.authMethod ?? oauth?.tokenEndpointAuthMethod,
    tokenParams: oauth?.tokenParams ?? {},
    encoding: oauth?.tokenRequest ?? 'form',
    resource: oauth?.resource,
  };
}
