import { type AuthMethod, authenticateClient } from './client-authentication.ts';
import { type Fetch, formRequest, send } from './endpoint.ts';
import type { ClientCredentials } from './token.ts';
import { parseBody } from './token-response.ts';

export interface Revocation {
  readonly revocationUrl: string;
  readonly client: ClientCredentials;
  readonly authMethod: AuthMethod | undefined;
  readonly accessToken: string | undefined;
  readonly refreshToken: string | undefined;
}

export type RevocationOutcome = 'revoked' | 'unsupported' | 'unreachable';

/**
 * Revokes every token at the provider (RFC 7009 §2.1): the refresh token first, since that ends the grant, then the
 * access token. Returns the outcome. The worst outcome counts, but a server that only takes refresh tokens has done
 * what it can. Never rejects: a provider that cannot be reached must not stop the local part.
 */
export async function revokeTokens(fetch: Fetch, revocation: Revocation): Promise<RevocationOutcome> {
  const { accessToken, refreshToken } = revocation;
  const ofRefreshToken =
    refreshToken === undefined
      ? undefined
      : await revokeToken(fetch, revocation, refreshToken, 'refresh_token');
  const ofAccessToken =
    accessToken === undefined ? undefined : await revokeToken(fetch, revocation, accessToken, 'access_token');
  if (ofRefreshToken === undefined) return ofAccessToken ?? 'revoked';
  if (ofAccessToken === undefined || ofRefreshToken !== 'revoked') return ofRefreshToken;
  return ofAccessToken === 'unsupported' ? 'revoked' : ofAccessToken;
}

async function revokeToken(
  fetch: Fetch,
  revocation: Revocation,
  token: string,
  hint: string,
): Promise<RevocationOutcome> {
  const form = new URLSearchParams({ token, token_type_hint: hint });
  const headers = authenticateClient(form, revocation.client, revocation.authMethod);
  try {
    const reply = await send(
      fetch,
      formRequest(revocation.revocationUrl, form, headers),
      'revocation endpoint',
    );
    if (reply.status >= 200 && reply.status < 300) return 'revoked';
    return parseBody(reply)?.error === 'unsupported_token_type' ? 'unsupported' : 'unreachable';
  } catch {
    return 'unreachable';
  }
}
