import { AuthsomeError } from '../../errors.ts';
import {
  fetchDocument,
  mayBeRefusedForRedirectUri,
  mayBeRefusedForScopes,
  type Reply,
  readRegistration,
  registrationRequest,
} from '../../oauth/index.ts';
import type { Provider } from '../../providers/index.ts';
import type { ConnectionsOptions, ProviderCatalog } from '../contract.ts';
import type { Endpoints } from '../discovery/index.ts';
import { patientFetchTo } from '../discovery/index.ts';
import {
  doubtClient,
  findClient,
  isClientInUse,
  type KnownClient,
  setClientAside,
  storeClient,
} from '../records/index.ts';
import { byHandLine, type OfSession } from '../sign-in-command.ts';
import { onLocalhost, redirectUriAt, redirectUriFor } from './redirect-uri.ts';

/** A secret that ends within this time would not outlive the sign-in. */
const minimumSecretLifeMs = 15 * 60_000;

/** The sign-in that needs a client, and where it goes. */
export interface RegistrationContext {
  readonly options: ConnectionsOptions;
  readonly provider: Provider;
  readonly endpoints: Endpoints;
  readonly session: OfSession;
}

/**
 * A client for this sign-in, found without asking a person: the stored one while it is good, else the client metadata
 * document published for this client where the server reads such, else a newly registered one (RFC 7591). Rejects with
 * OperationNotAllowed, SignInFailed or EndpointUnreachable.
 */
export async function registeredClient(context: RegistrationContext): Promise<KnownClient> {
  const { options, provider, endpoints, session } = context;
  const scopes = session.requestedScopes;
  const known = await findClient(options.vault, provider, endpoints);
  if (known !== undefined) {
    const isStillGood = await isGood(context, endpoints, known);
    if (isStillGood && covers(known, scopes)) return known;
    // A doubt may be wrong: what was granted to this client, or is being granted, continues with it while it can.
    const mayBeNeeded =
      isStillGood ||
      (known.doubt !== undefined && (await isClientInUse(options.vault, provider, known.clientId)));
    if (mayBeNeeded) await setClientAside(options.vault, provider);
  }
  const { registrationEndpoint, authMethods } = endpoints;
  const { clientMetadataUrl } = options;
  if (clientMetadataUrl !== undefined && endpoints.takesClientMetadataUrl) {
    const published = { clientId: clientMetadataUrl, clientSecret: undefined, authMethod: 'none' } as const;
    const client: KnownClient = { ...published, origin: 'document' };
    await storeClient(options.vault, provider, endpoints, client);
    return client;
  }
  const byHand = byHandLine(options.catalog, session);
  if (registrationEndpoint === undefined) {
    throw new AuthsomeError(
      'OperationNotAllowed',
      `${provider.name} does not support dynamic client registration`,
      {
        hint: `Register a client yourself, then sign in with: ${byHand}`,
      },
    );
  }
  const wanted = [...new Set([...(known?.scopes ?? []), ...scopes])];
  const ask = async (redirectUri: string): Promise<Registration> => {
    const fetch = patientFetchTo(options, endpoints);
    const request = { registrationEndpoint, redirectUri, scopes: wanted, authMethods };
    const reply = await registrationRequest(fetch, request);
    if (wanted.length === 0 || !mayBeRefusedForScopes(reply)) return { reply, redirectUri, scopes: wanted };
    return { reply: await registrationRequest(fetch, { ...request, scopes: [] }), redirectUri, scopes: [] };
  };
  const taken = await askByName(ask, redirectUriFor(options.redirectUri, provider), endpoints);
  const registered = readRegistration(taken.reply, provider.name, byHand);
  const { redirectUri, scopes: named } = taken;
  const client: KnownClient = { ...registered, origin: 'registration', redirectUri, scopes: named };
  await storeClient(options.vault, provider, endpoints, client);
  return client;
}

/** A registration that was tried: what was asked for, and what came of it. */
interface Registration {
  readonly reply: Reply;
  readonly redirectUri: string;
  readonly scopes: readonly string[];
}

/**
 * Some servers, and firewalls before them, refuse a redirect URI with an address in it. They are asked once more for the
 * same place by its name; of two refusals the first one counts.
 */
async function askByName(
  ask: (redirectUri: string) => Promise<Registration>,
  base: string,
  endpoints: Endpoints,
): Promise<Registration> {
  const first = await ask(redirectUriAt(base, endpoints));
  const named = redirectUriAt(onLocalhost(base), endpoints);
  if (named === first.redirectUri || !mayBeRefusedForRedirectUri(first.reply)) return first;
  const second = await ask(named);
  return second.reply.status >= 200 && second.reply.status < 300 ? second : first;
}

/** A new client in place of a registered one that the server has just refused. Rejects as `registeredClient`. */
export async function reregisteredClient(
  context: RegistrationContext,
  refused: KnownClient,
): Promise<KnownClient> {
  await doubtClient(context.options.vault, context.provider, refused.clientId, 'refused');
  return await registeredClient(context);
}

/** A server that refuses the second client as well has something against all of them. */
export function refusedAgain(
  catalog: ProviderCatalog,
  error: AuthsomeError,
  session: OfSession,
): AuthsomeError {
  return new AuthsomeError(error.code, error.message, {
    hint: `${session.provider} rejected the client that it just registered. Register a client yourself, then sign in with: ${byHandLine(catalog, session)}`,
  });
}

/** Whether a registration was made for these scopes too: many servers let a client ask for no others. */
function covers({ scopes: registered = [] }: KnownClient, scopes: readonly string[]): boolean {
  return registered.length === 0 || scopes.every((scope) => registered.includes(scope));
}

async function isGood(
  { options, provider }: RegistrationContext,
  endpoints: Endpoints,
  client: KnownClient,
): Promise<boolean> {
  if (client.origin === 'document') return client.clientId === options.clientMetadataUrl;
  if (client.origin !== 'registration') return true;
  const bases = [redirectUriFor(options.redirectUri, provider), onLocalhost(options.redirectUri)];
  const isOurs = bases.some((base) => redirectUriAt(base, endpoints) === client.redirectUri);
  if (!isOurs || client.doubt === 'refused') return false;
  const { secretExpiresAtMs, registrationUri, registrationToken } = client;
  if (secretExpiresAtMs !== undefined && secretExpiresAtMs - minimumSecretLifeMs <= options.nowMs())
    return false;
  if (registrationUri === undefined || registrationToken === undefined) return client.doubt === undefined;
  if (new URL(registrationUri).origin !== new URL(endpoints.registrationEndpoint ?? registrationUri).origin) {
    return client.doubt === undefined;
  }
  // RFC 7592 §2.1: the only way to ask whether a server has forgotten a client, short of a person in front of its error
  // page.
  const reply = await fetchDocument(patientFetchTo(options, endpoints), registrationUri, 'registration', {
    headers: { authorization: `Bearer ${registrationToken}` },
  });
  return ![401, 403, 404, 410].includes(reply.status);
}
