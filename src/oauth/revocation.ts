import { type AuthMethod, authenticateClient } from './client-authentication.ts';
import { type Fetch, formRequest, send } from './endpoint.ts';
import { isBusy } from './retry-after.ts';
import type { ClientCredentials } from './token.ts';
import { parseBody } from './token-response.ts';

export interface Revocation {
  readonly revocationUrl: string;
  readonly client: ClientCredentials;
  readonly authMethod: AuthMethod | undefined;
  readonly accessToken: string | undefined;
  readonly refreshToken: string | undefined;
  /** The wait before a server that asked for a short one is asked once more. */
  readonly pause: (ms: number) => Promise<unknown>;
}

/** What a person who revokes can be made to wait. */
const longestPauseMs = 5_000;

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
  // A server that wants to be left alone is not asked for the other token.
  if (ofRefreshToken === 'left alone') return 'unreachable';
  const asked =
    accessToken === undefined ? undefined : await revokeToken(fetch, revocation, accessToken, 'access_token');
  const ofAccessToken = asked === 'left alone' ? 'unreachable' : asked;
  if (ofRefreshToken === undefined) return ofAccessToken ?? 'revoked';
  if (ofAccessToken === undefined || ofRefreshToken !== 'revoked') return ofRefreshToken;
  return ofAccessToken === 'unsupported' ? 'revoked' : ofAccessToken;
}

/** `left alone`: the server is busy, and wants not to be asked again for longer than a person can be made to wait. */
async function revokeToken(
  fetch: Fetch,
  revocation: Revocation,
  token: string,
  hint: string,
): Promise<RevocationOutcome | 'left alone'> {
  const form = new URLSearchParams({ token, token_type_hint: hint });
  const headers = authenticateClient(form, revocation.client, revocation.authMethod);
  const request = formRequest(revocation.revocationUrl, form, headers);
  try {
    let reply = await send(fetch, request, 'revocation endpoint');
    // RFC 7009 §2.2.1.
    if (isBusy(reply) && (reply.retryAfterMs ?? 0) <= longestPauseMs) {
      await revocation.pause(reply.retryAfterMs ?? 0);
      reply = await send(fetch, request, 'revocation endpoint');
    }
    if (reply.status >= 200 && reply.status < 300) return 'revoked';
    if (isBusy(reply)) return 'left alone';
    return parseBody(reply)?.error === 'unsupported_token_type' ? 'unsupported' : 'unreachable';
  } catch {
    return 'unreachable';
  }
}
