import {
  type ApprovedHosts,
  type Catalog,
  compileRoutes,
  type Provider,
  type RouteTable,
  routesOf,
  unapprovedHosts,
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
}

/** Leaves out connections whose definition is missing or malformed: nothing can be routed to them. */
export function usableConnections(
  selected: readonly Selected[],
  catalog: Catalog,
): readonly UsableConnection[] {
  const malformed = new Set(catalog.problems.map(({ name }) => name));
  return selected
    .filter(({ provider }) => !malformed.has(provider) && catalog.find(provider) !== undefined)
    .map(({ provider: name, connection, baseUrl, approved }) => {
      const provider = catalog.resolve(name, baseUrl);
      const isPersonal = provider.source === 'custom' || baseUrl !== undefined;
      return { key: `${name}/${connection}`, connection, baseUrl, approved, provider, isPersonal };
    });
}

export function routeTableOf(usable: readonly UsableConnection[]): RouteTable {
  return compileRoutes(
    usable.flatMap(({ provider, connection, baseUrl, approved, isPersonal }) =>
      routesOf(provider, connection, { allowPrivateAddress: isPersonal, baseUrl, approved }),
    ),
  );
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

/**
 * Provider → its phantom in one run. A provider has one even if no variable shows it to the child: it replaces the secret in
 * responses, too, whichever of the provider's connections the run uses later.
 */
export type Phantoms = Map<string, string>;

/** Adds one for each provider that has none yet. Earlier ones stay. */
export function addPhantoms(
  phantoms: Phantoms,
  usable: readonly UsableConnection[],
  newPhantom: (provider: Provider) => string,
): void {
  for (const { provider } of usable) {
    if (!phantoms.has(provider.name)) phantoms.set(provider.name, newPhantom(provider));
  }
}

/** The run's phantoms, as the proxy needs them. */
export function runPhantoms(phantoms: Phantoms, usable: readonly UsableConnection[]): readonly RunPhantom[] {
  return usable.map(({ key, provider }) => ({
    value: phantoms.get(provider.name) as string,
    connection: key,
    isInRun: true,
  }));
}

/** Variable → phantom, for the child's environment. */
export function exportedPhantoms(
  phantoms: Phantoms,
  usable: readonly UsableConnection[],
): Readonly<Record<string, string>> {
  const exported: Record<string, string> = {};
  for (const { provider } of usable) {
    for (const { name } of provider.exportVariables) exported[name] = phantoms.get(provider.name) as string;
  }
  return exported;
}
