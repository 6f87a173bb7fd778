import { createHash, timingSafeEqual } from 'node:crypto';
import { AuthsomeError } from '../errors.ts';
import { clientSecrets } from './client-authentication.ts';
import { type EndpointRequest, type Fetch, requireSecureUrl, send } from './endpoint.ts';
import { errorCode, printable } from './provider-text.ts';
import type { TokenSet } from './token.ts';
import { exchangeFailure, type SignInPlace, signInAt, unknownClient } from './token-failure.ts';
import { type TokenEndpoint, tokenRequest } from './token-request.ts';
import { readTokenResponse } from './token-response.ts';

export interface AuthorizationRequestOptions {
  readonly authorizationUrl: string;
  readonly clientId: string;
  readonly redirectUri: string;
  readonly scopes: readonly string[];
  readonly scopeSeparator: string;
  /** `scope`, but at services that keep other kinds of token under parameters of their own. */
  readonly scopeParameter: string;
  /** Further parameters from the definition; authsome's own win. */
  readonly params: Readonly<Record<string, string>>;
  /** RFC 8707. */
  readonly resource: string | undefined;
}

/** One attempt to get a code: what binds the callback to it, and what proves who began it. Both are secrets. */
export interface Attempt {
  readonly state: string;
  readonly codeVerifier: string;
}

/** 256 bits of each (RFC 9700 §4.7.1, RFC 7636 §4.1). */
export function newAttempt(randomBytes: (size: number) => Uint8Array): Attempt {
  return { state: base64url(randomBytes(32)), codeVerifier: base64url(randomBytes(32)) };
}

/** A request as a browser carries it, and its parameters. Both contain the state. */
export interface AuthorizationRequest {
  readonly url: string;
  readonly parameters: URLSearchParams;
}

/** The request of an attempt, PKCE S256 always (RFC 6749 §4.1.1, RFC 7636 §4.3). */
export function authorizationRequest(
  options: AuthorizationRequestOptions,
  { state, codeVerifier }: Attempt,
): AuthorizationRequest {
  const url = requireSecureUrl(options.authorizationUrl, 'authorization URL');
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(options.params)) params.set(name, value);
  params.set('response_type', 'code');
  params.set('client_id', options.clientId);
  params.set('redirect_uri', options.redirectUri);
  if (options.scopes.length > 0)
    params.set(options.scopeParameter, options.scopes.join(options.scopeSeparator));
  params.set('state', state);
  params.set('code_challenge', codeChallenge(codeVerifier));
  params.set('code_challenge_method', 'S256');
  if (options.resource !== undefined) params.set('resource', options.resource);
  for (const [name, value] of params) url.searchParams.set(name, value);
  return { url: url.href, parameters: params };
}

/** S256 of a verifier (RFC 7636 §4.2). */
export function codeChallenge(codeVerifier: string): string {
  return createHash('sha256').update(codeVerifier, 'ascii').digest('base64url');
}

/** For hints: where its OAuth clients are configured, too, and what must stand there. */
export interface AuthorizationErrorContext extends SignInPlace {
  readonly settingsUrl: string | undefined;
  readonly redirectUri: string;
}

export interface ExpectedCallback extends AuthorizationErrorContext {
  readonly state: string;
  readonly issuer: string | undefined;
  /** The origins of its endpoints: an `iss` must have one of them where no issuer is known. */
  readonly serverOrigins: readonly string[];
  /** Whether the server's metadata promises `iss` (RFC 9207 §3). */
  readonly issRequired: boolean;
  /** The response came to the redirect URI of another server. */
  readonly isElsewhere: boolean;
  /** A response without `iss` may be another server's. */
  readonly isAmbiguous: boolean;
}

export type CallbackResult =
  | { readonly kind: 'code'; readonly code: string }
  /** The provider refused; `error` is SignInFailed, `clientRefused` as of the token endpoint. */
  | { readonly kind: 'refused'; readonly error: AuthsomeError; readonly clientRefused: boolean };

/**
 * What a callback brings (RFC 6749 §4.1.2). Throws StateMismatch when the state is not the expected one, and SignInFailed
 * when the response is not from the expected issuer (RFC 9207) or makes no sense.
 */
export function readCallback(params: URLSearchParams, expected: ExpectedCallback): CallbackResult {
  if (!sameText(single(params, 'state') ?? '', expected.state)) throw stateMismatch();
  requireIssuer(params, expected);
  const error = single(params, 'error');
  const code = single(params, 'code');
  if (error !== undefined) {
    // RFC 6749 §4.1.2.1 has no code for an unknown client, since a server should not redirect then; some do.
    const clientRefused = error === unknownClient || error === 'unauthorized_client';
    return { kind: 'refused', error: refusedByProvider(params, error, expected), clientRefused };
  }
  if (code === undefined || code === '' || code.length > 8192) {
    throw new AuthsomeError('SignInFailed', `${expected.provider} sent a callback without a code`, {
      hint: `Start again with: ${signInAt(expected)}`,
    });
  }
  return { kind: 'code', code };
}

export function stateMismatch(): AuthsomeError {
  return new AuthsomeError('StateMismatch', 'OAuth state parameter does not match', {
    hint:
      'A tab from an earlier sign-in used an old link, or someone replayed one. Close that tab and continue in\n' +
      'the newest one. If you know of no such tab, investigate before you retry.',
  });
}

/** Whether two texts are equal, in time that does not tell where they differ. */
export function sameText(left: string, right: string): boolean {
  const digest = (text: string): Uint8Array => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(left), digest(right));
}

function requireIssuer(params: URLSearchParams, expected: ExpectedCallback): void {
  const iss = single(params, 'iss');
  if (iss === undefined && !expected.issRequired && !expected.isElsewhere && expected.isAmbiguous) {
    throw new AuthsomeError(
      'SignInFailed',
      `the response does not say which server it is from, and the client of ${expected.provider} is used with another server too`,
      {
        hint: `Nothing was stored. If you trust both servers, set "oauth": {"iss": "optional"} in your own definition of ${expected.provider}.\nShow the current one with: authsome inspect ${expected.provider}`,
      },
    );
  }
  const missing = iss === undefined && expected.issRequired;
  const wrong = iss !== undefined && !isFrom(iss, expected);
  // Nothing of the response is shown: it may come from a server that wants to be mistaken for another.
  if (missing || wrong || expected.isElsewhere) {
    throw new AuthsomeError('SignInFailed', `the response is not from the issuer of ${expected.provider}`, {
      hint: `Nothing was stored. Start again with: ${signInAt(expected)}`,
    });
  }
}

function isFrom(iss: string, { issuer, serverOrigins }: ExpectedCallback): boolean {
  if (issuer !== undefined) return iss === issuer;
  return URL.canParse(iss) && serverOrigins.includes(new URL(iss).origin);
}

function refusedByProvider(
  params: URLSearchParams,
  error: string,
  expected: ExpectedCallback,
): AuthsomeError {
  const code = errorCode(error);
  const description = printable(single(params, 'error_description'));
  const said = description === undefined ? '' : `: ${description}`;
  return new AuthsomeError('SignInFailed', `${expected.provider} refused the sign-in: ${code}${said}`, {
    hint: authorizationHint(code, expected),
  });
}

/** What a person can do about an authorization error, by its code. */
export function authorizationHint(code: string, context: AuthorizationErrorContext): string {
  const { provider, redirectUri } = context;
  const where = context.settingsUrl === undefined ? `the OAuth settings of ${provider}` : context.settingsUrl;
  const again = signInAt(context);
  switch (code) {
    case 'access_denied':
      return `The request was declined. To try again, run: ${again}`;
    case 'redirect_uri_mismatch':
    case 'invalid_redirect_uri':
      return `Set the callback URL to exactly\n${redirectUri}\nat ${where}, then run: ${again} --force`;
    case 'invalid_scope':
      return `Request only scopes that the client is allowed: ${again} --scopes "<scope1>,<scope2>"`;
    case 'unauthorized_client':
    case 'invalid_client':
    case 'unsupported_response_type':
      if (context.clientHint !== undefined) return context.clientHint;
      return `The OAuth client is not set up for this. Check it at ${where}, then clear it and enter it again:\nauthsome revoke ${provider}\n${again}`;
    case 'server_error':
    case 'temporarily_unavailable':
      return `${provider} is having problems. Try again later: ${again}`;
    default:
      return `Check the OAuth client at ${where}, with the callback URL exactly\n${redirectUri}\nthen run: ${again} --force`;
  }
}

/** The one value of a parameter; `undefined` when absent. Repeated parameters are refused (RFC 6749 §3.1). */
function single(params: URLSearchParams, name: string): string | undefined {
  const values = params.getAll(name);
  if (values.length > 1) {
    throw new AuthsomeError('SignInFailed', `the callback repeats the parameter "${name}"`);
  }
  return values[0];
}

export interface CodeExchange extends TokenEndpoint {
  readonly code: string;
  readonly codeVerifier: string;
  readonly redirectUri: string;
  readonly requestedScopes: readonly string[];
  readonly nowMs: () => number;
}

export type CodeResult =
  | { readonly kind: 'tokens'; readonly tokens: TokenSet }
  /** `error` is TokenExchangeFailed; `clientRefused`: the provider does not know the client, or not its secret. */
  | { readonly kind: 'failed'; readonly error: AuthsomeError; readonly clientRefused: boolean };

/** Exchanges a code at the token endpoint (RFC 6749 §4.1.3). Rejects with EndpointUnreachable. */
export async function exchangeCode(fetch: Fetch, exchange: CodeExchange): Promise<CodeResult> {
  const sentAtMs = exchange.nowMs();
  const reply = await send(fetch, codeRequest(exchange), 'token endpoint');
  const result = readTokenResponse(reply, {
    requestedScopes: exchange.requestedScopes,
    sentAtMs,
    secrets: [
      exchange.code,
      encodeURIComponent(exchange.code),
      exchange.codeVerifier,
      ...clientSecrets(exchange.client),
    ],
  });
  if (result.kind === 'tokens') return result;
  return {
    kind: 'failed',
    error: exchangeFailure(result, exchange),
    clientRefused: result.kind === 'refused' && result.error === unknownClient,
  };
}

function codeRequest(exchange: CodeExchange): EndpointRequest {
  return tokenRequest(exchange, {
    grant_type: 'authorization_code',
    code: exchange.code,
    redirect_uri: exchange.redirectUri,
    code_verifier: exchange.codeVerifier,
  });
}

function base64url(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64url');
}
