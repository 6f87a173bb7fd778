import { registrableDomain } from './host.ts';
import type { HostPattern } from './host-pattern.ts';
import type { Provider } from './provider.ts';
import type { MatchResult, Route } from './route.ts';

/** Route → the routes of other providers that a request could match besides it. */
export type Competing = ReadonlyMap<Route, readonly Route[]>;

/**
 * The routes that compete with each custom one. A stranger's definition must not take requests from another provider by
 * naming a host or a path more exactly: they would go out with its own account. Bundled definitions are made to fit together.
 */
export function competingOf(routes: readonly Route[]): Competing {
  const competing = new Map<Route, readonly Route[]>();
  for (const route of routes) {
    if (route.source === 'bundled') continue;
    const others = routes.filter(
      (other) => other.provider !== route.provider && mayMeet(route.pattern, other.pattern),
    );
    if (others.length > 0) competing.set(route, others);
  }
  return competing;
}

/** The result, or that it is ambiguous: the route's definition is custom, and a competing route covers the request too. */
export function unlessCompeting(
  competing: Competing,
  result: MatchResult,
  host: string,
  path: string,
): MatchResult {
  if (result.kind !== 'route') return result;
  const claims = competing.get(result.route)?.filter(({ pattern }) => covers(pattern, host, path)) ?? [];
  if (claims.length === 0) return result;
  const routes = [...claims, result.route];
  return { kind: 'ambiguous', routes, considered: [...new Set([...result.considered, ...claims])] };
}

/**
 * The first of `others` that has a host which `provider` covers, too, on whatever path; `undefined` for none. Each with the
 * base URL that it is meant with.
 */
export function ownerOfHostIn(provider: Provider, others: readonly Provider[]): Provider | undefined {
  const own = patternsOf(provider);
  return others.find(
    (other) =>
      other.name !== provider.name &&
      patternsOf(other).some((theirs) => own.some((pattern) => mayMeet(pattern, theirs))),
  );
}

function patternsOf({ inject }: Provider): readonly HostPattern[] {
  return inject.flatMap(({ hosts }) => hosts);
}

/** Whether there may be a host that both match. */
function mayMeet(a: HostPattern, b: HostPattern): boolean {
  if (a.port !== b.port) return false;
  if (a.kind === 'exact') return coversHost(b, a.host);
  if (b.kind === 'exact') return coversHost(a, b.host);
  return a.host === b.host || isBelow(a.host, b.host) || isBelow(b.host, a.host);
}

function covers(pattern: HostPattern, host: string, path: string): boolean {
  const { pathPrefix } = pattern;
  const coversPath = pathPrefix === '/' || path === pathPrefix || path.startsWith(`${pathPrefix}/`);
  return coversPath && coversHost(pattern, host);
}

function coversHost(pattern: HostPattern, host: string): boolean {
  switch (pattern.kind) {
    case 'exact':
      return pattern.host === host;
    case 'wildcard': {
      if (!isBelow(host, pattern.host)) return false;
      const owner = registrableDomain(host);
      return owner !== undefined && pattern.host.length >= owner.length;
    }
    case 'regex':
      return registrableDomain(host) === pattern.host && pattern.expression?.test(host) === true;
  }
}

function isBelow(host: string, domain: string): boolean {
  return host.endsWith(`.${domain}`);
}
