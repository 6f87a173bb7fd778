import { signInLine } from '../command-line.ts';
import type { ConnectionSummary } from '../connections/index.ts';
import type { Caller, Tenant } from '../principals/index.ts';
import type { RouteTable } from '../providers/index.ts';
import {
  type DecisionPreview,
  type PreviewedRequest,
  type Proxy as ProxyServer,
  placementText,
  previewDecision,
} from '../proxy/index.ts';
import type { OpenedRun, RunSpecification } from './contract.ts';
import type { OuterRuns } from './nested.ts';
import type { overridesFor } from './overrides.ts';
import { capturesFor } from './program-sign-ins.ts';
import { type RunSelection, selectRun } from './select-run.ts';
import {
  exportedPhantoms,
  personalKeyPatterns,
  providerPhantoms,
  routeTableOf,
  unapprovedHostsOf,
} from './usable-connections.ts';
import { withholdSecrets } from './withheld.ts';

export type { DecisionPreview };

/** What a run would have, told without opening it. The values of the phantoms stay here. */
export interface RunPreview
  extends Pick<
    OpenedRun,
    | 'connections'
    | 'secretVariables'
    | 'phantomVariables'
    | 'keyPatterns'
    | 'notGiven'
    | 'overrides'
    | 'outer'
    | 'unapprovedHosts'
  > {
  /** The variables that would contain phantoms. */
  readonly variables: readonly string[];
  /** The providers that would have a phantom. */
  readonly providers: readonly string[];
  readonly routes: readonly RoutePreview[];
  /** Hosts whose traffic is read, since programs that sign in by themselves do so there. */
  readonly signInHosts: readonly string[];
}

export interface RoutePreview {
  readonly id: string;
  /** As in its definition: a host, with a port or a path prefix where it has one. */
  readonly host: string;
  /** `provider/connection`. */
  readonly connection: string;
  readonly placement: string;
  readonly isApproved: boolean;
}

export interface PreviewRunOptions {
  readonly tenant: Tenant;
  readonly outer: OuterRuns | undefined;
  readonly overridesOf: ReturnType<typeof overridesFor>;
}

/** What a run would have. Throws what opening it would throw. */
export async function previewRun(
  { tenant, outer, overridesOf }: PreviewRunOptions,
  specification: RunSpecification,
): Promise<RunPreview> {
  const selection = await selectRun(specification, tenant, outer);
  const { summaries, usable, notGiven } = selection;
  const { phantoms } = tenant.connections;
  // They last, so the run gets the same ones later.
  await phantoms.require(usable.map(({ key }) => key));
  const withheld = await withholdSecrets({
    held: specification.held,
    tenant,
    connected: new Set(summaries.map(({ provider }) => provider)),
    usable,
    exported: exportedPhantoms(phantoms, usable),
    inheritsSecrets: specification.inheritsSecrets === true,
  });
  const routes = routesOf(selection, specification, tenant);
  return {
    connections: usable.map(({ key }) => key),
    variables: Object.keys(withheld.phantoms),
    providers: Object.keys(providerPhantoms(phantoms, usable)),
    secretVariables: withheld.dropped,
    phantomVariables: withheld.alreadyPhantoms,
    keyPatterns: personalKeyPatterns(tenant, summaries),
    routes: routes.routes.map((route) => ({
      id: route.id,
      host: route.pattern.text,
      connection: `${route.provider}/${route.connection}`,
      placement: placementText(route),
      isApproved: route.isApproved,
    })),
    signInHosts: routes.captures?.hosts ?? [],
    overrides: await overridesOf(routes),
    outer: outer?.id,
    notGiven,
    unapprovedHosts: unapprovedHostsOf(usable),
  };
}

export interface PreviewDecisionOptions {
  readonly proxy: Pick<ProxyServer, 'isOwn'>;
  readonly outer: OuterRuns | undefined;
  readonly tenant: Tenant;
}

/** What the proxy would decide about a request of such a run. */
export async function previewRequest(
  { proxy, outer, tenant }: PreviewDecisionOptions,
  specification: Pick<RunSpecification, 'providers' | 'connections' | 'command'>,
  request: PreviewedRequest,
  { handle }: Caller,
): Promise<DecisionPreview> {
  const selection = await selectRun(specification, tenant, outer);
  const { summaries } = selection;
  const preview = previewDecision(
    {
      identity: handle,
      routes: routesOf(selection, specification, tenant),
      decide: tenant.policy,
      isOwn: proxy.isOwn,
    },
    request,
  );
  const used = summaries.find(
    ({ provider, name }) => provider === preview.provider && name === preview.connection,
  );
  return preview.action === 'injected' && used !== undefined ? unlessDead(preview, used) : preview;
}

function routesOf(
  { usable, request, selected }: RunSelection,
  { command }: Pick<RunSpecification, 'command'>,
  { catalog }: Tenant,
): RouteTable {
  return routeTableOf(usable, capturesFor(request, catalog, { command, selected }));
}

/** What is stored says that there is no credential to give; that it works is for its service to say. */
function unlessDead(preview: DecisionPreview, connection: ConnectionSummary): DecisionPreview {
  const { provider, name, status, refreshable } = connection;
  if (status === 'connected' || (status === 'expired' && refreshable)) return preview;
  const key = `${provider}/${name}`;
  const { placement: _placement, ...rest } = preview;
  return {
    ...rest,
    action: 'refused',
    outcome: 'CredentialExpired',
    reason:
      status === 'invalid'
        ? `${provider} no longer accepts ${key}`
        : `${key} has expired and cannot be refreshed`,
    hint: `Sign in again with: ${signInLine({ provider, connection: name, force: true })}`,
  };
}
