import type { ConnectionSummary } from '../connections/index.ts';
import type { Tenant } from '../principals/index.ts';
import type { OpenedRun, RunSpecification } from './contract.ts';
import { narrowed, withDefaults } from './narrowed.ts';
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
  /** As in an opened run. */
  readonly notGiven: OpenedRun['notGiven'];
}

/** What a run gets, or would get. Throws as `selectConnections` does, and `DeniedInRun`. */
export async function selectRun(
  asked: Pick<
    RunSpecification,
    'providers' | 'connections' | 'further' | 'defaults' | 'narrowedTo' | 'command'
  >,
  { connections, catalog }: Pick<Tenant, 'connections' | 'catalog'>,
  outer: OuterRuns | undefined,
): Promise<RunSelection> {
  const summaries = await connections.summaries();
  const { providers, connections: named, further, defaults, narrowedTo, command } = asked;
  const wanted: SelectionRequest = { providers, connections: named, further };
  // Inside a run, what that has is the default.
  const request =
    outer === undefined ? withDefaults(wanted, defaults) : nestedRequest(wanted, outer, summaries);
  const selected = selectConnections(request, summaries, (name) => catalog.resolve(name));
  if (outer !== undefined) requireWithin(selected, outer, command);
  if (narrowedTo === undefined)
    return {
      summaries,
      request,
      selected,
      usable: usableConnections(selected, catalog),
      notGiven: undefined,
    };
  const rest = narrowed(selected, wanted, narrowedTo);
  const keys = rest.selected.map(({ provider, connection }) => `${provider}/${connection}`);
  return {
    summaries,
    // A sign-in that comes later adds nothing.
    request: { providers: keys, connections: {}, isFixed: true },
    selected: rest.selected,
    usable: usableConnections(rest.selected, catalog),
    notGiven: rest.notGiven,
  };
}
