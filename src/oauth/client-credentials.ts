import { clientSecrets } from './client-authentication.ts';
import { type Fetch, type Reply, send } from './endpoint.ts';
import type { TokenSet } from './token.ts';
import { exchangeFailure } from './token-failure.ts';
import { type TokenEndpoint, tokenRequest } from './token-request.ts';
import { readTokenResponse } from './token-response.ts';

export interface ClientCredentialsGrant extends TokenEndpoint {
  readonly scopes: readonly string[];
  readonly scopeSeparator: string;
}

/** The reply to a client credentials request (RFC 6749 §4.4.2). Rejects with EndpointUnreachable. */
export async function clientCredentialsRequest(fetch: Fetch, grant: ClientCredentialsGrant): Promise<Reply> {
  const scope = grant.scopes.join(grant.scopeSeparator);
  const params = { grant_type: 'client_credentials', ...(scope === '' ? {} : { scope }) };
  return await send(fetch, tokenRequest(grant, params), 'token endpoint');
}

/** Tokens for the client itself. Rejects with TokenExchangeFailed or EndpointUnreachable. */
export async function clientCredentialsTokens(
  fetch: Fetch,
  grant: ClientCredentialsGrant,
  nowMs: () => number,
): Promise<TokenSet> {
  const sentAtMs = nowMs();
  const reply = await clientCredentialsRequest(fetch, grant);
  const context = { requestedScopes: grant.scopes, sentAtMs, secrets: clientSecrets(grant.client) };
  const result = readTokenResponse(reply, context);
  if (result.kind === 'tokens') return result.tokens;
  throw exchangeFailure(result, grant);
}
