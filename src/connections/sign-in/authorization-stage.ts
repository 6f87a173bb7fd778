import { AuthsomeError } from '../../errors.ts';
import {
  type Attempt,
  authorizationRequest,
  clientSecrets,
  newAttempt,
  type PushedAuthorizationResult,
  pushedAuthorizationRequest,
  pushedAuthorizationUrl,
  readPushedAuthorizationResponse,
} from '../../oauth/index.ts';
import type { Provider } from '../../providers/index.ts';
import { clientHint, registeredAnew, tokenEndpoint } from '../clients/index.ts';
import type { ProviderCatalog } from '../contract.ts';
import { fetchTo, pushEndpoint } from '../discovery/index.ts';
import type { NewSession, StoredSession } from '../records/index.ts';
import {
  doubtClient,
  findClient,
  hashOfState,
  isRefusedRegistration,
  type KnownClient,
} from '../records/index.ts';
import { byHandLine, type OfSession, sessionLine, sessionPlace } from '../sign-in-command.ts';
import { providerOf, type SignInContext } from './sign-in-context.ts';

type Session = OfSession & Pick<NewSession, 'endpoints'>;

/** What changes in a session when the browser can go to the provider: the attempt, with its state and verifier. */
export async function authorizeStage(
  context: SignInContext,
  session: Session,
  provider: Provider,
  client: KnownClient,
): Promise<Partial<NewSession>> {
  const attempt = newAttempt(context.options.randomBytes);
  let current = client;
  let address = await addressFor(context, session, provider, current, attempt);
  const { endpoints } = session;
  if (isRefusedRegistration(address, client) && endpoints !== undefined) {
    current = await registeredAnew(context.options, provider, endpoints, session, client);
    address = await addressFor(context, session, provider, current, attempt);
    if (isRefusedRegistration(address, current)) {
      await doubtClient(context.options.vault, provider, current.clientId, 'refused');
      if (address.kind === 'failed') throw refusedAgain(context.options.catalog, address.error, session);
    }
  }
  if (address.kind === 'failed') throw address.error;
  return {
    stage: 'authorize',
    clientId: current.clientId,
    stateHash: hashOfState(attempt.state),
    addressExpiresAtMs: address.expiresAtMs,
    secrets: { ...attempt, authorizationUrl: address.url },
  };
}

/** A server that refuses the second client as well has something against all of them. */
export function refusedAgain(
  catalog: ProviderCatalog,
  error: AuthsomeError,
  session: OfSession,
): AuthsomeError {
  return new AuthsomeError(error.code, error.message, {
    hint: `${session.provider} does not take the client that it has just registered. Register one by hand and sign in with: ${byHandLine(catalog, session)}`,
  });
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
  if (address.kind === 'failed') throw address.error;
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

type Address =
  /** `expiresAtMs` of a pushed request; `undefined`: good as long as the sign-in. */
  | { readonly kind: 'address'; readonly url: string; readonly expiresAtMs: number | undefined }
  | Extract<PushedAuthorizationResult, { kind: 'failed' }>;

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
  if (pushUrl === undefined) return { kind: 'address', url: request.url, expiresAtMs: undefined };
  const sentAtMs = options.nowMs();
  const { authMethod } = tokenEndpoint(provider, endpoints.tokenUrl, client);
  const reply = await pushedAuthorizationRequest(fetchTo(options, endpoints), {
    pushedAuthorizationUrl: pushUrl,
    parameters: request.parameters,
    client,
    authMethod,
  });
  const pushed = readPushedAuthorizationResponse(reply, {
    pushedAuthorizationUrl: pushUrl,
    provider: provider.name,
    signIn: sessionPlace(options.catalog, session),
    settingsUrl: provider.setup.url,
    redirectUri: options.redirectUri,
    clientHint: clientHint(provider, client, sessionLine(options.catalog, session)),
    sentAtMs,
    secrets: [attempt.state, ...clientSecrets(client)],
  });
  if (pushed.kind === 'failed') return pushed;
  return {
    kind: 'address',
    url: pushedAuthorizationUrl(authorizationUrl, client.clientId, pushed.requestUri),
    expiresAtMs: pushed.expiresAtMs,
  };
}
