import { AuthsomeError } from '../errors.ts';
import { isThisMachine } from '../loopback.ts';
import { authenticateClient } from './client-authentication.ts';
import { dpopHint, dpopNeed, wantsDpop } from './dpop.ts';
import { type Fetch, formRequest, type Reply, requireSecureUrl, send } from './endpoint.ts';
import { printable } from './provider-text.ts';
import type { TokenSet } from './token.ts';
import { exchangeFailure, isTemporaryError, type SignInPlace, said, signInAt } from './token-failure.ts';
import { type TokenEndpoint, tokenRequest } from './token-request.ts';
import { parseBody, readFailure, readTokenResponse, type TokenResponseContext } from './token-response.ts';

export interface DeviceAuthorizationRequest extends TokenEndpoint {
  readonly deviceAuthorizationUrl: string;
  readonly scopes: readonly string[];
  readonly scopeSeparator: string;
}

/** What a person has to do, and how to learn that it was done (RFC 8628 §3.2). `deviceCode` is a secret. */
export interface DeviceAuthorization {
  readonly deviceCode: string;
  readonly userCode: string;
  readonly verificationUri: string;
  readonly verificationUriComplete: string | undefined;
  readonly expiresInMs: number;
  readonly intervalMs: number;
}

/** RFC 8628 §3.5. */
const slowDownMs = 5_000;
const maxIntervalMs = 60_000;

export async function deviceAuthorizationRequest(
  fetch: Fetch,
  request: DeviceAuthorizationRequest,
): Promise<Reply> {
  const form = new URLSearchParams();
  if (request.scopes.length > 0) form.set('scope', request.scopes.join(request.scopeSeparator));
  if (request.resource !== undefined) form.set('resource', request.resource);
  const headers = authenticateClient(form, request.client, request.authMethod);
  // RFC 8628 §3.1 wants the client's name in the body, also beside basic authentication.
  form.set('client_id', request.client.clientId);
  return await send(
    fetch,
    formRequest(request.deviceAuthorizationUrl, form, headers),
    'device authorization endpoint',
  );
}

/** Where a device authorization was asked for, and for hints: by whom, and the command that signs in by another flow. */
export interface DeviceAuthorizationContext {
  readonly deviceAuthorizationUrl: string;
  readonly provider: string;
  readonly byBrowser: string;
}

/** What the device authorization endpoint's reply means. Throws SignInFailed, also for a page on this machine. */
export function readDeviceAuthorization(
  reply: Reply,
  context: DeviceAuthorizationContext,
): DeviceAuthorization {
  const { provider, byBrowser } = context;
  const parsed = parseBody(reply);
  const { device_code: deviceCode, user_code: userCode } = parsed ?? {};
  const verificationUri = parsed?.verification_uri ?? parsed?.verification_url;
  if (
    reply.status !== 200 ||
    typeof deviceCode !== 'string' ||
    deviceCode === '' ||
    typeof userCode !== 'string' ||
    printable(userCode, [], 64) !== userCode ||
    typeof verificationUri !== 'string'
  ) {
    throw refused(reply, provider, byBrowser);
  }
  const complete = parsed?.verification_uri_complete;
  return {
    deviceCode,
    userCode,
    verificationUri: pageUrl(verificationUri, context),
    verificationUriComplete: typeof complete === 'string' ? pageUrl(complete, context) : undefined,
    expiresInMs: seconds(parsed?.expires_in, 600) * 1000,
    intervalMs: Math.min(seconds(parsed?.interval, 5) * 1000, maxIntervalMs),
  };
}

/** A browser is to open it, so that only a server on this machine may name a service of this machine. */
function pageUrl(address: string, { deviceAuthorizationUrl, provider }: DeviceAuthorizationContext): string {
  const { href, hostname } = requireSecureUrl(address, 'verification URL');
  if (!isThisMachine(hostname) || isThisMachine(new URL(deviceAuthorizationUrl).hostname)) return href;
  throw new AuthsomeError(
    'SignInFailed',
    `${provider} names an address of this machine as the page for its code`,
  );
}

function refused(reply: Reply, provider: string, byBrowser: string): AuthsomeError {
  const failure = readFailure(reply, []);
  const error = failure.kind === 'refused' ? failure.error : `status ${reply.status}`;
  const description = failure.kind === 'refused' ? failure.description : undefined;
  if (failure.kind === 'refused' && wantsDpop(failure)) {
    return new AuthsomeError('SignInFailed', `${provider} wants ${dpopNeed}`, {
      hint: said(description) + dpopHint(provider),
    });
  }
  return new AuthsomeError('SignInFailed', `${provider} did not issue a device code: ${error}`, {
    hint: `${said(description)}The client may not be allowed to use the device flow. Sign in with: ${byBrowser}`,
  });
}

function seconds(value: unknown, otherwise: number): number {
  const number = typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : value;
  return typeof number === 'number' && number > 0 && number < 1e9 ? number : otherwise;
}

/** One poll (RFC 8628 §3.4). Rejects with EndpointUnreachable. */
export async function deviceTokenRequest(
  fetch: Fetch,
  endpoint: TokenEndpoint & { readonly deviceCode: string },
): Promise<Reply> {
  const params = {
    grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
    device_code: endpoint.deviceCode,
  };
  return await send(fetch, tokenRequest(endpoint, params), 'token endpoint');
}

export type DevicePoll =
  | { readonly kind: 'tokens'; readonly tokens: TokenSet }
  /** Ask again after this long: the same as before, or longer for good. `retryAfterMs`: not before, this once. */
  | { readonly kind: 'waiting'; readonly intervalMs: number; readonly retryAfterMs?: number | undefined }
  | { readonly kind: 'ended'; readonly error: AuthsomeError };

/** What a poll's reply means (RFC 8628 §3.5). `intervalMs` is the pause that led to this poll. */
export function readDeviceToken(
  reply: Reply,
  context: TokenResponseContext & SignInPlace & { readonly intervalMs: number },
): DevicePoll {
  const result = readTokenResponse(reply, context);
  const { provider, intervalMs } = context;
  const { retryAfterMs } = reply;
  if (result.kind === 'tokens') return result;
  if (result.kind === 'unusable') {
    return result.temporary
      ? { kind: 'waiting', intervalMs: backedOff(intervalMs), retryAfterMs }
      : { kind: 'ended', error: exchangeFailure(result, context) };
  }
  switch (result.error) {
    case 'authorization_pending':
      return { kind: 'waiting', intervalMs, retryAfterMs };
    case 'slow_down':
      return { kind: 'waiting', intervalMs: intervalMs + slowDownMs, retryAfterMs };
    case 'access_denied':
    case 'authorization_declined':
      return {
        kind: 'ended',
        error: new AuthsomeError('SignInFailed', `${provider} refused the sign-in: ${result.error}`, {
          hint: `The request was declined. To try again, run: ${signInAt(context)} --flow device_code`,
        }),
      };
    case 'expired_token':
    case 'code_expired':
      return {
        kind: 'ended',
        error: new AuthsomeError('SignInExpired', 'the code was not entered in time', {
          hint: `Get a new code with: ${signInAt(context)} --flow device_code`,
        }),
      };
    default:
      return isTemporaryError(result.error)
        ? { kind: 'waiting', intervalMs: backedOff(intervalMs), retryAfterMs }
        : { kind: 'ended', error: exchangeFailure(result, context) };
  }
}

/** The pause after a poll without a response: twice as long, up to a minute (RFC 8628 §3.5). */
export function backedOff(intervalMs: number): number {
  return Math.max(intervalMs, Math.min(intervalMs * 2, maxIntervalMs));
}
