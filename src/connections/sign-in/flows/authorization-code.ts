import { type AuthsomeError, asAuthsomeError } from '../../../errors.ts';
import { type CallbackResult, exchangeCode, readCallback } from '../../../oauth/index.ts';
import type { Provider } from '../../../providers/index.ts';
import { clientHint, registeredAnew, tokenEndpoint } from '../../clients/index.ts';
import type { Trouble } from '../../contract.ts';
import type { Endpoints } from '../../discovery/index.ts';
import { fetchTo } from '../../discovery/index.ts';
import { connectionKey } from '../../names.ts';
import type { OpenConnection, StoredSession } from '../../records/index.ts';
import {
  bindingTo,
  doubtClient,
  findClient,
  isRefusedRegistration,
  type KnownClient,
} from '../../records/index.ts';
import { sessionLine, sessionPlace } from '../../sign-in-command.ts';
import { authorizeStage, refusedAgain } from '../authorization-stage.ts';
import { completeWithTokens, finish } from '../sign-in-completion.ts';
import {
  clientChanged,
  failSession,
  providerOf,
  type SignInContext,
  withSession,
} from '../sign-in-context.ts';

/**
 * Uses up the state of a session and exchanges the code; the session ends either way. `undefined` when somebody else
 * used the state in the meantime.
 */
export async function takeCallback(
  context: SignInContext,
  found: StoredSession,
  params: URLSearchParams,
): Promise<StoredSession | undefined> {
  const result = await readBack(context, found, params);
  // The code is stored before it is used: should the daemon stop now, the next one goes on from here.
  let won = false;
  const session = await context.sessions.update(found.id, (current) => {
    won = current.stage === 'authorize' && current.status === 'waiting';
    if (!won) return undefined;
    const { codeVerifier } = current.secrets;
    const secrets = result.kind === 'code' ? { code: result.code, codeVerifier } : {};
    return { stage: 'exchange', stateHash: undefined, secrets };
  });
  if (!won) return undefined;
  if (result.kind === 'refused') return await failSession(context, session.id, result.error);
  return await exchange(context, session.id);
}

/**
 * Finishes a session that has its code; the first to hold the lease does the work. A daemon that dies before the code
 * reaches the provider, or after the connection is stored, loses nothing; one that dies in between has lost a code that
 * the provider takes only once: the sign-in then ends as failed, and nothing else with it.
 */
export async function exchange(context: SignInContext, id: string): Promise<StoredSession> {
  try {
    return await withSession(context, id, async () => {
      const session = await context.sessions.read(id);
      if (session.status !== 'waiting' || session.stage !== 'exchange') return session;
      const stored = await context.connections.find(session.provider, session.connection);
      if (stored?.connection.signIn === id) return await finish(context, session, stored.connection);
      return await exchangeNow(context, session, stored);
    });
  } catch (error) {
    return await failSession(context, id, asAuthsomeError(error));
  }
}

async function exchangeNow(
  context: SignInContext,
  session: StoredSession,
  found: OpenConnection | undefined,
): Promise<StoredSession> {
  const provider = providerOf(context, session);
  const endpoints = requireEndpoints(session);
  const client = await findClient(context.options.vault, provider, endpoints, session.clientId);
  const { code, codeVerifier } = session.secrets;
  if (client === undefined || client.clientId !== session.clientId) throw clientChanged(context, session);
  if (code === undefined || codeVerifier === undefined) throw new TypeError('a session without its code');
  const fetch = fetchTo(context.options, endpoints);
  const result = await exchangeCode(fetch, {
    ...tokenEndpoint(provider, endpoints.tokenUrl, client),
    signIn: sessionPlace(context.options.catalog, session),
    code,
    codeVerifier,
    redirectUri: context.options.redirectUri,
    requestedScopes: session.requestedScopes,
    nowMs: context.options.nowMs,
  });
  if (result.kind === 'failed') {
    if (!isRefusedRegistration(result, client)) throw result.error;
    return await askAgain(context, session, provider, endpoints, client, result.error);
  }
  const binding = bindingTo(client.clientId, endpoints);
  const ended = await completeWithTokens(context, session, provider, result.tokens, binding, found);
  if (client.doubt !== undefined)
    await doubtClient(context.options.vault, provider, client.clientId, undefined);
  return ended;
}

/**
 * Sends the person to the provider once more, for a client in the place of the registered one that the provider refuses: the
 * code was that client's and is lost with it. A provider that refuses the second one too has something against all of them.
 */
async function askAgain(
  context: SignInContext,
  session: StoredSession,
  provider: Provider,
  endpoints: Endpoints,
  refused: KnownClient,
  error: AuthsomeError,
): Promise<StoredSession> {
  const { options, sessions } = context;
  const { name } = provider;
  if (session.hasNewClient === true) {
    await doubtClient(options.vault, provider, refused.clientId, 'refused');
    throw refusedAgain(options.catalog, error, session);
  }
  const client = await registeredAnew(options, provider, endpoints, session, refused);
  const stage = await authorizeStage(context, session, provider, client);
  const warning: Trouble = {
    error: 'SignInFailed',
    message: `${name} no longer takes the client that authsome registered there`,
    hint: 'Another one has been registered. Authorize it at the newest address, as before.',
  };
  return await sessions.update(session.id, ({ status, warnings }) =>
    status === 'waiting' ? { ...stage, hasNewClient: true, warnings: [...warnings, warning] } : undefined,
  );
}

/** What the callback of a session brings, and what it says of a client that was registered. */
async function readBack(
  context: SignInContext,
  session: StoredSession,
  params: URLSearchParams,
): Promise<CallbackResult> {
  const { endpoints, clientId } = session;
  const { vault, redirectUri } = context.options;
  const provider = providerOf(context, session);
  const found = endpoints === undefined ? undefined : await findClient(vault, provider, endpoints, clientId);
  // Of one that has taken the place of this session's own, the answer says nothing.
  const client = found?.clientId === clientId ? found : undefined;
  try {
    const result = readCallback(params, {
      state: session.secrets.state ?? '',
      issuer: endpoints?.issuer,
      issRequired: endpoints?.issRequired ?? false,
      provider: provider.name,
      signIn: sessionPlace(context.options.catalog, session),
      settingsUrl: provider.setup.url,
      redirectUri,
      clientHint:
        client === undefined
          ? undefined
          : clientHint(provider, client, sessionLine(context.options.catalog, session)),
    });
    if (client !== undefined && isRefusedRegistration(result, client))
      await doubtClient(vault, provider, client.clientId, 'refused');
    return result;
  } catch (error) {
    return { kind: 'refused', error: asAuthsomeError(error), clientRefused: false };
  }
}

function requireEndpoints(session: StoredSession): Endpoints {
  if (session.endpoints === undefined) {
    throw new TypeError(
      `a session without endpoints: ${connectionKey(session.provider, session.connection)}`,
    );
  }
  return session.endpoints;
}
