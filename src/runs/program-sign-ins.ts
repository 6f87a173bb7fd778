import type { Socket } from 'node:net';
import type { Origin } from '../audit/index.ts';
import { type Caller, currentCaller, type Tenant } from '../principals/index.ts';
import { type CaptureTable, type Catalog, compileCaptures } from '../providers/index.ts';
import type { RunSpec } from '../proxy/index.ts';
import type { Selected, SelectionRequest } from './selection.ts';

/**
 * The endpoints whose sign-ins a run takes over: of every provider whose programs sign in by themselves, or of those that the
 * run is limited to. Where many programs use an endpoint, only for its own program, a connection, or a run that names it.
 */
export function capturesFor(
  { providers, connections, isFixed }: SelectionRequest,
  catalog: Catalog,
  { command, selected }: { readonly command: string; readonly selected: readonly Selected[] },
): CaptureTable | undefined {
  const connected = new Set(selected.map(({ provider }) => provider));
  const capturing = catalog.capturing().filter(({ name, capture }) => {
    const isUsual =
      capture === undefined || capture.programs.length === 0 || capture.programs.includes(command);
    return isUsual || connected.has(name) || providers.some((each) => each.split('/', 1)[0] === name);
  });
  if (providers.length === 0 && isFixed !== true) return compileCaptures(capturing);
  const named = new Set([...providers.map((name) => name.split('/', 1)[0]), ...Object.keys(connections)]);
  return compileCaptures(capturing.filter(({ name }) => named.has(name)));
}

/** A live run, as far as its sign-ins concern it. */
export interface SigningRun {
  readonly id: string;
  readonly caller: Caller;
  readonly tenant: Tenant;
  readonly request: SelectionRequest;
  readonly selected: () => readonly Selected[];
  /** Gives the run the routes and phantoms of what is stored now. */
  readonly renewRoutes: () => Promise<void>;
  /** Which process is at the other end of a connection. */
  readonly processOf: (client: Socket) => Promise<Origin>;
}

/** Answers the requests of programs in a run that sign in by themselves. */
export function programAnswers(run: SigningRun): NonNullable<RunSpec['capture']> {
  const { id, caller, tenant, request, selected } = run;
  return async ({ route, query, headers, body, client }) => {
    const origin = { run: id, ...(await run.processOf(client).catch(() => ({}))) };
    const provider = tenant.catalog.resolve(route.provider);
    const mine = (): readonly Selected[] => selected().filter((one) => one.provider === route.provider);
    const connection = mine()[0]?.connection ?? namedIn(request, route.provider) ?? 'default';
    const mayUse = (key: string): boolean =>
      mine().some((one) => key === `${one.provider}/${one.connection}`);
    const answer = await currentCaller.run({ ...caller, origin }, () =>
      tenant.connections.programs.answer({ route, provider, connection, mayUse, query, headers, body }),
    );
    // Before the program has its phantoms: its next request may come at once.
    if (answer.status < 300) await run.renewRoutes();
    return answer;
  };
}

/** The connection that a run was asked to have of this provider. */
function namedIn({ providers, connections }: SelectionRequest, provider: string): string | undefined {
  if (Object.hasOwn(connections, provider)) return connections[provider];
  return providers.find((name) => name.startsWith(`${provider}/`))?.slice(provider.length + 1);
}
