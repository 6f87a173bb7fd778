import { type AuthsomeError, asAuthsomeError } from '../../../errors.ts';
import { type CallbackResult, exchangeCode, newAttempt, readCallback } from '../../../oauth/index.ts';
import type { Provider } from '../../../providers/index.ts';
import {
  clientHint,
  redirectUriFor,
  redirectUriOf,
  refusedAgain,
  reregisteredClient,
  tokenEndpoint,
} from '../../clients/index.ts';
import { fetchTo } from '../../discovery/index.ts';
import {
  doubtClient,
  hashOf,
  isRefusedRegistration,
  isUsedElsewhere,
  type NewSession,
  type StoredSession,
} from '../../records/index.ts';
import { sessionLine, sessionPlace } from '../../sign-in-command.ts';
import { addressFor } from './authorization-address.ts';
import type { FlowContext, FlowStep, OauthFlow, RedirectSteps, SessionChange } from './flow.ts';
import { byRefreshToken } from './refresh-token.ts';

/** A browser is sent to the provider and comes back with a code (RFC 6749 §4.1), with PKCE always. */
export function authorizationCode({ registersClient }: { readonly registersClient: boolean }): OauthFlow {
  return {
    kind: 'oauth',
    endpointsNeeded: registersClient ? ['authorizationUrl', 'registrationEndpoint'] : ['authorizationUrl'],
    registersClient,
    obstacle: registersClient ? registrationObstacle : authorizationObstacle,
    begin,
    resumesAt: 'exchange',
    resume,
    redirect: { readCallback: readBack, renewAddress },
    refresh: byRefreshToken,
    view: ({ status, stage, secrets, addressExpiresAtMs }) => ({
      providerUrl: secrets.authorizationUrl,
      providerUrlExpiresAtMs: status === 'waiting' && stage === 'authorize' ? addressExpiresAtMs : undefined,
    }),
  };
}

function authorizationObstacle({ oauth }: Provider): string | undefined {
  if (oauth === undefined) return 'it does not use OAuth';
  return oauth.authorizationUrl === undefined && oauth.issuer === undefined
    ? 'its definition has no authorization_url'
    : undefined;
}

function registrationObstacle({ oauth }: Provider): string | undefined {
  if (oauth === undefined) return 'it does not use OAuth';
  return oauth.supportsDcr || oauth.registrationEndpoint !== undefined
    ? undefined
    : 'it does not support dynamic client registration';
}

/** Makes the attempt, with its state and verifier, and the address that the browser goes to. */
async function begin(context: FlowContext): Promise<Partial<NewSession>> {
  const { options, provider, client, session } = context;
  const attempt = newAttempt(options.randomBytes);
  let current = client;
  let address = await addressFor(context, attempt);
  if (isRefusedRegistration(address, client)) {
    current = await reregisteredClient(context, client);
    address = await addressFor({ ...context, client: current }, attempt);
    if (isRefusedRegistration(address, current)) {
      await doubtClient(options.vault, provider, current.clientId, 'refused');
      if (address.kind === 'failed') throw refusedAgain(options.catalog, address.error, session);
    }
  }
  if (address.kind === 'failed') throw address.error;
  return {
    stage: 'authorize',
    clientId: current.clientId,
    stateHash: hashOf(attempt.state),
    redirectUri: redirectUriOf(redirectUriFor(options.redirectUri, provider), current),
    addressExpiresAtMs: address.expiresAtMs,
    secrets: { ...attempt, authorizationUrl: address.url },
  };
}

/**
 * Exchanges the code. A daemon that dies before the code reaches the provider, or after the connection is stored, loses
 * nothing; one that dies in between has lost a code that the provider takes only once: the sign-in then ends as failed,
 * and nothing else with it.
 */
async function resume(context: FlowContext<StoredSession>): Promise<FlowStep> {
  const { options, session, provider, endpoints, client } = context;
  const { code, codeVerifier } = session.secrets;
  if (code === undefined || codeVerifier === undefined) throw new TypeError('a session without its code');
  const result = await exchangeCode(fetchTo(options, endpoints), {
    ...tokenEndpoint(provider, endpoints.tokenUrl, client),
    signIn: sessionPlace(options.catalog, session),
    code,
    codeVerifier,
    redirectUri: session.redirectUri ?? options.redirectUri,
    requestedScopes: session.requestedScopes,
    nowMs: options.nowMs,
  });
  if (result.kind === 'tokens') return result;
  if (!isRefusedRegistration(result, client)) throw result.error;
  return { kind: 'unfinished', change: await askAgain(context, result.error) };
}

/**
 * Sends the person to the provider once more, for a client in the place of the registered one that the provider refuses: the
 * code was that client's and is lost with it. A provider that refuses the second one too has something against all of them.
 */
async function askAgain(context: FlowContext<StoredSession>, error: AuthsomeError): Promise<SessionChange> {
  const { options, session, provider, client } = context;
  if (session.hasNewClient === true) {
    await doubtClient(options.vault, provider, client.clientId, 'refused');
    throw refusedAgain(options.catalog, error, session);
  }
  const next = await begin({ ...context, client: await reregisteredClient(context, client) });
  const warning = {
    error: 'SignInFailed',
    message: `${provider.name} no longer accepts the client that authsome registered there`,
    hint: 'A new one has been registered. Open the newest address to authorize it.',
  };
  return ({ warnings }) => ({ ...next, hasNewClient: true, warnings: [...warnings, warning] });
}

/** What the callback of a session brings, and what it says of a client that was registered. */
const readBack: RedirectSteps['readCallback'] = async (context, landing): Promise<CallbackResult> => {
  const { options, session, provider, client } = context;
  const redirectUri = session.redirectUri ?? options.redirectUri;
  try {
    const result = readCallback(landing.searchParams, {
      state: session.secrets.state ?? '',
      issuer: session.endpoints?.issuer,
      serverOrigins: originsOf(session.endpoints),
      issRequired: session.endpoints?.issRequired ?? false,
      isElsewhere: landing.pathname !== new URL(redirectUri).pathname,
      isAmbiguous: landing.searchParams.get('iss') === null && (await isAmbiguous(context)),
      provider: provider.name,
      signIn: sessionPlace(options.catalog, session),
      settingsUrl: provider.setup.url,
      redirectUri,
      clientHint:
        client === undefined
          ? undefined
          : clientHint(provider, client, sessionLine(options.catalog, session)),
    });
    if (client !== undefined && isRefusedRegistration(result, client))
      await doubtClient(options.vault, provider, client.clientId, 'refused');
    return result;
  } catch (error) {
    return { kind: 'refused', error: asAuthsomeError(error), clientRefused: false };
  }
};

/**
 * Whether a response that does not name its issuer may be another server's: the redirect URI is the one of all servers,
 * and the client, which has no secret, is used with another server too (RFC 9700 §4.4).
 */
async function isAmbiguous({
  options,
  session,
  provider,
  client,
}: Parameters<RedirectSteps['readCallback']>[0]): Promise<boolean> {
  const { endpoints, clientId, redirectUri = options.redirectUri } = session;
  // Whatever its host, the path without more is that of all servers.
  const isOwn = new URL(redirectUri).pathname !== new URL(options.redirectUri).pathname;
  if (isOwn || provider.oauth?.iss === 'optional') return false;
  if (endpoints === undefined || clientId === undefined || client?.clientSecret !== undefined) return false;
  return await isUsedElsewhere(options, clientId, endpoints);
}

function originsOf(endpoints: StoredSession['endpoints']): readonly string[] {
  const urls = [endpoints?.authorizationUrl, endpoints?.tokenUrl];
  return urls.flatMap((url) => (url === undefined ? [] : new URL(url).origin));
}

/**
 * The attempt stays the same: whichever of its addresses a person took, the callback is this session's, and the first one
 * counts.
 */
async function renewAddress(context: FlowContext<StoredSession>): Promise<SessionChange> {
  const { state, codeVerifier } = context.session.secrets;
  if (state === undefined || codeVerifier === undefined) throw new TypeError('a session without its attempt');
  const address = await addressFor(context, { state, codeVerifier });
  if (address.kind === 'failed') throw address.error;
  return ({ secrets }) =>
    secrets.state === state
      ? {
          addressExpiresAtMs: address.expiresAtMs,
          secrets: { ...secrets, authorizationUrl: address.url },
        }
      : undefined;
}
