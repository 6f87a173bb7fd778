import { AuthsomeError } from '../errors.ts';
import type { AuthMethod } from './client-authentication.ts';
import { dpopHint, dpopNeed } from './dpop.ts';
import { type Fetch, type Reply, requireSecureUrl, send } from './endpoint.ts';
import { errorCode, printable } from './provider-text.ts';
import { afterThat, isBusy } from './retry-after.ts';
import type { ClientCredentials } from './token.ts';
import { said } from './token-failure.ts';
import { isToken, parseBody, readFailure, secretsIn } from './token-response.ts';

export interface RegistrationRequest {
  readonly registrationEndpoint: string;
  readonly redirectUri: string;
  readonly scopes: readonly string[];
  /** What the server's metadata offers; empty when it does not say. */
  readonly authMethods: readonly string[];
}

/** A client as the server registered it: its values count, not those of the request (RFC 7591 §3.2.1). */
export interface RegisteredClient extends ClientCredentials {
  readonly authMethod: AuthMethod;
  /** RFC 9126 §6: of this client the server takes pushed authorization requests only. */
  readonly pushRequired: boolean;
  /** `undefined`: never. */
  readonly secretExpiresAtMs: number | undefined;
  /** RFC 7592; the token is a secret. */
  readonly registrationUri: string | undefined;
  readonly registrationToken: string | undefined;
}

/** The reply to a registration of a native client (RFC 7591 §3.1). Rejects with EndpointUnreachable. */
export async function registrationRequest(fetch: Fetch, request: RegistrationRequest): Promise<Reply> {
  const offered = request.authMethods;
  // Every server of OAuth 2.1 takes the secret in the body (§2.4.1), and the MCP SDK for Python wants `client_id` there
  // even of a client that proves itself by a header.
  const preferred = ['none', 'client_secret_post', 'client_secret_basic'] as const;
  const authMethod =
    offered.length === 0 ? 'none' : (preferred.find((method) => offered.includes(method)) ?? 'none');
  const metadata = {
    client_name: 'authsome',
    application_type: 'native',
    redirect_uris: [request.redirectUri],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    token_endpoint_auth_method: authMethod,
    ...(request.scopes.length === 0 ? {} : { scope: request.scopes.join(' ') }),
  };
  return await send(
    fetch,
    {
      url: request.registrationEndpoint,
      headers: { accept: 'application/json', 'content-type': 'application/json' },
      body: JSON.stringify(metadata),
    },
    'registration endpoint',
  );
}

/**
 * Whether a registration was refused for the scopes that it named: some servers know `openid` and register no client for
 * it, and give a client that names none their own (RFC 7591 §2).
 */
export function mayBeRefusedForScopes(reply: Reply): boolean {
  if (reply.status < 400 || reply.status > 499) return false;
  const error = parseBody(reply)?.error;
  return typeof error === 'string' && scopeErrors.has(error);
}

/**
 * Whether a registration was refused for its redirect URI: by the server (RFC 7591 §3.2.2), or by a firewall before it,
 * which answers in a form of its own.
 */
export function mayBeRefusedForRedirectUri(reply: Reply): boolean {
  if (![400, 403, 406, 422].includes(reply.status)) return false;
  const { error, error_description: description } = parseBody(reply) ?? {};
  if (error === undefined || error === 'invalid_redirect_uri') return true;
  return typeof description === 'string' && /redirect|loopback|127\.0\.0\.1/i.test(description);
}

const scopeErrors = new Set(['invalid_scope', 'insufficient_scope', 'invalid_client_metadata']);

/**
 * The client in a registration reply. Throws SignInFailed; `byHand`, for its hint, is the command that signs in with a
 * client that a person registered.
 */
export function readRegistration(reply: Reply, provider: string, byHand: string): RegisteredClient {
  const parsed = parseBody(reply) ?? {};
  const { client_id: clientId, client_secret: secret } = parsed;
  const isWellFormed = typeof clientId === 'string' && isToken(clientId);
  const isOk = reply.status >= 200 && reply.status < 300;
  if (!isOk || !isWellFormed || !isSecret(secret)) {
    const { error_description: description } = parsed;
    throw new AuthsomeError('SignInFailed', `${provider} did not register a client: ${reasonOf(reply)}`, {
      hint: isBusy(reply)
        ? `Try again ${afterThat(reply.retryAfterMs)}.`
        : `${said(printable(description, secretsIn(parsed)))}Register a client yourself, then sign in with: ${byHand}`,
    });
  }
  if (parsed.dpop_bound_access_tokens === true) {
    throw new AuthsomeError('SignInFailed', `${provider} issues only ${dpopNeed}`, {
      hint: dpopHint(provider),
    });
  }
  const clientSecret = typeof secret === 'string' && isToken(secret) ? secret : undefined;
  const expiresAt = parsed.client_secret_expires_at;
  return {
    clientId,
    clientSecret,
    authMethod: readAuthMethod(parsed, clientSecret, provider, byHand),
    pushRequired: parsed.require_pushed_authorization_requests === true,
    secretExpiresAtMs: typeof expiresAt === 'number' && expiresAt > 0 ? expiresAt * 1000 : undefined,
    registrationUri: urlOf(parsed.registration_client_uri),
    registrationToken: textOf(parsed.registration_access_token),
  };
}

function readAuthMethod(
  parsed: Readonly<Record<string, unknown>>,
  clientSecret: string | undefined,
  provider: string,
  byHand: string,
): AuthMethod {
  const { token_endpoint_auth_method: value } = parsed;
  if (value === undefined || value === null)
    return clientSecret === undefined ? 'none' : 'client_secret_basic';
  if (value === 'none' || value === 'client_secret_basic' || value === 'client_secret_post') return value;
  throw new AuthsomeError(
    'SignInFailed',
    `${provider} requires a kind of client authentication that authsome does not support: ${methodName(value, secretsIn(parsed))}`,
    { hint: `Register a client yourself, then sign in with: ${byHand}` },
  );
}

function methodName(value: unknown, secrets: readonly string[]): string {
  return typeof value === 'string'
    ? `token_endpoint_auth_method ${errorCode(value, secrets)}`
    : 'token_endpoint_auth_method';
}

/** A secret that no header can carry is worse than none: the client could not prove itself. */
function isSecret(value: unknown): boolean {
  return value === undefined || value === null || value === '' || textOf(value) !== undefined;
}

/** Why a reply registers no client: the server's own code, or the field that is wrong in it (RFC 7591 §3.2). */
function reasonOf(reply: Reply): string {
  const failure = readFailure(reply, []);
  if (failure.kind === 'refused') {
    const field = fieldAtFault.get(failure.error);
    return field === undefined ? failure.error : `${failure.error}, because of ${field}`;
  }
  const parsed = parseBody(reply);
  if (reply.status < 200 || reply.status > 299 || parsed === undefined)
    return `the registration endpoint ${failure.reason}`;
  const field =
    typeof parsed.client_id === 'string' && isToken(parsed.client_id) ? 'client_secret' : 'client_id';
  const what = parsed[field] === undefined ? 'no' : 'an unusable';
  return `the response (status ${reply.status}) has ${what} ${field}`;
}

/** What of the request these codes are about (RFC 7591 §3.2.2). */
const fieldAtFault: ReadonlyMap<string, string> = new Map([
  ['invalid_redirect_uri', 'redirect_uris'],
  ['invalid_scope', 'scope'],
]);

/** One that is no URL, or no place for the token that goes there, is as good as none. */
function urlOf(value: unknown): string | undefined {
  try {
    return typeof value === 'string' ? requireSecureUrl(value, 'registration').href : undefined;
  } catch {
    return undefined;
  }
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && isToken(value) ? value : undefined;
}
