import { AuthsomeError } from '../errors.ts';
import { type AuthorizationErrorContext, authorizationHint } from './authorization-code.ts';
import { type AuthMethod, authenticateClient } from './client-authentication.ts';
import { dpopHint, dpopNeed, wantsDpop } from './dpop.ts';
import { type Fetch, formRequest, type Reply, requireSecureUrl, send } from './endpoint.ts';
import type { ClientCredentials } from './token.ts';
import { signInAt, unknownClient } from './token-failure.ts';
import { isToken, parseBody, readFailure, readLifetime } from './token-response.ts';

export interface PushedAuthorizationRequest {
  readonly pushedAuthorizationUrl: string;
  /** What would otherwise go through the browser; the client's name is among it (RFC 9126 §2.1). */
  readonly parameters: URLSearchParams;
  readonly client: ClientCredentials;
  /** As at the token endpoint. */
  readonly authMethod: AuthMethod | undefined;
}

/** The reply to an authorization request that is pushed to the server (RFC 9126 §2.1). Rejects with EndpointUnreachable. */
export async function pushedAuthorizationRequest(
  fetch: Fetch,
  request: PushedAuthorizationRequest,
): Promise<Reply> {
  const form = new URLSearchParams(request.parameters);
  const headers = authenticateClient(form, request.client, request.authMethod);
  return await send(
    fetch,
    formRequest(request.pushedAuthorizationUrl, form, headers),
    'pushed authorization request endpoint',
  );
}

export interface PushedAuthorizationContext extends AuthorizationErrorContext {
  readonly pushedAuthorizationUrl: string;
  readonly sentAtMs: number;
  /** What was sent and must not come back inside an error text. */
  readonly secrets: readonly (string | undefined)[];
}

export type PushedAuthorizationResult =
  /** `requestUri` stands for the request: for one browser, once, and until then. */
  | { readonly kind: 'pushed'; readonly requestUri: string; readonly expiresAtMs: number }
  | {
      readonly kind: 'failed';
      /** SignInFailed. */
      readonly error: AuthsomeError;
      /** The server does not take the client: it does not know it, or not its secret. */
      readonly clientRefused: boolean;
    };

/** RFC 9126 §2.2 requires a lifetime; one that cannot be read is taken for a short one. */
const usualLifetimeSeconds = 60;

/** What the reply to a pushed request means (RFC 9126 §2.2, §2.3). */
export function readPushedAuthorizationResponse(
  reply: Reply,
  context: PushedAuthorizationContext,
): PushedAuthorizationResult {
  const parsed = parseBody(reply);
  const { request_uri: requestUri, error } = parsed ?? {};
  const isTaken = reply.status >= 200 && reply.status < 300 && error === undefined;
  if (isTaken && typeof requestUri === 'string' && isToken(requestUri)) {
    const lifetime = readLifetime(parsed?.expires_in) ?? usualLifetimeSeconds;
    return { kind: 'pushed', requestUri, expiresAtMs: context.sentAtMs + lifetime * 1000 };
  }
  const { provider } = context;
  const { host, pathname } = new URL(context.pushedAuthorizationUrl);
  const failure = readFailure(reply, context.secrets);
  if (failure.kind === 'unusable') {
    const reason = isTaken && parsed !== undefined ? 'responded without a request_uri' : failure.reason;
    const message = `${provider} did not accept the pushed authorization request: ${host}${pathname} ${reason}`;
    const hint = failure.temporary
      ? `${provider} is having problems. Try again later: ${signInAt(context)}`
      : `Check pushed_authorization_request_endpoint with: authsome inspect ${provider}`;
    return {
      kind: 'failed',
      error: new AuthsomeError('SignInFailed', message, { hint }),
      clientRefused: false,
    };
  }
  if (wantsDpop(failure)) {
    const error = new AuthsomeError('SignInFailed', `${provider} wants ${dpopNeed}`, {
      hint: dpopHint(provider),
    });
    return { kind: 'failed', error, clientRefused: false };
  }
  const said = failure.description === undefined ? '' : `: ${failure.description}`;
  return {
    kind: 'failed',
    error: new AuthsomeError(
      'SignInFailed',
      `${provider} refused the pushed authorization request at ${host}${pathname}: ${failure.error}${said}`,
      { hint: authorizationHint(failure.error, context) },
    ),
    clientRefused: failure.error === unknownClient,
  };
}

/** Where the browser goes with a pushed request: nothing of the request itself is in the address (RFC 9126 §4). */
export function pushedAuthorizationUrl(
  authorizationUrl: string,
  clientId: string,
  requestUri: string,
): string {
  const url = requireSecureUrl(authorizationUrl, 'authorization URL');
  url.searchParams.set('client_id', clientId);
  url.searchParams.set('request_uri', requestUri);
  return url.href;
}
