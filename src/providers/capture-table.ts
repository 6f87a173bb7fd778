import type { CaptureEndpoint, CaptureRoute, CaptureTable } from './capture.ts';
import { readPath } from './path.ts';
import type { Provider } from './provider.ts';
import type { Route, RouteTable } from './route.ts';

/**
 * The captured endpoints of these providers. A person's own definition does not take an endpoint from a bundled one: what
 * programs get there would go where a stranger's definition says.
 */
export function compileCaptures(providers: readonly Provider[]): CaptureTable | undefined {
  const capturing = providers.filter(({ capture }) => capture !== undefined).sort(bundledFirst);
  if (capturing.length === 0) return undefined;
  const byHost = new Map<string, Map<number, Map<string, CaptureRoute>>>();
  const intercepted = new Map<string, Set<number>>();
  const intercept = (host: string, port: number): unknown =>
    intercepted.set(host, (intercepted.get(host) ?? new Set<number>()).add(port));
  for (const provider of capturing) {
    for (const route of capturesOf(provider)) {
      const { host, port, pathPrefix } = route.endpoint.pattern;
      const ports = byHost.get(host) ?? new Map<number, Map<string, CaptureRoute>>();
      const paths = ports.get(port) ?? new Map<string, CaptureRoute>();
      if (paths.has(loosely(pathPrefix))) continue;
      byHost.set(host, ports.set(port, paths.set(loosely(pathPrefix), route)));
      intercept(host, port);
    }
    // Its API, too: a tunnel that was opened before the sign-in would carry what the program sends after it.
    for (const { kind, host, port } of provider.inject.flatMap((rule) => rule.hosts)) {
      if (kind === 'exact') intercept(host, port);
    }
  }
  return {
    hosts: [...intercepted.keys()],
    hasHost: (host, port) => intercepted.get(host)?.has(port) === true,
    match(host, port, path) {
      const paths = byHost.get(host)?.get(port);
      const route = paths?.get(loosely(path));
      if (route === undefined) return undefined;
      const reading = readPath(path);
      const isPlain = reading?.shape === 'plain' && reading.canonical === route.endpoint.pattern.pathPrefix;
      return { kind: isPlain ? 'endpoint' : 'refused', route };
    },
  };
}

function bundledFirst(a: Provider, b: Provider): number {
  return Number(a.source !== 'bundled') - Number(b.source !== 'bundled');
}

function capturesOf({ name, capture }: Provider): readonly CaptureRoute[] {
  if (capture === undefined) return [];
  const routesTo = (kind: CaptureRoute['kind'], endpoints: readonly CaptureEndpoint[]) =>
    endpoints.map((endpoint) => ({ provider: name, kind, endpoint, capture }));
  return [
    ...routesTo('token', capture.tokenEndpoints),
    ...routesTo('revocation', capture.revocationEndpoints),
    ...routesTo('refused', capture.refusedEndpoints),
  ];
}

/** One spelling for all that some server takes for the same path: case, escapes, dot segments, parameters, slashes. */
function loosely(path: string): string {
  let text = path;
  for (let round = 0; round < 3 && text.includes('%'); round += 1)
    text = text.replace(/%[0-9a-f]{2}/gi, unescaped);
  const segments: string[] = [];
  for (const written of text.toLowerCase().split(/[/\\]/)) {
    const segment = written.replace(/;.*$/s, '').replace(/[\s\0]+$/, '');
    if (segment === '..') segments.pop();
    else if (segment !== '' && segment !== '.') segments.push(segment);
  }
  return segments.join('/');
}

function unescaped(triplet: string): string {
  return String.fromCharCode(Number.parseInt(triplet.slice(1), 16));
}

/** The table of a run that also takes over these sign-ins. */
export function withCaptures(table: RouteTable, captures: CaptureTable | undefined): RouteTable {
  if (captures === undefined) return table;
  return {
    ...table,
    captures,
    hasHost: (host, port) => table.hasHost(host, port) || captures.hasHost(host, port),
  };
}

/** All hosts that a run may have to present a certificate for. */
export function hostsOf({ routes, captures }: RouteTable): readonly string[] {
  const routed = routes.map(({ pattern }: Route) => pattern.host);
  return captures === undefined ? routed : [...routed, ...captures.hosts];
}
