import { type AuthMethod, authenticateClient } from './client-authentication.ts';
import { type EndpointRequest, encodedRequest } from './endpoint.ts';
import type { ClientCredentials } from './token.ts';
import type { SignInPlace } from './token-failure.ts';

/** A token endpoint, and how to talk to it. */
export interface TokenEndpoint extends SignInPlace {
  readonly tokenUrl: string;
  readonly client: ClientCredentials;
  readonly authMethod: AuthMethod | undefined;
  /** Further parameters from the definition; authsome's own win. */
  readonly tokenParams: Readonly<Record<string, string>>;
  readonly encoding: 'form' | 'json';
  /** RFC 8707. */
  readonly resource: string | undefined;
}

/** A request with these parameters, client authentication included (RFC 6749 §3.2). */
export function tokenRequest(
  endpoint: TokenEndpoint,
  params: Readonly<Record<string, string>>,
): EndpointRequest {
  const form = new URLSearchParams(endpoint.tokenParams);
  for (const [name, value] of Object.entries(params)) form.set(name, value);
  if (endpoint.resource !== undefined) form.set('resource', endpoint.resource);
  const headers = authenticateClient(form, endpoint.client, endpoint.authMethod);
  return encodedRequest(endpoint.tokenUrl, form, endpoint.encoding, headers);
}
