import type { ScopeAdvice } from '../connections/index.ts';
import type { Caller, Tenant } from '../principals/index.ts';
import type { Proxy as ProxyServer, RunSpec, UpstreamRefusal } from '../proxy/index.ts';
import type { OpenedRun, RunEntry, RunSpecification } from './contract.ts';
import type { OuterRuns } from './nested.ts';
import type { overridesFor } from './overrides.ts';
import { capturesFor, programAnswers, type SigningRun } from './program-sign-ins.ts';
import type { Roots } from './roots.ts';
import type { RunAudits } from './run-audits.ts';
import type { RunDirectories } from './run-directory.ts';
import { selectRun } from './select-run.ts';
import type { Selected } from './selection.ts';
import {
  exportedPhantoms,
  furtherOf,
  personalKeyPatterns,
  providerPhantoms,
  routeTableOf,
  runPhantoms,
  unapprovedHostsOf,
} from './usable-connections.ts';
import { withholdSecrets } from './withheld.ts';

export interface OpenRunOptions {
  readonly proxy: ProxyServer;
  readonly directories: RunDirectories;
  readonly roots: Roots;
  readonly audits: RunAudits;
  /** The live runs that it is inside of; `undefined` for none. */
  readonly outer: OuterRuns | undefined;
  readonly overridesOf: ReturnType<typeof overridesFor>;
  /** Registers the run: from then on it can end. */
  readonly onLive: (live: RunEntry) => void;
  readonly end: (id: string) => void;
  /** Gives a live run the routes and phantoms of what is stored now. */
  readonly renewRoutes: (id: string) => Promise<void>;
  /** The connections of a live run as they are now. */
  readonly selectedOf: (id: string) => readonly Selected[];
  readonly processOf: SigningRun['processOf'];
}

/** Opens a run for a tenant: selects its connections, opens it in the proxy, writes its CA files and records it. */
export async function openRun(
  options: OpenRunOptions,
  specification: RunSpecification,
  caller: Caller,
  tenant: Tenant,
): Promise<OpenedRun> {
  const { proxy, directories, roots, audits, outer, overridesOf, onLive, end } = options;
  const { connections, catalog, policy, audit } = tenant;
  const trusted = Promise.all(specification.caFiles.map((path) => roots.of(path)));
  const { summaries, request, selected, usable, notGiven } = await selectRun(specification, tenant, outer);
  const place = directories.take();
  const { id } = place;
  const { phantoms } = connections;
  await phantoms.require(usable.map(({ key }) => key));
  const withheld = await withholdSecrets({
    held: specification.held,
    tenant,
    connected: new Set(summaries.map(({ provider }) => provider)),
    usable,
    exported: exportedPhantoms(phantoms, usable),
    inheritsSecrets: specification.inheritsSecrets === true,
  });
  const routes = routeTableOf(
    usable,
    capturesFor(request, catalog, { command: specification.command, selected }),
  );
  const known = phantoms.all();
  const overrides = await overridesOf(routes);
  const run = await proxy.openRun({
    id,
    identity: caller.handle,
    routes,
    credentials: connections.credentials,
    decide: policy,
    phantoms: runPhantoms(phantoms, usable),
    advise: adviser(id, caller, tenant),
    capture: programAnswers({
      ...{ id, caller, tenant, request, processOf: options.processOf },
      selected: () => options.selectedOf(id),
      renewRoutes: () => options.renewRoutes(id),
    }),
  });
  audits.add(id, audit);
  let announceEnd = (): void => {};
  const ended = new Promise<void>((resolve) => {
    announceEnd = resolve;
  });
  const { isTrusted, isStrict = false, leaseSocket, command } = specification;
  const ignore = (_text: string): void => {};
  const listeners = { notice: ignore, stopped: ignore };
  const entry = { run, command, isTrusted, leaseSocket, caller, request, tenant, selected, announceEnd };
  onLive({
    ...entry,
    isStrict,
    told: new Set(),
    outer: outer?.id,
    notice: (text) => listeners.notice(text),
    stopped: (reason) => listeners.stopped(reason),
  });
  // Another run may have brought one since, and has told the live runs only.
  if (phantoms.all() !== known) run.replaceRoutes(routes, runPhantoms(phantoms, usable));
  try {
    const files = place.write(run.caPem, (await trusted).join(''));
    const used = usable.map(({ key }) => key);
    audit.append({
      event: 'run.started',
      identity: caller.handle,
      run: id,
      outcome: 'ok',
      detail: startedText(specification, outer, used),
    });
    return {
      ...files,
      id,
      proxyUrl: run.proxyUrl,
      phantoms: withheld.phantoms,
      secretVariables: withheld.dropped,
      phantomVariables: withheld.alreadyPhantoms,
      providerPhantoms: providerPhantoms(phantoms, usable),
      keyPatterns: personalKeyPatterns(tenant, summaries),
      connections: used,
      further: furtherOf(usable),
      outer: outer?.id,
      overrides,
      notGiven,
      unapprovedHosts: unapprovedHostsOf(usable),
      onNotice(next) {
        listeners.notice = next;
      },
      onStopped(next) {
        listeners.stopped = next;
      },
      end: () => end(id),
      ended,
    };
  } catch (error) {
    end(id);
    throw error;
  }
}

/** `claude (trusted, inside of run_x): github/default`. */
function startedText(
  { command, isTrusted, inheritsSecrets }: RunSpecification,
  outer: OuterRuns | undefined,
  used: readonly string[],
): string {
  const remarks = [
    ...(isTrusted ? ['trusted'] : []),
    ...(inheritsSecrets === true ? ['with the secrets of its environment'] : []),
    ...(outer === undefined ? [] : [`inside of ${outer.id}`]),
  ];
  const about = remarks.length === 0 ? '' : ` (${remarks.join(', ')})`;
  return `${command}${about}: ${used.join(', ') || 'no connections'}`;
}

/** Says what the agent could do about a refusal for missing scopes, and records it. */
function adviser(run: string, { handle }: Caller, tenant: Tenant): NonNullable<RunSpec['advise']> {
  return (refused) => {
    const advice = scopeAdviceFor(tenant, refused);
    if (advice === undefined) return undefined;
    const { provider, connection, missing, detail, hint } = advice;
    tenant.audit.append({
      event: 'scopes.missing',
      provider,
      connection,
      identity: handle,
      run,
      decision: refused.decision,
      outcome: 'insufficient_scope',
      scopes: missing,
      detail,
      hint,
    });
    return hint;
  };
}

function scopeAdviceFor(
  { connections }: Tenant,
  { connection, status, field }: UpstreamRefusal,
): ScopeAdvice | undefined {
  return connections.scopeAdvice(connection, {
    status,
    challenge: field('www-authenticate'),
    accepted: field('x-accepted-oauth-scopes'),
    held: field('x-oauth-scopes'),
  });
}
