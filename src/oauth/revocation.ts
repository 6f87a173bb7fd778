import { type AuthMethod, authenticateClient } from './client-authentication.ts';
import { type Fetch, formRequest, send } from './endpoint.ts';
import type { ClientCredentials } from './token.ts';

export interface Revocation {
  readonly revocationUrl: string;
  readonly client: ClientCredentials;
  readonly authMethod: AuthMethod | undefined;
  readonly accessToken: string | undefined;
  readonly refreshToken: string | undefined;
}

/**
 * Whether the provider took back every token (RFC 7009 §2.1): the refresh token first, since that ends the grant,
 * then the access token. Never throws: a provider that cannot be reached must not stop the local part.
 */
export async function revokeTokens(fetch: Fetch, revocation: Revocation): Promise<'revoked' | 'unreachable'> {
  let outcome: 'revoked' | 'unreachable' = 'revoked';
  const tokens = [
    ['refresh_token', revocation.refreshToken],
    ['access_token', revocation.accessToken],
  ] as const;
  for (const [hint, token] of tokens) {
    if (token !== undefined && !(await revokeToken(fetch, revocation, token, hint))) outcome = 'unreachable';
  }
  return outcome;
}

async function revokeToken(
  fetch: Fetch,
  revocation: Revocation,
  token: string,
  hint: string,
): Promise<boolean> {
  const form = new URLSearchParams({ token, token_type_hint: hint });
  const headers = authenticateClient(form, revocation.client, revocation.authMethod);
  try {
    const reply = await send(
      fetch,
      formRequest(revocation.revocationUrl, form, headers),
      'revocation endpoint',
    );
    return reply.status >= 200 && reply.status < 300;
  } catch {
    return false;
  }
}
