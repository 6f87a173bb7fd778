import { discoverIssuerAt, discoverResource, discoverServer, type Fetch } from '../../oauth/index.ts';
import { registrableDomain } from '../../providers/index.ts';

/**
 * What the service at a URL that a person typed says of itself, and its authorization server. `trusted` is the issuer to
 * stay with while the service still names it. Rejects with SignInFailed or EndpointUnreachable.
 */
export async function serviceAt(fetch: Fetch, url: URL, trusted: string | undefined) {
  const resource = await discoverResource(fetch, url.href);
  const named = resource?.issuers.find((issuer) => issuer === trusted) ?? resource?.issuers[0];
  const server =
    named === undefined
      ? await discoverIssuerAt(fetch, url.href, registrableDomain)
      : await discoverServer(fetch, named, isAt(named, url) ? registrableDomain : undefined);
  return { resource, server };
}

/** Only a host that a person typed may name an issuer beside it. */
function isAt(issuer: string, { hostname }: URL): boolean {
  return URL.canParse(issuer) && new URL(issuer).hostname === hostname;
}
