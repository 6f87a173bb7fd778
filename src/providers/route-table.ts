import { type ApprovedHosts, approvalOf } from './approved-hosts.ts';
import { competingOf, unlessCompeting } from './competing-routes.ts';
import { registrableDomain } from './host.ts';
import { readPath } from './path.ts';
import type { Placement } from './placement.ts';
import type { Provider } from './provider.ts';
import type { ConnectionRoutes, MatchResult, OneTable, Route, RouteTable } from './route.ts';
import { withUnapproved } from './unapproved-routes.ts';

/** The routes of one connection, in the order of its provider's definition. */
export function routesOf(
  provider: Provider,
  connection: string,
  options: {
    readonly allowPrivateAddress: boolean;
    readonly baseUrl?: string | undefined;
    readonly approved: ApprovedHosts | undefined;
  },
): readonly Route[] {
  const isApproved = approvalOf(provider, options.approved);
  const owner = connection === 'default' ? provider.name : `${provider.name}/${connection}`;
  return provider.inject.flatMap((rule) =>
    rule.hosts.map((pattern) => {
      const approved = isApproved(pattern);
      return {
        id: `${owner}:${pattern.text}`,
        provider: provider.name,
        source: provider.source,
        connection,
        isApproved: approved,
        baseUrl: options.baseUrl,
        pattern,
        placements: rule.placements,
        alternatives: rule.alternatives,
        shapes: rule.shapes,
        allowPrivateAddress: approved && options.allowPrivateAddress && pattern.kind === 'exact',
        scrub: rule.scrub,
      };
    }),
  );
}

/**
 * An immutable table; matching an exact host costs the same and allocates nothing, for ten routes or ten thousand. There may
 * be several connections of one provider: those after the first wait for a request that names them by a phantom.
 */
export function compileRoutes(routes: readonly Route[]): RouteTable {
  const byConnection = new Map<string, Route[]>();
  const defaults = new Map<string, string>();
  for (const route of routes) {
    const { provider, connection } = route;
    if (!defaults.has(provider)) defaults.set(provider, connection);
    const key = `${provider}/${connection}`;
    const own = byConnection.get(key);
    if (own === undefined) byConnection.set(key, [route]);
    else own.push(route);
  }
  const isDefault = ({ provider, connection }: Route): boolean => defaults.get(provider) === connection;
  const compiled = new Map<string, ConnectionRoutes>();
  const forConnection = (connection: string): ConnectionRoutes | undefined => {
    const known = compiled.get(connection);
    if (known !== undefined) return known;
    const own = byConnection.get(connection);
    if (own === undefined) return undefined;
    const table = compileOne(own);
    compiled.set(connection, table);
    return table;
  };
  const further = routes.filter((route) => !isDefault(route));
  if (further.length === 0) return { ...compileOne(routes), forConnection };
  const table = compileOne(routes.filter(isDefault));
  const others = compileOne(further);
  return {
    routes,
    hasHost: (host, port) => table.hasHost(host, port) || others.hasHost(host, port),
    unapprovedAt(host, port) {
      const unapproved = others.unapprovedAt(host, port);
      const isOpenToOthers = unapproved.length === 0 && others.hasHost(host, port);
      if (isOpenToOthers) return [];
      const own = table.unapprovedAt(host, port);
      return own.length > 0 || !table.hasHost(host, port) ? [...own, ...unapproved] : [];
    },
    match: (host, port, path) => table.match(host, port, path),
    forConnection,
  };
}

function compileOne(routes: readonly Route[]): OneTable {
  const unapproved = routes.filter((route) => !route.isApproved);
  if (unapproved.length === 0) return compileApproved(routes);
  const table = compileApproved(routes.filter((route) => route.isApproved));
  return withUnapproved(routes, table, compileApproved(unapproved));
}

function compileApproved(routes: readonly Route[]): OneTable {
  const exact = groupByHost(routes.filter((route) => route.pattern.kind === 'exact'));
  const wildcards = groupByHost(routes.filter((route) => route.pattern.kind === 'wildcard'));
  const regexes = groupBy(
    routes.filter((route) => route.pattern.kind === 'regex'),
    (route) => route.pattern.host,
  );
  const hasBroad = wildcards.size > 0 || regexes.size > 0;

  /** Wildcards, the longest first, then the regexes; only those with the same owner as the host. */
  const broadBuckets = (host: string, port: number): readonly Bucket[] => {
    if (!hasBroad) return [];
    // A provider's wildcard covers what the provider owns, not what its customers registered below it.
    const owner = registrableDomain(host);
    if (owner === undefined) return [];
    const buckets: Bucket[] = [];
    for (let dot = host.indexOf('.'); dot !== -1; dot = host.indexOf('.', dot + 1)) {
      const suffix = host.slice(dot + 1);
      if (suffix.length < owner.length) break;
      const bucket = wildcards.get(suffix)?.get(port);
      if (bucket !== undefined) buckets.push(bucket);
    }
    const matching = (regexes.get(owner) ?? []).filter(
      ({ pattern }) => pattern.port === port && pattern.expression?.test(host) === true,
    );
    return matching.length === 0 ? buckets : [...buckets, bucketOf(matching)];
  };

  const mostSpecific = (own: Bucket | undefined, host: string, port: number, path: string): MatchResult => {
    const direct = own === undefined ? undefined : resultFor(own, path);
    if (direct !== undefined) return direct;
    const considered = own === undefined ? [] : [...own.routes];
    for (const bucket of broadBuckets(host, port)) {
      considered.push(...bucket.routes);
      const result = resultFor(bucket, path);
      if (result !== undefined) return { ...result, considered };
    }
    return { kind: 'none', considered };
  };
  const competing = competingOf(routes);
  const decide: typeof mostSpecific =
    competing.size === 0
      ? mostSpecific
      : (own, host, port, path) =>
          unlessCompeting(competing, mostSpecific(own, host, port, path), host, path);

  return {
    routes,
    hasHost: (host, port) => exact.get(host)?.has(port) === true || broadBuckets(host, port).length > 0,
    unapprovedAt: () => [],
    match(host, port, path) {
      const own = exact.get(host)?.get(port);
      if (own === undefined && broadBuckets(host, port).length === 0) return nothing;
      const reading = readPath(path);
      if (reading?.shape === 'plain') return decide(own, host, port, reading.canonical);
      const considered = own?.routes ?? broadBuckets(host, port).flatMap((bucket) => bucket.routes);
      if (reading === undefined) return { kind: 'refused', reason: 'malformed', considered };
      if (reading.shape === 'traversal') return { kind: 'refused', reason: 'path_traversal', considered };
      const asWritten = decide(own, host, port, reading.canonical);
      const asDecoded = decide(own, host, port, reading.resolved);
      return isSameResult(asWritten, asDecoded)
        ? asWritten
        : { kind: 'refused', reason: 'path_ambiguous', considered };
    },
  };
}

const nothing: MatchResult = { kind: 'none', considered: [] };

/** What is known about one host pattern and port: results by path prefix, made when the table is compiled. */
interface Bucket {
  readonly routes: readonly Route[];
  readonly results: ReadonlyMap<string, MatchResult>;
  /** How many segments the longest prefix has. */
  readonly depth: number;
}

function groupBy<Item, Key>(
  items: readonly Item[],
  keyOf: (item: Item) => Key,
): ReadonlyMap<Key, readonly Item[]> {
  const groups = new Map<Key, Item[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return groups;
}

function groupByHost(routes: readonly Route[]): ReadonlyMap<string, ReadonlyMap<number, Bucket>> {
  const byHost = groupBy(routes, (route) => route.pattern.host);
  return new Map(
    Array.from(byHost, ([host, ofHost]) => {
      const byPort = groupBy(ofHost, (route) => route.pattern.port);
      return [host, new Map(Array.from(byPort, ([port, ofPort]) => [port, bucketOf(ofPort)]))];
    }),
  );
}

function bucketOf(routes: readonly Route[]): Bucket {
  const byPrefix = groupBy(routes, (route) => route.pattern.pathPrefix);
  return {
    routes,
    results: new Map(Array.from(byPrefix, ([prefix, claims]) => [prefix, resultOf(claims, routes)])),
    depth: Math.max(
      ...Array.from(byPrefix.keys(), (prefix) => (prefix === '/' ? 0 : prefix.split('/').length - 1)),
    ),
  };
}

function resultOf(all: readonly Route[], considered: readonly Route[]): MatchResult {
  // Where a route takes its credential only in place of a phantom, a request without one is for the others.
  const usual = all.filter((route) => !isByPhantomOnly(route));
  const claims = usual.length === 0 ? all : usual;
  const [route] = claims;
  if (route === undefined) return nothing;
  const isSole = claims.every(
    (claim) => claim.provider === route.provider && claim.connection === route.connection,
  );
  return isSole ? { kind: 'route', route, considered } : { kind: 'ambiguous', routes: claims, considered };
}

function isByPhantomOnly({ placements, alternatives = [], shapes = [] }: Route): boolean {
  const all = [placements, ...alternatives, ...shapes.map((shape) => shape.placements)].flat();
  return all.length > 0 && all.every(isByPhantom);
}

function isByPhantom(placement: Placement): boolean {
  switch (placement.kind) {
    case 'header':
    case 'basic':
    case 'query':
      return placement.when === 'phantom';
    default:
      return true;
  }
}

/** The result for the longest prefix that matches whole segments of the path. */
function resultFor(bucket: Bucket, path: string): MatchResult | undefined {
  let longest = bucket.results.get('/');
  let end = 0;
  for (let segment = 0; segment < bucket.depth && end < path.length; segment += 1) {
    const slash = path.indexOf('/', end + 1);
    end = slash === -1 ? path.length : slash;
    longest = bucket.results.get(path.slice(0, end)) ?? longest;
  }
  return longest;
}

function isSameResult(a: MatchResult, b: MatchResult): boolean {
  if (a.kind === 'route' && b.kind === 'route') return a.route === b.route;
  return a.kind === b.kind && a.kind !== 'ambiguous';
}
