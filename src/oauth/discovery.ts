import { AuthsomeError } from '../errors.ts';
import { type Fetch, fetchDocument, type Reply, requireSecureUrl } from './endpoint.ts';

/** What an authorization server says about itself (RFC 8414 §2), as far as we use it. URLs are https or loopback. */
export interface ServerMetadata {
  readonly issuer: string;
  readonly authorizationUrl: string | undefined;
  readonly tokenUrl: string;
  readonly revocationUrl: string | undefined;
  readonly deviceAuthorizationUrl: string | undefined;
  readonly registrationEndpoint: string | undefined;
  readonly authMethods: readonly string[];
  readonly scopes: readonly string[];
  /** RFC 9207 §3. */
  readonly issRequired: boolean;
}

/** What a protected resource says about itself (RFC 9728 §2). */
export interface ResourceMetadata {
  readonly resource: string;
  readonly issuers: readonly string[];
  /** Those that its challenge asked for, else all that it knows (RFC 6750 §3). */
  readonly scopes: readonly string[];
}

type Document = Readonly<Record<string, unknown>>;

/**
 * The metadata of an issuer: RFC 8414 (well-known segment before the issuer's path), then OpenID's two forms. Rejects with
 * SignInFailed when there is none or it is not this issuer's, and with EndpointUnreachable.
 */
export async function discoverServer(fetch: Fetch, issuer: string): Promise<ServerMetadata> {
  for (const address of serverMetadataUrls(issuer)) {
    const document = jsonObject(await fetchDocument(fetch, address, 'authorization server metadata'));
    if (document !== undefined) return readServerMetadata(document, issuer);
  }
  throw discoveryFailed(`${new URL(issuer).host} publishes no authorization server metadata`);
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
    throw discoveryFailed('the authorization server does not offer PKCE with S256');
  }
  const tokenUrl = endpoint(document, 'token_endpoint');
  if (tokenUrl === undefined)
    throw discoveryFailed('the authorization server metadata has no token_endpoint');
  return {
    issuer,
    authorizationUrl: endpoint(document, 'authorization_endpoint'),
    tokenUrl,
    revocationUrl: endpoint(document, 'revocation_endpoint'),
    deviceAuthorizationUrl: endpoint(document, 'device_authorization_endpoint'),
    registrationEndpoint: endpoint(document, 'registration_endpoint'),
    authMethods: texts(document.token_endpoint_auth_methods_supported),
    scopes: texts(document.scopes_supported),
    issRequired: document.authorization_response_iss_parameter_supported === true,
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
  const { challenge = '' } = await fetchDocument(fetch, url.href, 'service');
  const pointed = challengeParameter(challenge, 'resource_metadata');
  const wanted = challengeParameter(challenge, 'scope')
    ?.split(' ')
    .filter((scope) => scope !== '');
  const path = url.pathname === '/' ? '' : url.pathname;
  const wellKnown = `${url.origin}/.well-known/oauth-protected-resource`;
  const addresses = [...(pointed === undefined ? [] : [pointed]), `${wellKnown}${path}`, wellKnown];
  for (const address of new Set(addresses)) {
    const document = jsonObject(await fetchDocument(fetch, address, 'resource metadata'));
    if (document === undefined) continue;
    const metadata = readResourceMetadata(document, url);
    return wanted === undefined ? metadata : { ...metadata, scopes: wanted };
  }
  return undefined;
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

/** A parameter of a `Bearer` challenge (RFC 9110 §11.6.1); `undefined` when it is not there. */
export function challengeParameter(challenge: string, name: string): string | undefined {
  const parameters = /([\w-]{1,64})\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))/g;
  for (const [, key, quoted, bare] of challenge.slice(0, 4096).matchAll(parameters)) {
    if (key?.toLowerCase() === name) return quoted?.replace(/\\(.)/g, '$1') ?? bare;
  }
  return undefined;
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
