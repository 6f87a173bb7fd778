import { AuthsomeError } from '../../errors.ts';
import { type AuthMethod, type ClientCredentials, isToken } from '../../oauth/index.ts';
import { couldBePhantom, type Provider } from '../../providers/index.ts';
import type { ConnectionsOptions } from '../contract.ts';
import type { Endpoints } from '../discovery/index.ts';

/** A client as a person or the environment gave it; without a secret when that is empty. Throws InvalidKey. */
export function parseClient(
  provider: Provider,
  enteredId: string,
  enteredSecret: string,
  isPhantom: ConnectionsOptions['isPhantom'],
): { readonly clientId: string; readonly clientSecret: string | undefined } {
  const clientId = enteredId.trim();
  const clientSecret = enteredSecret.trim();
  if (couldBePhantom(provider, clientSecret) || isPhantom?.(clientSecret) === true) {
    throw new AuthsomeError(
      'InvalidKey',
      `that is a phantom, not a client secret for ${provider.displayName}`,
      {
        hint: 'A run shows phantoms in place of secrets. Enter the real one outside the run.',
      },
    );
  }
  if (!isToken(clientId) || (clientSecret !== '' && !isToken(clientSecret))) {
    throw new AuthsomeError(
      'InvalidKey',
      `that is not a valid client ID and secret for ${provider.displayName}`,
      {
        hint: 'Copy each one completely, without spaces or line breaks.',
      },
    );
  }
  return { clientId, clientSecret: clientSecret === '' ? undefined : clientSecret };
}

/**
 * How a client that did not come with a method proves itself: `undefined` leaves it to the definition, or to the
 * default.
 */
export function authMethodFor(
  endpoints: Pick<Endpoints, 'authMethods'>,
  provider: Provider,
  client: ClientCredentials,
): AuthMethod | undefined {
  if (client.clientSecret === undefined || provider.oauth?.tokenEndpointAuthMethod !== undefined)
    return undefined;
  return (['client_secret_basic', 'client_secret_post'] as const).find((method) =>
    endpoints.authMethods.includes(method),
  );
}
