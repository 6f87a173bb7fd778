import { AuthsomeError } from '../../errors.ts';
import { isThisMachine } from '../../loopback.ts';
import { discoverResource, discoverServer, type Fetch, type ServerMetadata } from '../../oauth/index.ts';
import type { Provider } from '../../providers/index.ts';
import type { ConnectionsOptions } from '../contract.ts';
import { serviceAt } from './service.ts';

/** Where a sign-in's requests go, from the definition or from discovery. */
export interface Endpoints {
  readonly issuer: string | undefined;
  readonly authorizationUrl: string | undefined;
  readonly tokenUrl: string;
  readonly revocationUrl: string | undefined;
  readonly deviceAuthorizationUrl: string | undefined;
  readonly registrationEndpoint: string | undefined;
  /** RFC 9126: where requests are pushed to, and whether there is no other way. */
  readonly pushedAuthorizationUrl: string | undefined;
  readonly pushRequired: boolean;
  /** RFC 9207 §3. */
  readonly issRequired: boolean;
  /** RFC 8414; empty when the server does not say. */
  readonly authMethods: readonly string[];
  readonly takesClientMetadataUrl: boolean;
  /** For discovered endpoints: the one host that a person named, which may therefore be private. No port. */
  readonly namedHost: string | undefined;
}

/**
 * Where requests go: as the definition says, or as discovery finds them when the definition lacks one of the `needed`
 * ones. Rejects with InvalidDefinition, SignInFailed or EndpointUnreachable.
 */
export async function findEndpoints(
  options: ConnectionsOptions,
  provider: Provider,
  needed: readonly (keyof Endpoints)[],
): Promise<Endpoints> {
  const written = writtenEndpoints(provider);
  const isEnough = written !== undefined && needed.every((name) => written[name] !== undefined);
  const endpoints = isEnough ? written : await discoveredEndpoints(options, provider);
  // Before a client is asked for or registered in vain.
  if (needed.includes('authorizationUrl')) pushEndpoint(provider, endpoints);
  return endpoints;
}

/** Where an authorization request has to be pushed to; `undefined` where it need not be. Throws SignInFailed. */
export function pushEndpoint(
  provider: Provider,
  { pushedAuthorizationUrl, pushRequired }: Pick<Endpoints, 'pushedAuthorizationUrl' | 'pushRequired'>,
  ofClient = false,
): string | undefined {
  if (!pushRequired && !ofClient) return undefined;
  if (pushedAuthorizationUrl !== undefined) return pushedAuthorizationUrl;
  throw new AuthsomeError(
    'SignInFailed',
    `${provider.name} requires pushed authorization requests (RFC 9126) but does not say where to send them`,
    {
      hint: `Set oauth.pushed_authorization_request_endpoint in your own definition. Show the current one with: authsome inspect ${provider.name}`,
    },
  );
}

function writtenEndpoints(provider: Provider): Endpoints | undefined {
  const { oauth } = provider;
  if (oauth?.tokenUrl === undefined) return undefined;
  return {
    issuer: oauth.issuer,
    authorizationUrl: oauth.authorizationUrl,
    tokenUrl: oauth.tokenUrl,
    revocationUrl: oauth.revocationUrl,
    deviceAuthorizationUrl: oauth.deviceAuthorizationUrl,
    registrationEndpoint: oauth.registrationEndpoint,
    pushedAuthorizationUrl: oauth.pushedAuthorizationUrl,
    pushRequired: oauth.pushRequired,
    issRequired: false,
    authMethods: [],
    takesClientMetadataUrl: false,
    namedHost: sourceOf(provider)?.hostname,
  };
}

async function discoveredEndpoints(options: ConnectionsOptions, provider: Provider): Promise<Endpoints> {
  const { issuer: namedIssuer, resource } = provider.oauth ?? {};
  const named = namedIssuer ?? resource;
  if (named === undefined) {
    throw new AuthsomeError(
      'InvalidDefinition',
      `the definition of ${provider.name} has no endpoint for this flow`,
      {
        hint: `Show it with: authsome inspect ${provider.name}`,
      },
    );
  }
  const namedHost = (sourceOf(provider) ?? new URL(addressOf(provider) ?? named)).hostname;
  const fetch = patientFetchTo(options, { namedHost });
  const issuer = namedIssuer ?? (await issuerOf(fetch, named));
  const server = await serverOf(fetch, provider, issuer);
  assertElsewhere(server, namedHost);
  const { scopes: _, grantTypes: __, isConfirmed, ...found } = server;
  if (!isConfirmed) {
    options.notify({
      event: 'sign_in.issuer_unconfirmed',
      provider: provider.name,
      outcome: 'ok',
      detail: `${new URL(issuer).host} publishes no metadata; that of ${namedHost} was used, which names it as the issuer`,
    });
  }
  const pushedAuthorizationUrl = provider.oauth?.pushedAuthorizationUrl ?? found.pushedAuthorizationUrl;
  const pushRequired = provider.oauth?.pushRequired === true || found.pushRequired;
  return { ...found, pushedAuthorizationUrl, pushRequired, namedHost };
}

/**
 * The metadata of the issuer, or, where it publishes none, what the address that a person typed says about it. Rejects as
 * `discoverServer`.
 */
async function serverOf(fetch: Fetch, provider: Provider, issuer: string): Promise<ServerMetadata> {
  try {
    return await discoverServer(fetch, issuer);
  } catch (error) {
    const address = addressOf(provider);
    const found =
      address === undefined
        ? undefined
        : await serviceAt(fetch, new URL(address), issuer).catch(() => undefined);
    if (found?.server.issuer !== issuer) throw error;
    return found.server;
  }
}

/** The issuer that a resource trusts; its own origin when it does not say (RFC 9728 §2). */
async function issuerOf(fetch: Fetch, resource: string): Promise<string> {
  const [issuer] = (await discoverResource(fetch, resource))?.issuers ?? [];
  return issuer ?? new URL(resource).origin;
}

/**
 * Refuses metadata that names an endpoint on this machine: a browser or the daemon would call a service there. Only a
 * server that is here itself, as the person who named it knows, may do so. Throws SignInFailed.
 */
export function assertElsewhere(server: ServerMetadata, namedHost: string): void {
  if (isThisMachine(namedHost)) return;
  const endpoints = {
    authorization_endpoint: server.authorizationUrl,
    token_endpoint: server.tokenUrl,
    revocation_endpoint: server.revocationUrl,
    device_authorization_endpoint: server.deviceAuthorizationUrl,
    registration_endpoint: server.registrationEndpoint,
    pushed_authorization_request_endpoint: server.pushedAuthorizationUrl,
    issuer: server.issuer,
  };
  const here = Object.entries(endpoints).find(
    ([, url]) => url !== undefined && isThisMachine(new URL(url).hostname),
  );
  if (here === undefined) return;
  throw new AuthsomeError(
    'SignInFailed',
    `the authorization server metadata names an address of this machine as its ${here[0]}`,
  );
}

/**
 * The one address that a person named, for a definition that was registered from a URL: the base URL, or that URL. Any other
 * address in it is a stranger's.
 */
function sourceOf({ document, baseUrl, isBaseUrlAsked }: Provider): URL | undefined {
  const { registered_from: url } = document;
  if (typeof url !== 'string' || !URL.canParse(url)) return undefined;
  return new URL(isBaseUrlAsked && baseUrl !== undefined ? baseUrl : url);
}

/** A fetch to a definition's own endpoints, or to discovered ones: those may be private only at the named host. */
export function fetchTo(
  options: Pick<ConnectionsOptions, 'fetchFor'>,
  target: Pick<Endpoints, 'namedHost'>,
): Fetch {
  const { namedHost } = target;
  if (namedHost === undefined) return options.fetchFor({ publicOnly: false });
  return (input, init) => {
    const { hostname } = new URL(input instanceof Request ? input.url : input);
    return options.fetchFor({ publicOnly: hostname !== namedHost })(input, init);
  };
}

/** As `fetchTo`, for what is asked again at each sign-in: not before the server wants that. */
export function patientFetchTo(options: ConnectionsOptions, target: Pick<Endpoints, 'namedHost'>): Fetch {
  const fetch = fetchTo(options, target);
  return options.waits?.obeying(fetch) ?? fetch;
}

/** A fetch to other addresses of a definition, such as that of its account. */
export function fetchOf(options: ConnectionsOptions, provider: Provider): Fetch {
  return fetchTo(options, { namedHost: sourceOf(provider)?.hostname });
}

/** The address that a person typed, for a definition that was discovered from one: everything else in it is only claimed. */
export function addressOf(provider: Provider): string | undefined {
  const { discovered_from: address } = provider.document;
  return typeof address === 'string' && URL.canParse(address) ? address : undefined;
}
