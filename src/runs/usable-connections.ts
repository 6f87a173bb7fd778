import type { DurablePhantoms } from '../connections/index.ts';
import {
  type ApprovedHosts,
  type CaptureTable,
  type Catalog,
  compileRoutes,
  type Provider,
  type RouteTable,
  routesOf,
  unapprovedHosts,
  withCaptures,
} from '../providers/index.ts';
import type { RunPhantom } from '../proxy/index.ts';
import type { Selected } from './selection.ts';

/** A connection of a run, with the definition that its routes come from. */
export interface UsableConnection {
  /** `provider/connection`. */
  readonly key: string;
  readonly connection: string;
  readonly baseUrl: string | undefined;
  readonly approved: ApprovedHosts | undefined;
  readonly provider: Provider;
  readonly isPersonal: boolean;
  /** Whether another connection is its provider's default in this run. */
  readonly isFurther: boolean;
  /** Variables that get its phantom besides those of the definition. */
  readonly variables: readonly string[];
}

/** Leaves out connections whose definition is missing or malformed: nothing can be routed to them. */
export function usableConnections(
  selected: readonly Selected[],
  catalog: Catalog,
): readonly UsableConnection[] {
  const malformed = new Set(catalog.problems.map(({ name }) => name));
  return selected
    .filter(({ provider }) => !malformed.has(provider) && catalog.find(provider) !== undefined)
    .map(({ provider: name, connection, baseUrl, approved, isFurther = false, variables = [] }) => {
      const provider = catalog.resolve(name, baseUrl);
      const isPersonal = provider.source === 'custom' || baseUrl !== undefined;
      const key = `${name}/${connection}`;
      return { key, connection, baseUrl, approved, provider, isPersonal, isFurther, variables };
    });
}

/** Of several connections of one provider, its default comes first: the others are used by their phantoms alone. */
export function routeTableOf(
  usable: readonly UsableConnection[],
  captures?: CaptureTable | undefined,
): RouteTable {
  const table = compileRoutes(
    usable.flatMap(({ provider, connection, baseUrl, approved, isPersonal }) =>
      routesOf(provider, connection, { allowPrivateAddress: isPersonal, baseUrl, approved }),
    ),
  );
  return withCaptures(table, captures);
}

/** Connection → host patterns that its credential may not be sent to yet. */
export function unapprovedHostsOf(
  usable: readonly UsableConnection[],
): Readonly<Record<string, readonly string[]>> {
  const asking = usable.map(
    ({ key, provider, approved }) => [key, unapprovedHosts(provider, approved)] as const,
  );
  return Object.fromEntries(asking.filter(([, hosts]) => hosts.length > 0));
}

/** Every phantom of the tenant, as the proxy of a run needs them. */
export function runPhantoms(
  phantoms: DurablePhantoms,
  usable: readonly UsableConnection[],
): readonly RunPhantom[] {
  const keys = new Set(usable.map(({ key }) => key));
  const all = phantoms.all();
  // The first one of a connection is what responses show in place of its credential.
  const inOrder = [
    ...all.filter(({ part }) => part === 'credential'),
    ...all.filter(({ part }) => part !== 'credential'),
  ];
  return inOrder.map(({ value, connection, isRetired }) => ({
    value,
    connection,
    isInRun: !isRetired && keys.has(connection),
  }));
}

/** Variable → phantom, for the child's environment. What a person chose wins over what a definition says. */
export function exportedPhantoms(
  phantoms: Pick<DurablePhantoms, 'newest'>,
  usable: readonly UsableConnection[],
): Readonly<Record<string, string>> {
  const defined: Record<string, string> = {};
  const chosen: Record<string, string> = {};
  for (const { key, provider, isFurther, variables } of usable) {
    const phantom = phantoms.newest(key);
    // It went between the selection and now.
    if (phantom === undefined) continue;
    if (!isFurther) for (const { name } of provider.exportVariables) defined[name] = phantom;
    for (const name of variables) chosen[name] = phantom;
  }
  return { ...defined, ...chosen };
}

/** Provider → the phantom of the connection that the run uses for it. */
export function providerPhantoms(
  phantoms: Pick<DurablePhantoms, 'newest'>,
  usable: readonly UsableConnection[],
): Readonly<Record<string, string>> {
  const standing = usable
    .filter(({ isFurther }) => !isFurther)
    .map(({ key, provider }) => [provider.name, phantoms.newest(key)] as const);
  return Object.fromEntries(
    standing.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}

/** How keys of connected providers look, by a person's own definitions. Those that came with authsome, every caller has. */
export function personalKeyPatterns(
  { catalog }: { readonly catalog: Catalog },
  stored: readonly { readonly provider: string }[],
): readonly { readonly provider: string; readonly pattern: string }[] {
  const malformed = new Set(catalog.problems.map(({ name }) => name));
  return [...new Set(stored.map(({ provider }) => provider))].flatMap((name) => {
    const provider = malformed.has(name) ? undefined : catalog.find(name);
    const pattern = provider?.source === 'custom' ? provider.apiKey?.keyPattern : undefined;
    return pattern === undefined ? [] : [{ provider: name, pattern: pattern.source }];
  });
}

/** The connections that are used by their phantoms alone. */
export function furtherOf(
  usable: readonly UsableConnection[],
): readonly { readonly connection: string; readonly variables: readonly string[] }[] {
  return usable
    .filter(({ isFurther }) => isFurther)
    .map(({ key, variables }) => ({ connection: key, variables }));
}
