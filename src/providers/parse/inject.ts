import { registrableDomain } from '../host.ts';
import { parseHostPattern } from '../host-pattern.ts';
import type { Placement } from '../placement.ts';
import type { ApiKeyDefinition, InjectRule, KeyShape, OauthDefinition } from '../provider.ts';
import { at, type Fields } from './fields.ts';
import { mostPlaces, parsePlacements } from './placements.ts';

/** Where the credential goes on the hosts of `api_url`: an OAuth token and a pasted key must share these places. */
export function usualPlacements(
  fields: Fields,
  oauth: OauthDefinition | undefined,
  apiKey: ApiKeyDefinition | undefined,
  keyFields: Fields | undefined,
): readonly Placement[] {
  const bearer: Placement = { kind: 'header', name: 'Authorization', prefix: 'Bearer ' };
  if (apiKey === undefined || keyFields === undefined) return [bearer];
  const placements: Placement[] = [];
  if (apiKey.headerName !== undefined) {
    const instead = apiKey.shapes.flatMap(namesIn).filter((name) => name !== apiKey.headerName);
    const placement = { kind: 'header', name: apiKey.headerName, prefix: apiKey.headerPrefix } as const;
    placements.push(instead.length === 0 ? placement : { ...placement, instead });
  }
  if (apiKey.queryParam !== undefined) placements.push({ kind: 'query', name: apiKey.queryParam });
  const differs = JSON.stringify(placements) !== JSON.stringify([bearer]);
  if (oauth !== undefined && (differs || apiKey.shapes.length > 0) && fields.has('api_url')) {
    fields.fault(
      'api_key',
      'must use the same placement as the OAuth token; list hosts where they differ in inject',
    );
  }
  return placements;
}

function namesIn({ placements }: KeyShape): readonly string[] {
  return placements.flatMap((placement) => (placement.kind === 'header' ? placement.name : []));
}

/** The hosts of `api_url` with the usual placement (and, by a key's shape, others), then those of `inject`. */
export function parseInject(
  fields: Fields,
  usual: readonly Placement[],
  shapes: readonly KeyShape[] = [],
): readonly InjectRule[] {
  const further = fields.objects('inject');
  const rules: InjectRule[] = [];
  const scrub = fields.flag('scrub', true);
  if (fields.has('api_url') || further.length === 0) {
    const hosts = parseHosts(fields, 'api_url');
    const places = parsePlaces(fields, usual);
    rules.push({ hosts, ...places, ...(shapes.length === 0 ? {} : { shapes }), scrub });
  } else if (fields.has('any_of')) {
    fields.fault('any_of', 'must stand beside api_url, or in an entry of inject');
  }
  for (const rule of further) {
    const placements = parsePlacements(rule.objects('placements', mostPlaces));
    const places = parsePlaces(rule, placements);
    rules.push({ hosts: parseHosts(rule, 'hosts'), ...places, scrub: rule.flag('scrub', scrub) });
  }
  const seen = new Set<string>();
  for (const { kind, host, port, pathPrefix, text } of rules.flatMap((rule) => rule.hosts)) {
    const place = kind === 'regex' ? text : `${kind} ${host}:${port}${pathPrefix}`;
    if (seen.has(place)) fields.fault('inject', `must not name ${text} twice`);
    seen.add(place);
  }
  if (seen.size > mostHosts) fields.fault('inject', `must not name more than ${mostHosts} hosts`);
  return rules;
}

/** The list that comes first, and those of `any_of` after it. */
function parsePlaces(
  fields: Fields,
  first: readonly Placement[],
): Pick<InjectRule, 'placements' | 'alternatives'> {
  const further = fields.objectLists('any_of', mostPlaces).map(parsePlacements);
  const [placements, ...alternatives] = first.length === 0 ? further : [first, ...further];
  if (placements === undefined) fields.fault('placements', 'must say where the credential goes');
  return alternatives.length === 0 ? { placements } : { placements, alternatives };
}

/** A person decides by these on one screen: a longer list would hide its first lines. */
const mostHosts = 100;
const longestHost = 300;

function parseHosts(fields: Fields, key: string): InjectRule['hosts'] {
  const texts = fields.texts(key, mostHosts);
  if (texts.length === 0) fields.fault(key, 'must name at least one host');
  return texts.map(({ text, pointer }) => {
    if (text.length > longestHost)
      fields.faultAt(pointer, `must not be longer than ${longestHost} characters`);
    const pattern = at(pointer, () => parseHostPattern(fields.resolve(text).resolved));
    const fault = pattern.kind === 'exact' ? fields.placeFault(pattern) : undefined;
    return fault === undefined ? pattern : fields.faultAt(pointer, fault);
  });
}

/**
 * Refuses an account URL on a stranger's domain. The daemon itself sends the token there, so it must belong to an owner
 * of the definition's hosts or endpoints.
 */
export function assertAccountIsOwn(
  fields: Fields | undefined,
  oauth: OauthDefinition | undefined,
  inject: readonly InjectRule[],
): void {
  if (oauth?.account === undefined) return;
  const ownerOf = (host: string) => registrableDomain(host) ?? host;
  // The authorization endpoint gets no credential, so it says nothing of who may.
  const endpoints = [oauth.tokenUrl, oauth.issuer].flatMap((url) =>
    url === undefined ? [] : [new URL(url).hostname],
  );
  const hosts = inject.flatMap((rule) => rule.hosts.map((pattern) => pattern.host));
  const owners = new Set([...hosts, ...endpoints].map(ownerOf));
  if (owners.has(ownerOf(new URL(oauth.account.url).hostname))) return;
  fields
    ?.object('account')
    ?.fault('url', "must be on one of the provider's own domains: it is called with the token");
}
