import { AuthsomeError } from '../errors.ts';
import { dpopHint, dpopNeed, wantsDpop } from './dpop.ts';
import type { Failure } from './token-response.ts';

/** What an endpoint says of a client that it does not know, or whose secret is another one (RFC 6749 §5.2). */
export const unknownClient = 'invalid_client';

/** Errors that RFC 6749 §4.1.2.1 and RFC 8628 §3.5 define for other endpoints, and that token endpoints use too. */
export function isTemporaryError(error: string): boolean {
  return temporaryErrors.has(error);
}

const temporaryErrors = new Set([
  'server_error',
  'temporarily_unavailable',
  'slow_down',
  'rate_limit_exceeded',
  'too_many_requests',
]);

/** For hints: what a person signs in to, and how. */
export interface SignInPlace {
  readonly provider: string;
  /** The command that signs in there; `authsome login <provider>` when left out. */
  readonly signIn?: string | undefined;
  /** The fix for a client that the provider refuses, where no person has entered it. */
  readonly clientHint?: string | undefined;
}

export function signInAt({ provider, signIn }: SignInPlace): string {
  return signIn ?? `authsome login ${provider}`;
}

/** TokenExchangeFailed for a reply that is no token response. */
export function exchangeFailure(failure: Failure, place: SignInPlace): AuthsomeError {
  const { provider } = place;
  if (failure.kind === 'unusable') {
    return new AuthsomeError(
      'TokenExchangeFailed',
      `token exchange failed: the token endpoint ${failure.reason}`,
      {
        hint: failure.temporary
          ? `${provider} is having problems. Try again later: ${signInAt(place)}`
          : `Check the token URL with: authsome inspect ${provider}`,
      },
    );
  }
  if (wantsDpop(failure)) {
    const message = `token exchange failed: ${provider} wants ${dpopNeed}`;
    return new AuthsomeError('TokenExchangeFailed', message, {
      hint: said(failure.description) + dpopHint(provider),
    });
  }
  return new AuthsomeError('TokenExchangeFailed', `token exchange failed: ${failure.error}`, {
    hint: said(failure.description) + refusalHint(failure.error, place),
  });
}

/** The commands that fix a refused token request, by the error's code. */
export function refusalHint(error: string, place: SignInPlace): string {
  const { provider, clientHint } = place;
  const again = signInAt(place);
  if (error === unknownClient && clientHint !== undefined) return clientHint;
  switch (error) {
    case unknownClient:
    case 'unauthorized_client':
    case 'incorrect_client_credentials':
      return (
        `${provider} rejected the stored client ID and secret. Clear them, then enter them again:\n` +
        `authsome revoke ${provider}\n${again}`
      );
    case 'redirect_uri_mismatch':
      return `The callback URL differs from the one registered at ${provider}. Compare it with redirect_uri in: authsome inspect ${provider}`;
    case 'invalid_scope':
      return `Request only scopes that the client is allowed: ${again} --scopes "<scope1>,<scope2>"`;
    default:
      return `Start again with: ${again} --force`;
  }
}

export function said(description: string | undefined): string {
  return description === undefined ? '' : `The provider says: "${description}"\n`;
}
