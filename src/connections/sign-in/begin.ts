import { signInLine } from '../../command-line.ts';
import { AuthsomeError, asAuthsomeError } from '../../errors.ts';
import { definedHosts, type Provider } from '../../providers/index.ts';
import { authMethodFor, parseClient, redirectUriFor, registeredClient } from '../clients/index.ts';
import type { SignInRequest } from '../contract.ts';
import {
  discoveredProvider,
  type Endpoints,
  findEndpoints,
  isServiceUrl,
  rediscoveredProvider,
} from '../discovery/index.ts';
import { connectionName, scopeName } from '../names.ts';
import {
  findClient,
  isClientInUse,
  isUsable,
  type NewSession,
  type StoredSession,
  setClientAside,
  storeClient,
} from '../records/index.ts';
import { chooseFlow } from './flow-choice.ts';
import type { OauthFlow, SecretFlow } from './flows/index.ts';
import { resumeSession } from './resume.ts';
import { completeWithSecret, connectionExists } from './sign-in-completion.ts';
import { flowOf, notifyFailure, type SignInContext } from './sign-in-context.ts';
import { newTicket } from './ticket.ts';

const sessionLifetimeMs = 10 * 60_000;

/** The session of a new sign-in, as far as it gets without a person. Rejects as `SignIns.start`. */
export async function beginSignIn(context: SignInContext, request: SignInRequest): Promise<StoredSession> {
  const { options, connections, sessions } = context;
  const connection = connectionName(request.connection ?? 'default');
  const provider = await findProvider(context, request);
  const session = newSession(context, request, provider, connection);
  const existing = await connections.find(provider.name, connection);
  if (existing !== undefined && !request.force && isUsable(existing.connection, options.nowMs())) {
    throw connectionExists(options.catalog, session);
  }
  await sessions.forgetEnded();
  options.notify({ event: 'sign_in.started', provider: provider.name, connection, outcome: 'ok' });
  const flow = flowOf(context, session);
  try {
    return flow.kind === 'secret'
      ? await beginWithSecret(context, { request, provider, session, flow })
      : await beginWithClient(context, { request, provider, session, flow });
  } catch (error) {
    notifyFailure(context, session, asAuthsomeError(error));
    throw error;
  }
}

/** The provider behind a name or a URL. A failure during discovery has no session yet to report it. */
async function findProvider({ options }: SignInContext, request: SignInRequest): Promise<Provider> {
  const { provider: wanted, baseUrl } = request;
  const known = isServiceUrl(wanted) ? undefined : options.catalog.resolve(wanted, baseUrl);
  try {
    return known === undefined
      ? await discoveredProvider(options, wanted)
      : await rediscoveredProvider(options, known);
  } catch (error) {
    const { code: outcome } = asAuthsomeError(error);
    const event = { event: 'sign_in.failed', outcome, detail: 'discovery' } as const;
    options.notify(known === undefined ? event : { ...event, provider: known.name });
    throw error;
  }
}

function newSession(
  context: SignInContext,
  request: SignInRequest,
  provider: Provider,
  connection: string,
): NewSession {
  const { options, flows } = context;
  if (provider.needsBaseUrl) {
    const line = signInLine({ ...request, provider: provider.name });
    const example = provider.setup.steps.join(' ').match(/--base-url (https:\/\/[\w.-]+)/)?.[1];
    throw new AuthsomeError(
      'Usage',
      `${provider.displayName} needs your account's address: pass it with --base-url`,
      {
        hint: `Run: ${line} --base-url ${example ?? 'https://<host>'}`,
      },
    );
  }
  const flow = chooseFlow(flows, provider, request);
  const createdAtMs = options.nowMs();
  return {
    id: `ses_${Buffer.from(options.randomBytes(16)).toString('base64url')}`,
    provider: provider.name,
    displayName: provider.displayName,
    connection,
    flow,
    baseUrl: request.baseUrl === undefined ? undefined : provider.baseUrl,
    approved: definedHosts(provider),
    force: request.force,
    isFromRun: request.isFromRun,
    requestedScopes: request.scopes?.map(scopeName) ?? provider.oauth?.scopes ?? [],
    stage: 'authorize',
    status: 'waiting',
    createdAtMs,
    expiresAtMs: createdAtMs + sessionLifetimeMs,
    warnings: [],
    ...newTicket(context),
    redirectUri: redirectUriFor(options.redirectUri, provider),
    secrets: {},
  };
}

/** A sign-in that has all it needs to begin. */
interface Beginning<Flow> {
  readonly request: SignInRequest;
  readonly provider: Provider;
  readonly session: NewSession;
  readonly flow: Flow;
}

async function beginWithSecret(
  context: SignInContext,
  { request, provider, session, flow }: Beginning<SecretFlow>,
): Promise<StoredSession> {
  const { apiKey: given } = request;
  const { isPhantom } = context.options;
  const readingOptions = { variable: provider.apiKey?.envVar, isPhantom };
  const apiKey = given === undefined ? undefined : flow.readSecret(provider, given, readingOptions);
  const created = await context.sessions.create({ ...session, stage: 'secret' });
  return apiKey === undefined ? created : await completeWithSecret(context, created, provider, apiKey);
}

async function beginWithClient(
  context: SignInContext,
  { request, provider, session, flow }: Beginning<OauthFlow>,
): Promise<StoredSession> {
  const { options, sessions } = context;
  const endpoints = await findEndpoints(options, provider, flow.endpointsNeeded);
  await storeGivenClient(context, request, provider, endpoints);
  const client = flow.registersClient
    ? await registeredClient({ options, provider, endpoints, session })
    : await findClient(options.vault, provider, endpoints);
  if (client === undefined) return await sessions.create({ ...session, endpoints, stage: 'client' });
  const stage = await flow.begin({ options, session, provider, endpoints, client });
  return await resumeSession(context, await sessions.create({ ...session, endpoints, ...stage }));
}

/** Stores the client that came with the request, from the environment of the caller. */
async function storeGivenClient(
  { options }: SignInContext,
  { clientId, clientSecret = '' }: SignInRequest,
  provider: Provider,
  endpoints: Endpoints,
): Promise<void> {
  if (clientId === undefined) return;
  const given = parseClient(provider, clientId, clientSecret, options.isPhantom);
  const authMethod = authMethodFor(endpoints, provider, given);
  // What was granted to the client that it takes the place of can still be refreshed, or revoked.
  const before = await findClient(options.vault, provider, endpoints);
  const isAnother = before !== undefined && before.clientId !== given.clientId;
  if (isAnother && (await isClientInUse(options.vault, provider, before.clientId)))
    await setClientAside(options.vault, provider);
  await storeClient(options.vault, provider, endpoints, { ...given, authMethod, origin: 'environment' });
}
