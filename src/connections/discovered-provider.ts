import { AuthsomeError } from '../errors.ts';
import { discoverResource, discoverServer } from '../oauth/index.ts';
import type { Provider } from '../providers/index.ts';
import { fetchTo } from './endpoints.ts';
import type { ConnectionsOptions } from './ports.ts';

export function isServiceUrl(provider: string): boolean {
  return /^https?:\/\//i.test(provider);
}

/**
 * The provider that a URL leads to, stored as an ordinary definition: the URL of an MCP server or of any other resource
 * that tells its issuer (RFC 9728), or an issuer itself (RFC 8414). One that was discovered before is taken as it is.
 */
export async function discoveredProvider(options: ConnectionsOptions, address: string): Promise<Provider> {
  const url = serviceUrl(address);
  const names = namesFor(url);
  const known = names.map((name) => options.catalog.find(name));
  const same = known.find((provider) => provider?.document.discovered_from === url.href);
  if (same !== undefined) return same;
  const free = known.indexOf(undefined);
  const name = names[free];
  if (name === undefined) {
    throw new AuthsomeError('ProviderExists', `there is another provider by the name ${names[0]} already`, {
      hint: `Forget that one with: authsome remove ${names[0]}`,
    });
  }
  const fetch = fetchTo(options, { namedHost: url.host });
  const resource = await discoverResource(fetch, url.href);
  const issuer = resource?.issuers[0] ?? (resource === undefined ? issuerFrom(url) : url.origin);
  const server = await discoverServer(fetch, issuer);
  // `offline_access` is what makes a server that lists it give a refresh token.
  const offline = server.scopes.includes('offline_access') ? ['offline_access'] : [];
  const document = {
    schema_version: 1,
    name,
    display_name: url.host,
    auth_type: 'oauth2',
    flow: server.registrationEndpoint === undefined ? 'pkce' : 'dcr_pkce',
    api_url: url.href,
    discovered_from: url.href,
    oauth: {
      issuer,
      ...(resource === undefined ? {} : { resource: resource.resource }),
      scopes: [...new Set([...(resource?.scopes ?? []), ...offline])],
    },
  };
  return await options.catalog.add(document, { replace: false });
}

function serviceUrl(address: string): URL {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url?.protocol !== 'https:' || url.username !== '' || url.password !== '') {
    throw new AuthsomeError('Usage', 'that is not the https URL of a service', {
      hint: 'Give the whole address without a user name, such as https://mcp.example.com/mcp',
    });
  }
  url.hash = '';
  url.search = '';
  return url;
}

/** An issuer is compared as plain text, and nearly all of them are written without a slash at the end. */
function issuerFrom(url: URL): string {
  return url.pathname === '/' ? url.origin : url.href;
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
