import { AuthsomeError } from '../../errors.ts';
import { isThisMachine } from '../../loopback.ts';
import type { ServerMetadata } from '../../oauth/index.ts';
import type { FlowName, Provider } from '../../providers/index.ts';
import type { ConnectionsOptions } from '../contract.ts';
import { addressOf, assertElsewhere, patientFetchTo } from './endpoints.ts';
import { serviceAt } from './service.ts';

export function isServiceUrl(provider: string): boolean {
  return /^https?:\/\//i.test(provider);
}

/**
 * The provider that a URL leads to, stored as an ordinary definition: the URL of an MCP server or of any other resource
 * that tells its issuer (RFC 9728), or an issuer itself (RFC 8414). One that was discovered before is looked at again.
 */
export async function discoveredProvider(options: ConnectionsOptions, address: string): Promise<Provider> {
  const url = serviceUrl(address);
  const names = namesFor(url);
  const known = names.map((name) => options.catalog.find(name));
  const same = known.find((provider) => provider !== undefined && addressOf(provider) === url.href);
  if (same !== undefined) return await rediscoveredProvider(options, same);
  const name = names[known.indexOf(undefined)];
  if (name === undefined) {
    throw new AuthsomeError('ProviderExists', `another provider is already named ${names[0]}`, {
      hint: `Remove that one with: authsome remove ${names[0]}`,
    });
  }
  const { flow, oauth } = await discover(options, url, undefined);
  const document = {
    schema_version: 1,
    name,
    display_name: url.host,
    auth_type: 'oauth2',
    flow,
    api_url: url.href,
    discovered_from: url.href,
    oauth,
  };
  return await options.catalog.add(document, {
    replace: false,
    allowLoopback: isThisMachine(url.hostname),
  });
}

/**
 * The provider as its service describes itself now: one that has moved to another authorization server gets a new
 * definition, and one whose server has a device flow by now gets that, though what a person has put into the old one stays.
 * Others are returned as they are.
 */
export async function rediscoveredProvider(options: ConnectionsOptions, known: Provider): Promise<Provider> {
  const address = addressOf(known);
  if (address === undefined) return known;
  const { flow, oauth } = await discover(options, new URL(address), known.oauth?.issuer);
  const { document } = known;
  const { resource, ...before } = (document.oauth ?? {}) as Readonly<Record<string, unknown>>;
  const allowLoopback = document.allow_loopback === true;
  const replace = (fields: object) =>
    options.catalog.add({ ...document, ...fields }, { replace: true, allowLoopback });
  if (oauth.issuer !== before.issuer || oauth.resource !== resource || flow !== known.flow)
    return await replace({ flow, oauth: { ...before, ...oauth } });
  const { supports_device_code } = oauth;
  if (!supports_device_code || known.oauth?.supportsDeviceCode === true) return known;
  return await replace({ oauth: { ...(document.oauth as object), supports_device_code } });
}

/** What a definition takes from discovery. `trusted` is the issuer to stay with while the service still names it. */
async function discover(options: ConnectionsOptions, url: URL, trusted: string | undefined) {
  const fetch = patientFetchTo(options, { namedHost: url.hostname });
  const { resource, server } = await serviceAt(fetch, url, trusted);
  assertElsewhere(server, url.hostname);
  return {
    flow: flowFor(options, server),
    oauth: {
      issuer: server.issuer,
      ...(resource === undefined ? {} : { resource: resource.resource }),
      scopes: scopesFor(resource?.scopes ?? [], server),
      supports_device_code: server.deviceAuthorizationUrl !== undefined,
    },
  } as const;
}

/** What a service wants, and `offline_access`, which makes a server that lists it give a refresh token. */
function scopesFor(wanted: readonly string[], server: ServerMetadata): readonly string[] {
  if (!server.scopes.includes('offline_access')) return wanted;
  // By itself it asks for nothing that could be granted (OpenID Connect Core §11).
  const some = wanted.length === 0 && server.scopes.includes('openid') ? ['openid'] : wanted;
  return [...new Set([...some, 'offline_access'])];
}

/** Prefers the browser flow, and dynamic registration when offered. */
function flowFor(options: ConnectionsOptions, server: ServerMetadata): FlowName {
  const { grantTypes } = server;
  if (grantTypes.length > 0 && !grantTypes.includes('authorization_code')) {
    if (grantTypes.includes('urn:ietf:params:oauth:grant-type:device_code')) return 'device_code';
    if (grantTypes.includes('client_credentials')) return 'client_credentials';
  }
  const isAnonymous =
    server.registrationEndpoint !== undefined ||
    (server.takesClientMetadataUrl && options.clientMetadataUrl !== undefined);
  return isAnonymous ? 'dcr_pkce' : 'pkce';
}

function serviceUrl(address: string): URL {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url?.protocol !== 'https:' || url.username !== '' || url.password !== '') {
    throw new AuthsomeError('Usage', 'that is not an https URL', {
      hint:
        'Give the whole address without a user name, such as https://mcp.example.com/mcp. authsome sends no ' +
        'credential over plain HTTP, not even on this machine.',
    });
  }
  url.hash = '';
  url.search = '';
  return url;
}

/** The name by host, and one by host and path for a second service there. */
function namesFor(url: URL): readonly string[] {
  const slug = (text: string): string =>
    text
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, '-')
      .replace(/^-+|-+$/g, '')
      .slice(0, 60);
  return [...new Set([slug(url.host), slug(url.host + url.pathname)])];
}
