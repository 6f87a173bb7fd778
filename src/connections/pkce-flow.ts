import { AuthsomeError, asAuthsomeError } from '../errors.ts';
import { exchangeCode, readCallback } from '../oauth/index.ts';
import type { Provider } from '../providers/index.ts';
import { findClient } from './client-record.ts';
import type { OpenConnection } from './connection-store.ts';
import { fetchTo, tokenEndpoint } from './endpoints.ts';
import { connectionKey } from './names.ts';
import type { Endpoints, StoredSession } from './session-record.ts';
import { completeWithTokens, finish } from './sign-in-completion.ts';
import { failSession, providerOf, type SignInContext, withSession } from './sign-in-context.ts';

/**
 * Uses up the state of a session and exchanges the code; the session ends either way. `undefined` when somebody else
 * used the state in the meantime.
 */
export async function takeCallback(
  context: SignInContext,
  found: StoredSession,
  params: URLSearchParams,
): Promise<StoredSession | undefined> {
  const provider = providerOf(context, found);
  const code = judge(context, found, provider, params);
  // The code is stored before it is used: should the daemon stop now, the next one goes on from here.
  let won = false;
  const session = await context.sessions.update(found.id, (current) => {
    won = current.stage === 'authorize' && current.status === 'waiting';
    if (!won) return undefined;
    const secrets = typeof code === 'string' ? { code, codeVerifier: current.secrets.codeVerifier } : {};
    return { stage: 'exchange', stateHash: undefined, secrets };
  });
  if (!won) return undefined;
  if (typeof code !== 'string') return await failSession(context, session.id, code);
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
  if (client?.clientId !== session.clientId || client === undefined) {
    throw new AuthsomeError('SignInFailed', `the OAuth client of ${provider.name} was changed meanwhile`, {
      hint: `Start again with: authsome login ${provider.name}`,
    });
  }
  if (code === undefined || codeVerifier === undefined) throw new TypeError('a session without its code');
  const fetch = fetchTo(context.options, endpoints);
  const endpoint = tokenEndpoint(provider, endpoints.tokenUrl, client);
  const tokens = await exchangeCode(fetch, {
    ...endpoint,
    code,
    codeVerifier,
    redirectUri: context.options.redirectUri,
    requestedScopes: session.requestedScopes,
    nowMs: context.options.nowMs,
  });
  const { issuer, tokenUrl, revocationUrl, namedHost } = endpoints;
  const binding = { clientId: client.clientId, issuer, tokenUrl, revocationUrl, namedHost };
  return await completeWithTokens(context, session, provider, tokens, binding, found);
}

function judge(
  context: SignInContext,
  session: StoredSession,
  provider: Provider,
  params: URLSearchParams,
): string | AuthsomeError {
  try {
    return readCallback(params, {
      state: session.secrets.state ?? '',
      issuer: session.endpoints?.issuer,
      issRequired: session.endpoints?.issRequired ?? false,
      provider: provider.name,
      settingsUrl: provider.setup.url,
      redirectUri: context.options.redirectUri,
    });
  } catch (error) {
    return asAuthsomeError(error);
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

/** For a sign-in whose time ran out: the likely causes, by where it stood, each with its fix. */
export function expiredHint(
  session: Pick<StoredSession, 'stage' | 'provider'>,
  redirectUri: string,
  settingsUrl: string | undefined,
): string {
  const again = `authsome login ${session.provider} --force`;
  if (session.stage !== 'authorize') return `Start again with: ${again}`;
  return [
    `The browser never came back to ${redirectUri}`,
    `If you did not authorize in time, run: ${again}`,
    'If you did, and nothing happened, before you run it again:',
    '- a corporate proxy may intercept 127.0.0.1: add 127.0.0.1 and localhost to NO_PROXY',
    '- another browser profile may not reach this machine: use the profile that belongs to this shell',
    '- the browser may run elsewhere: paste the address it ended at into the waiting terminal',
    `- ${session.provider} may have refused the redirect URI: set it to exactly the one above${
      settingsUrl === undefined ? '' : ` at ${settingsUrl}`
    }`,
  ].join('\n');
}
