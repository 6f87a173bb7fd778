import { setTimeout as sleep } from 'node:timers/promises';
import { AuthsomeError, asAuthsomeError } from '../../../errors.ts';
import {
  backedOff,
  clientSecrets,
  type DevicePoll,
  deviceAuthorizationRequest,
  deviceTokenRequest,
  type Fetch,
  readDeviceAuthorization,
  readDeviceToken,
  type TokenEndpoint,
} from '../../../oauth/index.ts';
import type { Provider } from '../../../providers/index.ts';
import { tokenEndpoint } from '../../clients/index.ts';
import type { Endpoints } from '../../discovery/index.ts';
import { fetchTo } from '../../discovery/index.ts';
import type { NewSession, OpenConnection, StoredSession } from '../../records/index.ts';
import { bindingTo, findClient, type KnownClient } from '../../records/index.ts';
import { browserLine, type OfSession, sessionPlace } from '../../sign-in-command.ts';
import { completeWithTokens, finish } from '../sign-in-completion.ts';
import {
  clientChanged,
  failSession,
  providerOf,
  type SignInContext,
  withSession,
} from '../sign-in-context.ts';

/** A code that lives longer than this is given up on: nobody is waiting any more. */
const maxLifetimeMs = 30 * 60_000;

/** What changes in a session when a person can enter the code at the provider (RFC 8628 §3.2). */
export async function deviceStage(
  context: SignInContext,
  session: OfSession,
  endpoints: Endpoints,
  provider: Provider,
  client: KnownClient,
): Promise<Partial<NewSession>> {
  const { deviceAuthorizationUrl } = endpoints;
  const byBrowser = browserLine(context.options.catalog, session);
  if (deviceAuthorizationUrl === undefined) {
    throw new AuthsomeError('OperationNotAllowed', `${provider.name} has no device flow`, {
      hint: `Run: ${byBrowser}`,
    });
  }
  const sentAtMs = context.options.nowMs();
  const reply = await deviceAuthorizationRequest(fetchTo(context.options, endpoints), {
    ...tokenEndpoint(provider, endpoints.tokenUrl, client),
    deviceAuthorizationUrl,
    scopes: session.requestedScopes,
    scopeSeparator: provider.oauth?.scopeSeparator ?? ' ',
  });
  const { expiresInMs, intervalMs, ...secrets } = readDeviceAuthorization(reply, provider.name, byBrowser);
  return {
    stage: 'device',
    clientId: client.clientId,
    intervalMs,
    expiresAtMs: sentAtMs + Math.min(expiresInMs, maxLifetimeMs),
    secrets,
  };
}

/** Polls until the session is over, whoever ends it. Never rejects while the vault answers. */
export async function pollDevice(context: SignInContext, id: string): Promise<void> {
  const pause = context.options.pause ?? ((ms) => sleep(ms, undefined, { ref: false }));
  for (;;) {
    const session = await context.sessions.read(id);
    if (session.status !== 'waiting' || session.stage !== 'device') return;
    if (session.expiresAtMs <= context.options.nowMs()) return;
    await pause(session.intervalMs ?? 5_000);
    // One poll at a time, also where several daemons share the database.
    await withSession(context, id, () => pollOnce(context, id));
  }
}

async function pollOnce(context: SignInContext, id: string): Promise<void> {
  const session = await context.sessions.read(id);
  if (session.status !== 'waiting' || session.stage !== 'device') return;
  try {
    const stored = await context.connections.find(session.provider, session.connection);
    if (stored?.connection.signIn === id) await finish(context, session, stored.connection);
    else await pollNow(context, session, stored);
  } catch (error) {
    await failSession(context, id, asAuthsomeError(error));
  }
}

async function pollNow(
  context: SignInContext,
  session: StoredSession,
  found: OpenConnection | undefined,
): Promise<void> {
  const provider = providerOf(context, session);
  const { endpoints, clientId, intervalMs = 5_000 } = session;
  const { deviceCode } = session.secrets;
  if (endpoints === undefined || deviceCode === undefined) throw new TypeError('a session without its code');
  const client = await findClient(context.options.vault, provider, endpoints);
  if (client === undefined || client.clientId !== clientId) throw clientChanged(context, session);
  const endpoint = {
    ...tokenEndpoint(provider, endpoints.tokenUrl, client),
    encoding: provider.oauth?.deviceTokenRequest ?? 'form',
    signIn: sessionPlace(context.options.catalog, session),
    deviceCode,
  };
  const poll = await ask(
    context,
    fetchTo(context.options, endpoints),
    endpoint,
    session.requestedScopes,
    intervalMs,
  );
  if (poll.kind === 'ended') throw poll.error;
  if (poll.kind === 'waiting') {
    if (poll.intervalMs === intervalMs) return;
    await context.sessions.update(session.id, ({ status }) =>
      status === 'waiting' ? { intervalMs: poll.intervalMs } : undefined,
    );
    return;
  }
  const binding = bindingTo(client.clientId, endpoints);
  await completeWithTokens(context, session, provider, poll.tokens, binding, found);
}

async function ask(
  context: SignInContext,
  fetch: Fetch,
  endpoint: TokenEndpoint & { readonly deviceCode: string },
  requestedScopes: readonly string[],
  intervalMs: number,
): Promise<DevicePoll> {
  const sentAtMs = context.options.nowMs();
  try {
    const reply = await deviceTokenRequest(fetch, endpoint);
    return readDeviceToken(reply, {
      provider: endpoint.provider,
      signIn: endpoint.signIn,
      intervalMs,
      requestedScopes,
      sentAtMs,
      secrets: [endpoint.deviceCode, ...clientSecrets(endpoint.client)],
    });
  } catch (error) {
    // A network that is away for a while must not end the sign-in (RFC 8628 §3.5).
    if (error instanceof AuthsomeError && error.code === 'EndpointUnreachable') {
      return { kind: 'waiting', intervalMs: backedOff(intervalMs) };
    }
    throw error;
  }
}
