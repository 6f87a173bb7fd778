import { AuthsomeError } from '../errors.ts';
import { dpopHint, dpopNeed, wantsDpop } from './dpop.ts';
import { type Fetch, type Reply, send } from './endpoint.ts';
import { afterThat } from './retry-after.ts';
import type { TokenSet } from './token.ts';
import { isTemporaryError, refusalHint, type SignInPlace, said, unknownClient } from './token-failure.ts';
import { type TokenEndpoint, tokenRequest } from './token-request.ts';
import { readTokenResponse, type TokenResponseContext } from './token-response.ts';

export interface Refresh extends TokenEndpoint {
  readonly refreshToken: string;
}

/** The reply to a refresh request (RFC 6749 §6). Rejects with EndpointUnreachable. */
export async function refreshRequest(fetch: Fetch, refresh: Refresh): Promise<Reply> {
  const params = { grant_type: 'refresh_token', refresh_token: refresh.refreshToken };
  return await send(fetch, tokenRequest(refresh, params), 'token endpoint');
}

export type RefreshResult =
  | { readonly kind: 'tokens'; readonly tokens: TokenSet }
  /** The grant is gone for good: only a new sign-in helps. */
  | { readonly kind: 'dead'; readonly error: AuthsomeError }
  /** It may work later, not before `retryAfterMs`; with `clientRefused`, hardly: the provider does not know the client, or not its secret. */
  | {
      readonly kind: 'failed';
      readonly error: AuthsomeError;
      readonly clientRefused: boolean;
      readonly retryAfterMs: number | undefined;
    };

export interface RefreshContext extends TokenResponseContext, SignInPlace {
  /** The fix for a dead grant, as a sentence with its command. */
  readonly signInAgain: string;
}

/** What a refresh reply means; `tokens.refreshToken` is `undefined` when the old one stays. */
export function readRefreshResponse(reply: Reply, context: RefreshContext): RefreshResult {
  const result = readTokenResponse(reply, context);
  const { retryAfterMs } = reply;
  if (result.kind === 'tokens') return result;
  if (result.kind === 'unusable') {
    const error = refreshFailed(`the token endpoint ${result.reason}`, laterHint(retryAfterMs));
    return { kind: 'failed', error, clientRefused: false, retryAfterMs };
  }
  const { error, description } = result;
  if (wantsDpop(result)) {
    const { provider } = context;
    const needed = refreshFailed(`${provider} wants ${dpopNeed}`, said(description) + dpopHint(provider));
    return { kind: 'failed', error: needed, clientRefused: false, retryAfterMs };
  }
  if (isDeadGrant(error)) {
    return {
      kind: 'dead',
      error: new AuthsomeError(
        'CredentialExpired',
        `${context.provider} no longer accepts this sign-in: ${error}`,
        {
          hint: said(description) + context.signInAgain,
        },
      ),
    };
  }
  const hint = isTemporaryError(error) ? laterHint(retryAfterMs) : refusalHint(error, context);
  return {
    kind: 'failed',
    error: refreshFailed(error, said(description) + hint),
    clientRefused: error === unknownClient,
    retryAfterMs,
  };
}

/** `invalid_grant`, and what services that do not follow RFC 6749 §5.2 say instead. */
function isDeadGrant(error: string): boolean {
  return ['invalid_grant', 'bad_refresh_token', 'invalid_refresh_token', 'token_revoked'].includes(error);
}

function laterHint(retryAfterMs: number | undefined): string {
  return `This may be temporary: try again ${afterThat(retryAfterMs)}.`;
}

function refreshFailed(reason: string, hint: string): AuthsomeError {
  return new AuthsomeError('RefreshFailed', `token refresh failed: ${reason}`, { hint });
}
