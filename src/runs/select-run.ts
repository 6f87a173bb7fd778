import type { ConnectionSummary } from '../connections/index.ts';
import type { Tenant } from '../principals/index.ts';
import { nestedRequest, type OuterRuns, requireWithin } from './nested.ts';
import { type Selected, type SelectionRequest, selectConnections } from './selection.ts';
import { type UsableConnection, usableConnections } from './usable-connections.ts';

/** What a run has of its tenant. */
export interface RunSelection {
  /** Every connection of the tenant. */
  readonly summaries: readonly ConnectionSummary[];
  /** What later changes of the tenant's connections are selected by. */
  readonly request: SelectionRequest;
  readonly selected: readonly Selected[];
  readonly usable: readonly UsableConnection[];
}

/** What a run gets, or would get. Throws as `selectConnections` does, and `DeniedInRun`. */
export async function selectRun(
  asked: SelectionRequest & { readonly command: string },
  { connections, catalog }: Pick<Tenant, 'connections' | 'catalog'>,
  outer: OuterRuns | undefined,
): Promise<RunSelection> {
  const summaries = await connections.summaries();
  const { providers, connections: named, further, command } = asked;
  const wanted: SelectionRequest = { providers, connections: named, further };
  const request = outer === undefined ? wanted : nestedRequest(wanted, outer, summaries);
  const selected = selectConnections(request, summaries, (name) => catalog.resolve(name));
  if (outer !== undefined) requireWithin(selected, outer, command);
  return { summaries, request, selected, usable: usableConnections(selected, catalog) };
}
