import { AuthsomeError } from '../errors.ts';
import {
  type Attempt,
  authorizationRequest,
  clientSecrets,
  newAttempt,
  pushedAuthorizationRequest,
  pushedAuthorizationUrl,
  readPushedAuthorizationResponse,
} from '../oauth/index.ts';
import type { Provider } from '../providers/index.ts';
import { findClient, type KnownClient } from './client-record.ts';
import { fetchTo, pushEndpoint, tokenEndpoint } from './endpoints.ts';
import type { NewSession, StoredSession } from './session-record.ts';
import { hashOfState } from './session-store.ts';
import { providerOf, type SignInContext } from './sign-in-context.ts';

type Session = Pick<NewSession, 'requestedScopes' | 'endpoints'>;

/** What changes in a session when the browser can go to the provider: the attempt, with its state and verifier. */
export async function authorizeStage(
  context: SignInContext,
  session: Session,
  provider: Provider,
  client: KnownClient,
): Promise<Partial<NewSession>> {
  const attempt = newAttempt(context.options.randomBytes);
  const address = await addressFor(context, session, provider, client, attempt);
  return {
    stage: 'authorize',
    clientId: client.clientId,
    stateHash: hashOfState(attempt.state),
    addressExpiresAtMs: address.expiresAtMs,
    secrets: { ...attempt, authorizationUrl: address.url },
  };
}

/**
 * The session with an address that nobody has used yet, where the one that it had works once and for a time only. The
 * attempt stays the same: whichever of its addresses a person took, the answer is this session's, and the first one
 * counts. Others are returned as they are. Rejects with SignInFailed or EndpointUnreachable, and the sign-in goes on.
 */
export async function renewAddress(context: SignInContext, session: StoredSession): Promise<StoredSession> {
  const { addressExpiresAtMs, clientId, endpoints, secrets } = session;
  const { state, codeVerifier } = secrets;
  if (!isAtProvider(session) || addressExpiresAtMs === undefined || endpoints === undefined) return session;
  if (state === undefined || codeVerifier === undefined) throw new TypeError('a session without its attempt');
  const provider = providerOf(context, session);
  const client = await findClient(context.options.vault, provider, endpoints, clientId);
  if (client === undefined || client.clientId !== clientId) return session;
  const address = await addressFor(context, session, provider, client, { state, codeVerifier });
  return await context.sessions.update(session.id, (current) =>
    isAtProvider(current) && current.secrets.state === state
      ? {
          addressExpiresAtMs: address.expiresAtMs,
          secrets: { ...current.secrets, authorizationUrl: address.url },
        }
      : undefined,
  );
}

function isAtProvider({ status, stage }: StoredSession): boolean {
  return status === 'waiting' && stage === 'authorize';
}

interface Address {
  readonly url: string;
  /** Of a pushed request; `undefined`: good as long as the sign-in. */
  readonly expiresAtMs: number | undefined;
}

/**
 * Where the browser goes. A request is pushed (RFC 9126) only where the server, the client or the definition wants it: what
 * else it would protect, PKCE, the state and the issuer's name protect as well, while its address works once and often for
 * less than a minute, which is short for a person who carries it to another machine.
 */
async function addressFor(
  context: SignInContext,
  session: Session,
  provider: Provider,
  client: KnownClient,
  attempt: Attempt,
): Promise<Address> {
  const { endpoints, requestedScopes } = session;
  const { options } = context;
  if (provider.oauth === undefined || endpoints?.authorizationUrl === undefined) {
    throw new AuthsomeError(
      'InvalidDefinition',
      `the definition of ${provider.name} has no authorization_url`,
      {
        hint: `Look at it with: authsome inspect ${provider.name}`,
      },
    );
  }
  const { authorizationUrl } = endpoints;
  const { scopeSeparator, scopeParameter, authorizationParams, resource } = provider.oauth;
  const request = authorizationRequest(
    {
      authorizationUrl,
      clientId: client.clientId,
      redirectUri: options.redirectUri,
      scopes: requestedScopes,
      scopeSeparator,
      scopeParameter,
      params: authorizationParams,
      resource,
    },
    attempt,
  );
  const pushUrl = pushEndpoint(provider, endpoints, client.pushRequired);
  if (pushUrl === undefined) return { url: request.url, expiresAtMs: undefined };
  const sentAtMs = options.nowMs();
  const reply = await pushedAuthorizationRequest(fetchTo(options, endpoints), {
    pushedAuthorizationUrl: pushUrl,
    parameters: request.parameters,
    client,
    authMethod: tokenEndpoint(provider, endpoints.tokenUrl, client).authMethod,
  });
  const pushed = readPushedAuthorizationResponse(reply, {
    pushedAuthorizationUrl: pushUrl,
    provider: provider.name,
    settingsUrl: provider.setup.url,
    redirectUri: options.redirectUri,
    sentAtMs,
    secrets: [attempt.state, ...clientSecrets(client)],
  });
  if (pushed.kind === 'failed') throw pushed.error;
  return {
    url: pushedAuthorizationUrl(authorizationUrl, client.clientId, pushed.requestUri),
    expiresAtMs: pushed.expiresAtMs,
  };
}
