import { AuthsomeError } from '../../../errors.ts';
import {
  backedOff,
  clientSecrets,
  type DevicePoll,
  deviceAuthorizationRequest,
  deviceTokenRequest,
  readDeviceAuthorization,
  readDeviceToken,
} from '../../../oauth/index.ts';
import { tokenEndpoint } from '../../clients/index.ts';
import { fetchTo } from '../../discovery/index.ts';
import type { NewSession, StoredSession } from '../../records/index.ts';
import { browserLine, sessionPlace } from '../../sign-in-command.ts';
import type { FlowContext, OauthFlow } from './flow.ts';
import { byRefreshToken } from './refresh-token.ts';

/** A code that lives longer than this is given up on. */
const maxLifetimeMs = 30 * 60_000;
/** RFC 8628 §3.2, where the server does not say. */
const usualIntervalMs = 5_000;

/** A person enters a code on another device, while the token endpoint is polled (RFC 8628). */
export const deviceCode: OauthFlow = {
  kind: 'oauth',
  endpointsNeeded: ['deviceAuthorizationUrl'],
  registersClient: false,
  obstacle({ oauth }) {
    if (oauth === undefined) return 'it does not use OAuth';
    return oauth.supportsDeviceCode || oauth.deviceAuthorizationUrl !== undefined
      ? undefined
      : 'it does not support the device flow';
  },
  begin,
  resumesAt: 'device',
  pauseMs: ({ intervalMs = usualIntervalMs, retryAfterMs = 0 }) => Math.max(intervalMs, retryAfterMs),
  async resume(context) {
    const { intervalMs, retryAfterMs } = context.session;
    const result = await poll(context);
    if (result.kind === 'ended') throw result.error;
    if (result.kind === 'tokens') return result;
    const next = { intervalMs: result.intervalMs, retryAfterMs: result.retryAfterMs };
    const isSame = next.intervalMs === intervalMs && next.retryAfterMs === retryAfterMs;
    return { kind: 'unfinished', ...(isSame ? {} : { change: () => next }) };
  },
  refresh: byRefreshToken,
  view({ secrets: { verificationUri, verificationUriComplete, userCode } }) {
    return { providerUrl: verificationUriComplete ?? verificationUri, verificationUri, userCode };
  },
};

/** Gets the code that a person enters at the provider (RFC 8628 §3.2). */
async function begin(context: FlowContext): Promise<Partial<NewSession>> {
  const { options, session, provider, endpoints, client } = context;
  const { deviceAuthorizationUrl } = endpoints;
  const byBrowser = browserLine(options.catalog, session);
  if (deviceAuthorizationUrl === undefined) {
    throw new AuthsomeError('OperationNotAllowed', `${provider.name} has no device flow`, {
      hint: `Run: ${byBrowser}`,
    });
  }
  const sentAtMs = options.nowMs();
  const reply = await deviceAuthorizationRequest(fetchTo(options, endpoints), {
    ...tokenEndpoint(provider, endpoints.tokenUrl, client),
    deviceAuthorizationUrl,
    scopes: session.requestedScopes,
    scopeSeparator: provider.oauth?.scopeSeparator ?? ' ',
  });
  const { expiresInMs, intervalMs, ...secrets } = readDeviceAuthorization(reply, {
    deviceAuthorizationUrl,
    provider: provider.name,
    byBrowser,
  });
  return {
    stage: 'device',
    clientId: client.clientId,
    intervalMs,
    expiresAtMs: sentAtMs + Math.min(expiresInMs, maxLifetimeMs),
    secrets,
  };
}

/** Asks once whether the person has entered the code (RFC 8628 §3.4). */
async function poll(context: FlowContext<StoredSession>): Promise<DevicePoll> {
  const { options, session, provider, endpoints, client } = context;
  const { intervalMs = usualIntervalMs, requestedScopes } = session;
  const { deviceCode } = session.secrets;
  if (deviceCode === undefined) throw new TypeError('a session without its device code');
  const signIn = sessionPlace(options.catalog, session);
  const sentAtMs = options.nowMs();
  try {
    const reply = await deviceTokenRequest(fetchTo(options, endpoints), {
      ...tokenEndpoint(provider, endpoints.tokenUrl, client),
      encoding: provider.oauth?.deviceTokenRequest ?? 'form',
      signIn,
      deviceCode,
    });
    return readDeviceToken(reply, {
      provider: provider.name,
      signIn,
      intervalMs,
      requestedScopes,
      sentAtMs,
      secrets: [deviceCode, ...clientSecrets(client)],
    });
  } catch (error) {
    // A network that is away for a while must not end the sign-in (RFC 8628 §3.5).
    if (error instanceof AuthsomeError && error.code === 'EndpointUnreachable') {
      return { kind: 'waiting', intervalMs: backedOff(intervalMs) };
    }
    throw error;
  }
}
