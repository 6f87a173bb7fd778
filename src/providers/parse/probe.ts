import { registrableDomain } from '../host.ts';
import type { InjectRule, OauthDefinition, ProbeDefinition } from '../provider.ts';
import type { Fields } from './fields.ts';

/** The methods of a request that changes nothing. Some services tell who one is to a POST only. */
const methods = ['GET', 'HEAD', 'POST'] as const;

/** The `probe` block: a request that tells whether a credential is accepted. It goes to the provider's own hosts only. */
export function parseProbe(
  fields: Fields | undefined,
  inject: readonly InjectRule[],
): ProbeDefinition | undefined {
  if (fields === undefined) return undefined;
  if (!fields.has('url')) fields.fault('url', 'must be an https URL');
  const url = fields.url('url');
  const method = fields.oneOf('method', methods) ?? 'GET';
  const ok = fields.text('ok', {
    pattern: /^(?:\/(?:[^~/]|~[01])*)+$/,
    sentence: 'must be a JSON pointer, such as /ok',
  });
  if (url === undefined) return undefined;
  const ownerOf = (host: string) => registrableDomain(host) ?? host;
  const owners = inject.flatMap((rule) => rule.hosts.map((pattern) => ownerOf(pattern.host)));
  if (!owners.includes(ownerOf(new URL(url).hostname)))
    fields.fault('url', 'must be at a host that gets the credential');
  return { url, method, ok };
}

/** The request that finds an account's label after a sign-in tells the same. */
export function accountProbe(oauth: OauthDefinition | undefined): ProbeDefinition | undefined {
  const url = oauth?.account?.url;
  return url === undefined ? undefined : { url, method: 'GET', ok: undefined };
}
