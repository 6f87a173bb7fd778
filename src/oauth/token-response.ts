import { dpopNeed } from './dpop.ts';
import type { Reply } from './endpoint.ts';
import { errorCode, printable } from './provider-text.ts';
import type { TokenSet } from './token.ts';

export interface TokenResponseContext {
  /** Taken as granted when the response names no scopes (RFC 6749 §5.1). */
  readonly requestedScopes: readonly string[];
  /** When the request was sent: lifetimes are counted from there, so clocks can only err to the safe side. */
  readonly sentAtMs: number;
  /** What was sent and must not come back inside an error text. */
  readonly secrets: readonly (string | undefined)[];
}

export type TokenResult =
  | { readonly kind: 'tokens'; readonly tokens: TokenSet }
  /** The server refused (RFC 6749 §5.2), whatever its status. */
  | { readonly kind: 'refused'; readonly error: string; readonly description: string | undefined }
  /** Not a token response at all; `reason` ends a sentence that begins "the token endpoint". */
  | { readonly kind: 'unusable'; readonly reason: string; readonly temporary: boolean };

export type Failure = Exclude<TokenResult, { kind: 'tokens' }>;

type Parsed = Readonly<Record<string, unknown>>;

/**
 * What a token endpoint's reply means (RFC 6749 §5), with the shapes found in the wild: errors under status 200,
 * forms, tokens nested under `authed_user`, `ok: false`, no `token_type`, lifetimes as strings, scopes by comma.
 */
export function readTokenResponse(reply: Reply, context: TokenResponseContext): TokenResult {
  const parsed = parseBody(reply);
  if (parsed !== undefined) {
    const refusal = readRefusal(parsed, context.secrets);
    if (refusal !== undefined) return refusal;
  }
  if (reply.status < 200 || reply.status >= 300 || parsed === undefined) return unusableReply(reply);
  return readTokens(parsed, context, unusualType(reply));
}

/** What a reply means that is not the expected one, from any endpoint: the server's refusal, or nothing usable. */
export function readFailure(reply: Reply, secrets: TokenResponseContext['secrets']): Failure {
  const parsed = parseBody(reply);
  return (parsed === undefined ? undefined : readRefusal(parsed, secrets)) ?? unusableReply(reply);
}

function unusableReply(reply: Reply): Failure {
  if (reply.status >= 300 && reply.status < 400) {
    return unusable(`responded with a redirect (status ${reply.status}), which is never followed`, false);
  }
  return unusable(`responded ${reply.status} with ${describeBody(reply)}`, isTemporary(reply.status));
}

/** The body as an object, from JSON or a form, by what it looks like, whatever its media type says. */
export function parseBody(reply: Reply): Parsed | undefined {
  const body = reply.body.trim();
  if (body.startsWith('{')) {
    try {
      const value: unknown = JSON.parse(body);
      return typeof value === 'object' && value !== null ? (value as Parsed) : undefined;
    } catch {
      return undefined;
    }
  }
  if (/^[\w.-]+=[^<\s]*$/.test(body)) return Object.fromEntries(new URLSearchParams(body));
  return undefined;
}

/** What is secret in a response, should its error text repeat it. */
export function secretsIn(parsed: Parsed): readonly string[] {
  const { authed_user: nested } = parsed;
  const sources = typeof nested === 'object' && nested !== null ? [parsed, nested as Parsed] : [parsed];
  return sources.flatMap((source) =>
    secretFields.map((name) => source[name]).filter((value) => typeof value === 'string'),
  );
}

const secretFields = [
  ...['access_token', 'refresh_token', 'id_token', 'device_code'],
  ...['client_secret', 'registration_access_token', 'request_uri'],
];

function readRefusal(parsed: Parsed, sent: TokenResponseContext['secrets']): Failure | undefined {
  const secrets = [...sent, ...secretsIn(parsed)];
  const { error } = parsed;
  const nested = typeof error === 'object' && error !== null ? (error as Parsed) : undefined;
  const code = nested === undefined ? error : (nested.code ?? nested.type ?? nested.status);
  if (typeof code === 'string' && code !== '') {
    return {
      kind: 'refused',
      error: errorCode(code, secrets),
      description: printable(parsed.error_description ?? nested?.message, secrets),
    };
  }
  if (nested !== undefined || parsed.ok === false) {
    return { kind: 'refused', error: 'unreadable_error', description: printable(nested?.message, secrets) };
  }
  return undefined;
}

function readTokens(parsed: Parsed, context: TokenResponseContext, type: string | undefined): TokenResult {
  const nested = parsed.authed_user;
  const source =
    parsed.access_token === undefined && typeof nested === 'object' && nested !== null
      ? (nested as Parsed)
      : parsed;
  const accessToken = source.access_token;
  if (typeof accessToken !== 'string' || accessToken === '') {
    const form = type === undefined ? '' : ` with ${type}, not JSON, and`;
    return unusable(`responded${form} without an access token`, false);
  }
  if (!isToken(accessToken)) return unusable('sent an access token that cannot go into a header', false);
  const tokenType = source.token_type ?? parsed.token_type;
  if (typeof tokenType === 'string' && /^dpop$/i.test(tokenType)) {
    return unusable(`issues ${dpopNeed}`, false);
  }
  if (typeof tokenType === 'string' && /^(mac|pop|n_a)$/i.test(tokenType)) {
    return unusable('sent an unsupported kind of token (only bearer tokens are supported)', false);
  }
  const { refresh_token: refreshToken } = source;
  const lifetime = readLifetime(source.expires_in);
  const scopes = readScopes(source.scope);
  return {
    kind: 'tokens',
    tokens: {
      accessToken,
      refreshToken: typeof refreshToken === 'string' && isToken(refreshToken) ? refreshToken : undefined,
      expiresAtMs: lifetime === undefined ? undefined : context.sentAtMs + lifetime * 1000,
      scopes: scopes.length > 0 ? scopes : context.requestedScopes,
      remark:
        type === undefined ? undefined : `the token endpoint answered with ${type}, not application/json`,
    },
  };
}

/** The media type of a token response that is not what RFC 6749 §5.1 wants; `undefined` where it is. */
function unusualType({ contentType }: Reply): string | undefined {
  if (contentType === 'application/json') return undefined;
  return printableType(contentType) ?? 'no media type';
}

function printableType(contentType: string): string | undefined {
  return /^[\w.+/-]{3,80}$/.test(contentType) ? contentType : undefined;
}

/** Visible ASCII of a sane length: goes into a header without a quoting TypeError. */
export function isToken(text: string): boolean {
  return text.length <= 32_768 && /^[\x21-\x7e]+$/.test(text);
}

/** Seconds, or `undefined` where the server does not say (absent, null, unreadable, or not in the future). */
export function readLifetime(value: unknown): number | undefined {
  const seconds = typeof value === 'string' && /^\d{1,12}(\.\d+)?$/.test(value) ? Number(value) : value;
  if (typeof seconds !== 'number' || !Number.isFinite(seconds) || seconds <= 0) return undefined;
  return Math.min(Math.floor(seconds), 10 * 365 * 86_400);
}

/** Scopes by space or comma, or as an array; duplicates dropped. */
function readScopes(value: unknown): readonly string[] {
  const parts = Array.isArray(value) ? value : typeof value === 'string' ? value.split(/[\s,]+/) : [];
  const scopes = parts.filter(
    (part): part is string => typeof part === 'string' && /^[\x21-\x7e]{1,512}$/.test(part),
  );
  return [...new Set(scopes)].slice(0, mostScopes);
}

/** Of a server that names more, the rest is neither stored nor shown. */
const mostScopes = 500;

function isTemporary(status: number): boolean {
  return status >= 500 || status === 408 || status === 425 || status === 429;
}

function describeBody(reply: Reply): string {
  if (reply.body.trim() === '') return 'an empty body';
  const type = printableType(reply.contentType);
  if (type !== undefined && !/json|form/.test(type)) return `${type}, not JSON`;
  return 'an unreadable body';
}

function unusable(reason: string, temporary: boolean): Failure {
  return { kind: 'unusable', reason, temporary };
}
