import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ConnectionChange, ScopeAdvice } from '../connections/index.ts';
import type { Caller, Tenant } from '../principals/index.ts';
import { randomId } from '../principals/index.ts';
import type { Proxy as ProxyServer, Run, UpstreamRefusal } from '../proxy/index.ts';
import type { Roots } from './roots.ts';
import type { RunAudits } from './run-audits.ts';
import { type CaFiles, createRunDirectories } from './run-directory.ts';
import { reselectConnections, type Selected, type SelectionRequest, selectConnections } from './selection.ts';
import {
  addPhantoms,
  exportedPhantoms,
  type Phantoms,
  routeTableOf,
  secretVariablesOf,
  usableConnections,
} from './usable-connections.ts';

export interface RunSpecification extends SelectionRequest {
  /** The program's name, no arguments. */
  readonly command: string;
  readonly caFiles: readonly string[];
}

export interface OpenedRun extends CaFiles {
  readonly id: string;
  readonly proxyUrl: string;
  readonly phantoms: Readonly<Record<string, string>>;
  readonly secretVariables: readonly string[];
  readonly connections: readonly string[];
  /** Ends it; again is no harm. */
  end(): void;
  /** Resolves when it has ended, from whichever side. */
  readonly ended: Promise<void>;
}

export interface Runs {
  open(specification: RunSpecification, caller: Caller, tenant: Tenant): Promise<OpenedRun>;
  /** Cuts what is live on a connection that is gone, then gives the tenant's live runs their new routes. */
  connectionChanged(tenant: Tenant, change: ConnectionChange): Promise<void>;
  /** Decides again, by the current rules, what is under way in every live run. */
  rulesChanged(): Promise<void>;
  /** Gives every live run the routes of the current definitions. */
  providersChanged(): Promise<void>;
  readonly count: number;
  /** Whether a live run of the tenant was given this phantom. */
  hasPhantom(tenant: Tenant, value: string): boolean;
  endAll(): Promise<void>;
  /** Resolves when there are no runs. */
  idle(): Promise<void>;
}

export interface RunsOptions {
  readonly proxy: ProxyServer;
  /** `runs/` of the home. */
  readonly directory: string;
  readonly roots: Roots;
  readonly audits: RunAudits;
  readonly randomBytes: (size: number) => Uint8Array;
}

interface LiveRun {
  readonly run: Run;
  readonly caller: Caller;
  readonly request: SelectionRequest;
  readonly tenant: Tenant;
  readonly phantoms: Phantoms;
  selected: readonly Selected[];
  /** Tells whoever waits that it has ended. */
  announceEnd(): void;
}

export function createRuns(options: RunsOptions): Runs {
  const { proxy, directory, roots, audits, randomBytes } = options;
  const directories = createRunDirectories({
    directory,
    roots,
    newId: () => `run_${randomId(randomBytes)}`,
  });
  const live = new Map<string, LiveRun>();
  const removals = new Set<Promise<void>>();
  let waitingForIdle: (() => void)[] = [];

  const end = (id: string, outcome: 'ok' | 'RunEnded'): void => {
    const entry = live.get(id);
    if (entry === undefined) return;
    live.delete(id);
    entry.run.end();
    const removal = rm(join(directory, id), { recursive: true, force: true }).catch(() => undefined);
    removals.add(removal);
    void removal.then(() => removals.delete(removal));
    entry.tenant.audit.append({ event: 'run.ended', identity: entry.caller.handle, run: id, outcome });
    audits.end(id);
    entry.announceEnd();
    if (live.size > 0) return;
    for (const wake of waitingForIdle) wake();
    waitingForIdle = [];
  };

  const reroute = async (entry: LiveRun): Promise<void> => {
    const stored = await entry.tenant.connections.summaries();
    entry.selected = reselectConnections(entry.request, entry.selected, stored);
    const usable = usableConnections(entry.selected, entry.tenant.catalog);
    addPhantoms(entry.phantoms, usable, randomBytes);
    entry.run.replaceRoutes(routeTableOf(usable));
  };

  return {
    get count() {
      return live.size;
    },
    hasPhantom: (tenant, value) =>
      [...live.values()].some(
        (entry) => entry.tenant === tenant && [...entry.phantoms.values()].includes(value),
      ),
    async open(specification, caller, tenant) {
      const { connections, catalog, policy, audit } = tenant;
      const trusted = Promise.all(specification.caFiles.map((path) => roots.of(path)));
      const selected = selectConnections(specification, await connections.summaries(), (name) =>
        catalog.resolve(name),
      );
      const usable = usableConnections(selected, catalog);
      const place = directories.take();
      const { id } = place;
      const phantoms: Phantoms = new Map();
      addPhantoms(phantoms, usable, randomBytes);
      const exported = exportedPhantoms(phantoms, usable);
      audits.add(id, audit);
      const run = await proxy.openRun({
        id,
        identity: caller.handle,
        routes: routeTableOf(usable),
        credentials: connections.credentials,
        decide: policy,
        phantomFor: (connection) => phantoms.get(connection.slice(0, connection.indexOf('/'))),
        advise: (refused) => {
          const advice = scopeAdviceFor(tenant, refused);
          if (advice === undefined) return undefined;
          const { provider, connection, missing: scopes, detail, hint } = advice;
          const asker = { identity: caller.handle, run: id, decision: refused.decision };
          const outcome = 'insufficient_scope';
          audit.append({
            event: 'scopes.missing',
            provider,
            connection,
            ...asker,
            outcome,
            scopes,
            detail,
            hint,
          });
          return hint;
        },
      });
      let announceEnd = (): void => {};
      const ended = new Promise<void>((resolve) => {
        announceEnd = resolve;
      });
      live.set(id, { run, caller, request: specification, tenant, phantoms, selected, announceEnd });
      try {
        const files = place.write(run.caPem, (await trusted).join(''));
        const used = usable.map(({ key }) => key);
        audit.append({
          event: 'run.started',
          identity: caller.handle,
          run: id,
          outcome: 'ok',
          detail: `${specification.command}: ${used.join(', ') || 'no connections'}`,
        });
        return {
          ...files,
          id,
          proxyUrl: run.proxyUrl,
          phantoms: exported,
          secretVariables: secretVariablesOf(usable).filter((name) => !Object.hasOwn(exported, name)),
          connections: used,
          end: () => end(id, 'ok'),
          ended,
        };
      } catch (error) {
        end(id, 'ok');
        throw error;
      }
    },
    async connectionChanged(tenant, { connection, kind }) {
      const affected = [...live.values()].filter((entry) => entry.tenant === tenant);
      if (kind === 'revoked' || kind === 'removed') {
        for (const { run } of affected) run.dropConnection(connection);
      }
      await Promise.all(affected.map(reroute));
    },
    async rulesChanged() {
      // Of what is stored nothing is needed: neither a vault nor a definition that fails may keep a rule from a run.
      for (const { run } of live.values()) run.reauthorize();
    },
    async providersChanged() {
      await Promise.all([...live.values()].map(reroute));
    },
    async endAll() {
      directories.close();
      for (const id of [...live.keys()]) end(id, 'RunEnded');
      await Promise.all(removals);
    },
    idle: () =>
      live.size === 0 ? Promise.resolve() : new Promise<void>((resolve) => waitingForIdle.push(resolve)),
  };
}

function scopeAdviceFor(
  tenant: Tenant,
  { connection, status, field }: UpstreamRefusal,
): ScopeAdvice | undefined {
  return tenant.connections.scopeAdvice(connection, {
    status,
    challenge: field('www-authenticate'),
    accepted: field('x-accepted-oauth-scopes'),
    held: field('x-oauth-scopes'),
  });
}
