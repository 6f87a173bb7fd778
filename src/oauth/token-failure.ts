import { AuthsomeError } from '../errors.ts';
import type { Failure } from './token-response.ts';

/** What an endpoint says of a client that it does not know, or whose secret is another one (RFC 6749 §5.2). */
export const unknownClient = 'invalid_client';

/** TokenExchangeFailed for a reply that is no token response. `clientHint` as in `TokenEndpoint`. */
export function exchangeFailure(failure: Failure, provider: string, clientHint?: string): AuthsomeError {
  if (failure.kind === 'unusable') {
    return new AuthsomeError(
      'TokenExchangeFailed',
      `token exchange failed: the token endpoint ${failure.reason}`,
      {
        hint: failure.temporary
          ? `${provider} has a problem of its own. Wait a little, then run: authsome login ${provider}`
          : `Check the token URL with: authsome inspect ${provider}`,
      },
    );
  }
  return new AuthsomeError('TokenExchangeFailed', `token exchange failed: ${failure.error}`, {
    hint: said(failure.description) + refusalHint(failure.error, provider, clientHint),
  });
}

/** The commands that mend a refused token request, by the error's code. */
export function refusalHint(error: string, provider: string, clientHint?: string): string {
  const again = `authsome login ${provider}`;
  if (error === unknownClient && clientHint !== undefined) return clientHint;
  switch (error) {
    case unknownClient:
    case 'unauthorized_client':
    case 'incorrect_client_credentials':
      return (
        `The stored client ID and secret are not what ${provider} expects. Clear them, then enter them again:\n` +
        `authsome revoke ${provider}\n${again}`
      );
    case 'redirect_uri_mismatch':
      return `The callback URL differs from the one registered at ${provider}. Compare it with redirect_uri in: authsome inspect ${provider}`;
    case 'invalid_scope':
      return `Ask for scopes that the client may have: ${again} --scopes "<scope1>,<scope2>"`;
    default:
      return `Start again with: ${again} --force`;
  }
}

export function said(description: string | undefined): string {
  return description === undefined ? '' : `The provider says: "${description}"\n`;
}
