import { AuthsomeError } from '../errors.ts';
import { challengeParameters } from './challenge.ts';
import { type Fetch, fetchDocument, type Reply, requireSecureUrl, send } from './endpoint.ts';
import { isBusy } from './retry-after.ts';
import { leftAlone } from './waits.ts';

/**
 * What an authorization server says about itself (RFC 8414 §2), as far as it is used here. URLs are https or loopback.
 */
export interface ServerMetadata {
  readonly issuer: string;
  /** `false`: a sibling of the issuer's host published it, and the issuer itself publishes none. */
  readonly isConfirmed: boolean;
  readonly authorizationUrl: string | undefined;
  readonly tokenUrl: string;
  readonly revocationUrl: string | undefined;
  readonly deviceAuthorizationUrl: string | undefined;
  readonly registrationEndpoint: string | undefined;
  /** RFC 9126 §5: where authorization requests are pushed to, and whether the server takes no others. */
  readonly pushedAuthorizationUrl: string | undefined;
  readonly pushRequired: boolean;
  readonly authMethods: readonly string[];
  readonly grantTypes: readonly string[];
  readonly scopes: readonly string[];
  /** RFC 9207 §3. */
  readonly issRequired: boolean;
  /** Whether a client may be the URL of a document about it, known to the server or not. */
  readonly takesClientMetadataUrl: boolean;
}

/** What a protected resource says about itself (RFC 9728 §2). */
export interface ResourceMetadata {
  readonly resource: string;
  readonly issuers: readonly string[];
  /** Those that its challenge asked for, else all that it knows (RFC 6750 §3). */
  readonly scopes: readonly string[];
}

type Document = Readonly<Record<string, unknown>>;

/** The domain that somebody registered and that a host is part of; `undefined` where there is none. */
export type DomainOf = (host: string) => string | undefined;

/**
 * The metadata of an issuer: RFC 8414 (well-known segment before the issuer's path), then OpenID's two forms. With
 * `domainOf`, an issuer whose host a person typed may name one at a sibling of that host. Rejects with SignInFailed when
 * there is none or it is not this issuer's, and with EndpointUnreachable.
 */
export async function discoverServer(
  fetch: Fetch,
  issuer: string,
  domainOf?: DomainOf,
): Promise<ServerMetadata> {
  const document = await firstDocument(fetch, serverMetadataUrls(issuer), what);
  if (document !== undefined) return await metadataOf(fetch, document, issuer, domainOf);
  throw discoveryFailed(`${new URL(issuer).host} publishes no authorization server metadata`);
}

const what = 'authorization server metadata';

/**
 * The metadata of the authorization server at an address that a person typed: an issuer (with or without the slash that
 * some end on), or else a service whose own origin is one. Errors as for `discoverServer`.
 */
export async function discoverIssuerAt(
  fetch: Fetch,
  address: string,
  domainOf: DomainOf,
): Promise<ServerMetadata> {
  const { origin, href } = requireSecureUrl(address, 'issuer');
  for (const place of new Set([href.replace(/\/$/, ''), origin])) {
    const document = await firstDocument(fetch, serverMetadataUrls(place), what);
    if (document === undefined) continue;
    const issuer = document.issuer === `${place}/` ? `${place}/` : place;
    return await metadataOf(fetch, document, issuer, domainOf);
  }
  throw discoveryFailed(`${new URL(origin).host} publishes no authorization server metadata`);
}

/**
 * What a document found at `asked` says. Some services publish the metadata of an issuer at a sibling of its host: the
 * issuer's own counts then. Where it has none, theirs is taken only while no endpoint leaves the domain of both.
 */
async function metadataOf(
  fetch: Fetch,
  document: Document,
  asked: string,
  domainOf: DomainOf | undefined,
): Promise<ServerMetadata> {
  const sibling = siblingIssuer(document, asked, domainOf);
  if (sibling === undefined) return readServerMetadata(document, asked);
  const { issuer, domain } = sibling;
  const own = await unlessUnreachable(() => firstDocument(fetch, serverMetadataUrls(issuer), what));
  if (own !== undefined) return readServerMetadata(own, issuer);
  const metadata = readServerMetadata(document, issuer);
  const stray = endpointsOf(metadata).find((url) => domainOf?.(new URL(url).hostname) !== domain);
  if (stray === undefined) return { ...metadata, isConfirmed: false };
  throw discoveryFailed(
    `the authorization server metadata names another issuer, which publishes none, and an endpoint outside ${domain}`,
  );
}

/** The issuer that a document names, where its host and the one that was asked are parts of one registered domain. */
function siblingIssuer(
  { issuer }: Document,
  asked: string,
  domainOf: DomainOf | undefined,
): { readonly issuer: string; readonly domain: string } | undefined {
  if (domainOf === undefined || typeof issuer !== 'string' || !URL.canParse(issuer)) return undefined;
  const { hostname, protocol, search, hash } = new URL(issuer);
  const { hostname: askedHost } = new URL(asked);
  const domain = domainOf(hostname);
  // RFC 8414 §2: https, without a query or a fragment.
  const isIssuer = protocol === 'https:' && search === '' && hash === '' && !/[?#@]/.test(issuer);
  if (!isIssuer || domain === undefined || hostname === askedHost) return undefined;
  return domainOf(askedHost) === domain ? { issuer, domain } : undefined;
}

function endpointsOf(metadata: ServerMetadata): readonly string[] {
  const { authorizationUrl, tokenUrl, revocationUrl, deviceAuthorizationUrl } = metadata;
  const { registrationEndpoint, pushedAuthorizationUrl } = metadata;
  return [
    ...[authorizationUrl, tokenUrl, revocationUrl, deviceAuthorizationUrl],
    ...[registrationEndpoint, pushedAuthorizationUrl],
  ].filter((url) => url !== undefined);
}

/**
 * The first of these documents that there is. Many sites respond to a missing page with a redirect or a
 * broken connection, so that only the last such failure counts, and only where no document was found.
 */
async function firstDocument(
  fetch: Fetch,
  addresses: Iterable<string>,
  what: string,
): Promise<Document | undefined> {
  let responded = false;
  let failure: unknown;
  for (const address of addresses) {
    let reply: Reply;
    try {
      reply = await fetchDocument(fetch, address, what);
    } catch (error) {
      if (!isUnreachable(error)) throw error;
      failure = error;
      continue;
    }
    // Its other addresses would be asked in vain, and it wants not to be asked.
    if (isBusy(reply)) throw leftAlone(new URL(address).host, reply.retryAfterMs);
    const document = jsonObject(reply);
    if (document !== undefined) return document;
    responded = true;
  }
  if (failure !== undefined && !responded) throw failure;
  return undefined;
}

function isUnreachable(error: unknown): boolean {
  return error instanceof AuthsomeError && error.code === 'EndpointUnreachable';
}

/** In the order in which to try them. */
export function serverMetadataUrls(issuer: string): readonly string[] {
  const { origin, pathname } = requireSecureUrl(issuer, 'issuer');
  const path = pathname.replace(/\/$/, '');
  const urls = [
    `${origin}/.well-known/oauth-authorization-server${path}`,
    `${origin}/.well-known/openid-configuration${path}`,
    `${origin}${path}/.well-known/openid-configuration`,
  ];
  return [...new Set(urls)];
}

/** Throws SignInFailed when the document is not this issuer's, or offers no S256 (RFC 8414 §3.3, RFC 7636). */
export function readServerMetadata(document: Document, issuer: string): ServerMetadata {
  if (document.issuer !== issuer)
    throw discoveryFailed('the authorization server metadata names another issuer');
  const methods = texts(document.code_challenge_methods_supported);
  if (methods.length > 0 && !methods.includes('S256')) {
    throw discoveryFailed('the authorization server does not support PKCE with S256');
  }
  const tokenUrl = endpoint(document, 'token_endpoint');
  if (tokenUrl === undefined)
    throw discoveryFailed('the authorization server metadata has no token_endpoint');
  return {
    issuer,
    isConfirmed: true,
    authorizationUrl: endpoint(document, 'authorization_endpoint'),
    tokenUrl,
    revocationUrl: endpoint(document, 'revocation_endpoint'),
    deviceAuthorizationUrl: endpoint(document, 'device_authorization_endpoint'),
    registrationEndpoint: endpoint(document, 'registration_endpoint'),
    pushedAuthorizationUrl: endpoint(document, 'pushed_authorization_request_endpoint'),
    pushRequired: document.require_pushed_authorization_requests === true,
    authMethods: texts(document.token_endpoint_auth_methods_supported),
    grantTypes: texts(document.grant_types_supported),
    scopes: texts(document.scopes_supported),
    issRequired: document.authorization_response_iss_parameter_supported === true,
    takesClientMetadataUrl: document.client_id_metadata_document_supported === true,
  };
}

/**
 * The metadata of a resource such as an MCP server (RFC 9728): where its 401 points first, then the path-inserted form,
 * then the root. `undefined` when there is none.
 */
export async function discoverResource(
  fetch: Fetch,
  resource: string,
): Promise<ResourceMetadata | undefined> {
  const url = requireSecureUrl(resource, 'resource');
  const challenge = challengeParameters(await challengeOf(fetch, url.href));
  const pointed = resolved(challenge.get('resource_metadata'), url);
  const path = url.pathname === '/' ? '' : url.pathname;
  const wellKnown = `${url.origin}/.well-known/oauth-protected-resource`;
  const addresses = [...(pointed === undefined ? [] : [pointed]), `${wellKnown}${path}`, wellKnown];
  const document = await firstDocument(fetch, new Set(addresses), 'resource metadata');
  if (document === undefined) return undefined;
  const metadata = readResourceMetadata(document, url);
  const wanted = challenge.get('scope')?.split(' ');
  return wanted === undefined ? metadata : { ...metadata, scopes: wanted.filter((scope) => scope !== '') };
}

/** An address in a challenge; some services write it relative to the one that was asked (RFC 3986 §4.2). */
function resolved(address: string | undefined, asked: URL): string | undefined {
  if (address === undefined || !URL.canParse(address, asked.href)) return address;
  return new URL(address, asked).href;
}

/** Identifies no user and changes nothing; every MCP server that needs a token refuses it. */
const probe = JSON.stringify({
  jsonrpc: '2.0',
  id: 1,
  method: 'tools/list',
  params: {
    _meta: {
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientCapabilities': {},
    },
  },
});

/**
 * What a service says to a request without a token (`WWW-Authenticate`); empty when it says nothing. An MCP server
 * need not support GET, and then gets a POST.
 */
async function challengeOf(fetch: Fetch, url: string): Promise<string> {
  const headers = { accept: 'application/json, text/event-stream' };
  const asked = await unlessUnreachable(() =>
    fetchDocument(fetch, url, 'service', { headers, timeoutMs: challengeTimeoutMs }),
  );
  if (asked === undefined || isBusy(asked) || asked.status === 200 || asked.status === 401)
    return asked?.challenge ?? '';
  const body = probe;
  const type = { 'content-type': 'application/json', 'mcp-protocol-version': '2026-07-28' };
  const post = { url, headers: { ...headers, ...type, 'mcp-method': 'tools/list' }, body };
  return (await unlessUnreachable(() => send(fetch, post, 'service', challengeTimeoutMs)))?.challenge ?? '';
}

const challengeTimeoutMs = 5_000;

/** `undefined` where nobody can be reached: other addresses may still say enough. */
async function unlessUnreachable<Said>(ask: () => Promise<Said>): Promise<Said | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (isUnreachable(error)) return undefined;
    throw error;
  }
}

/** Throws SignInFailed when the document is about another resource (RFC 9728 §3.3). */
export function readResourceMetadata(document: Document, asked: URL): ResourceMetadata {
  const { resource } = document;
  const named = typeof resource === 'string' && URL.canParse(resource) ? new URL(resource) : undefined;
  const covers =
    named?.origin === asked.origin &&
    named.search === '' &&
    `${asked.pathname}/`.startsWith(`${named.pathname.replace(/\/$/, '')}/`);
  if (typeof resource !== 'string' || !covers) {
    throw discoveryFailed('the resource metadata is about another resource');
  }
  return {
    resource,
    issuers: texts(document.authorization_servers),
    scopes: texts(document.scopes_supported),
  };
}

function jsonObject(reply: Reply): Document | undefined {
  if (reply.status !== 200) return undefined;
  try {
    const value: unknown = JSON.parse(reply.body);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Document)
      : undefined;
  } catch {
    return undefined;
  }
}

function endpoint(document: Document, name: string): string | undefined {
  const value = document[name];
  return typeof value === 'string' ? requireSecureUrl(value, name).href : undefined;
}

function texts(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((entry): entry is string => typeof entry === 'string') : [];
}

function discoveryFailed(message: string): AuthsomeError {
  return new AuthsomeError('SignInFailed', message, {
    hint: 'Check the address. A service without discovery needs a definition: authsome register <file>',
  });
}
