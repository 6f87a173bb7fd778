import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { AuditEvent } from '../audit/index.ts';
import { askPerson, shellWord } from '../command-line.ts';
import type { ConnectionChange } from '../connections/index.ts';
import { AuthsomeError } from '../errors.ts';
import type { Caller, Tenant } from '../principals/index.ts';
import { randomId } from '../principals/index.ts';
import type { DecisionPreview, PreviewedRequest, Proxy as ProxyServer } from '../proxy/index.ts';
import type { OpenedRun, RunEntry, RunSpecification } from './contract.ts';
import { inAll, type OuterRuns } from './nested.ts';
import { misplacedIn, noticeOf } from './notices.ts';
import { openRun } from './open-run.ts';
import { type DaemonOverrides, overridesFor } from './overrides.ts';
import { previewRequest, previewRun, type RunPreview } from './preview.ts';
import { capturesFor, type SigningRun } from './program-sign-ins.ts';
import type { Roots } from './roots.ts';
import type { RunAudits } from './run-audits.ts';
import { createRunDirectories, type RunDirectories } from './run-directory.ts';
import { reselectConnections } from './selection.ts';
import { type Position, type Surrounding, surroundingRuns } from './surrounding.ts';
import { routeTableOf, runPhantoms, usableConnections } from './usable-connections.ts';

export interface RunsOptions {
  readonly proxy: ProxyServer;
  /** `runs/` of the home. */
  readonly directory: string;
  readonly roots: Roots;
  readonly audits: RunAudits;
  /** Left out where there are none. */
  readonly overrides?: DaemonOverrides;
  readonly randomBytes: (size: number) => Uint8Array;
  /** Which process is at the other end of a connection to the proxy; nothing is known where it is left out. */
  readonly processOf?: SigningRun['processOf'];
}

/** An agent can cause any number of refusals: the end of a run names some, and `log` has all. */
const mostTold = 100;

/** The runs that are live, of all tenants. */
export class Runs {
  readonly #options: RunsOptions;
  readonly #directories: RunDirectories;
  readonly #overridesOf: ReturnType<typeof overridesFor>;
  readonly #live = new Map<string, RunEntry>();
  readonly #removals = new Set<Promise<void>>();
  #waitingForIdle: (() => void)[] = [];

  constructor(options: RunsOptions) {
    const { directory, roots, randomBytes } = options;
    this.#options = options;
    const newId = () => `run_${randomId(randomBytes)}`;
    const none: DaemonOverrides = { resolved: [], extraRootFiles: [] };
    this.#overridesOf = overridesFor(options.overrides ?? none, roots);
    this.#directories = createRunDirectories({ directory, roots, newId });
  }

  get count(): number {
    return this.#live.size;
  }

  /** The runs that a caller descends from; `undefined` for none. */
  surrounding(position: Position): Surrounding | undefined {
    return surroundingRuns(position, this.#live);
  }

  async open(specification: RunSpecification, caller: Caller, tenant: Tenant): Promise<OpenedRun> {
    const { proxy, roots, audits } = this.#options;
    const directories = this.#directories;
    const onLive = (live: RunEntry): void => {
      this.#live.set(live.run.id, live);
    };
    const end = (id: string): void => this.#end(id, 'ok');
    const overridesOf = this.#overridesOf;
    const outer = this.#outerRuns(specification, tenant);
    const processOf = this.#options.processOf ?? (async () => ({}));
    const renewRoutes = async (id: string): Promise<void> => {
      const entry = this.#live.get(id);
      if (entry !== undefined) await this.#reroute(entry);
    };
    const selectedOf = (id: string) => this.#live.get(id)?.selected ?? [];
    const options = {
      ...{ proxy, directories, roots, audits, outer, overridesOf, onLive, end },
      ...{ processOf, renewRoutes, selectedOf },
    };
    return await openRun(options, specification, caller, tenant);
  }

  /** What a run would have. Opens none. */
  async preview(specification: RunSpecification, tenant: Tenant): Promise<RunPreview> {
    const outer = this.#outerRuns(specification, tenant);
    return await previewRun({ tenant, outer, overridesOf: this.#overridesOf }, specification);
  }

  /** What the proxy would decide about a request of such a run. Sends nothing, and records nothing. */
  async previewRequest(
    specification: RunSpecification,
    request: PreviewedRequest,
    caller: Caller,
    tenant: Tenant,
  ): Promise<DecisionPreview> {
    const { proxy } = this.#options;
    const outer = this.#outerRuns(specification, tenant);
    return await previewRequest({ proxy, outer, tenant }, specification, request, caller);
  }

  /** Cuts what is live on a connection that was revoked or removed, then gives the tenant's runs their new routes. */
  async connectionChanged(tenant: Tenant, { connection, kind }: ConnectionChange): Promise<void> {
    const affected = [...this.#live.values()].filter((entry) => entry.tenant === tenant);
    if (kind === 'revoked' || kind === 'removed') {
      for (const { run } of affected) run.dropConnection(connection);
    }
    await Promise.all(affected.map((entry) => this.#reroute(entry)));
  }

  /** Tells a run, and those around it, what happened in it. What nobody's process caused concerns all. */
  noticed(event: AuditEvent): void {
    const text = noticeOf(event);
    if (text === undefined) return;
    if (event.event === 'rules.changed') {
      for (const entry of this.#live.values()) entry.notice(text);
      return;
    }
    const around = this.#around(event.run);
    const misplaced = misplacedIn(event);
    if (misplaced === undefined) {
      for (const entry of around) entry.notice(text);
      return;
    }
    const last = around.findLastIndex(({ isStrict }) => isStrict);
    for (const [index, entry] of around.entries()) {
      if (index <= last) this.#stop(entry, misplaced);
      else if (entry.told.size < mostTold && !entry.told.has(text)) {
        entry.told.add(text);
        entry.notice(text);
      }
    }
  }

  /** This run and those around it, from the inside out. */
  #around(id: string | undefined): readonly RunEntry[] {
    const entry = id === undefined ? undefined : this.#live.get(id);
    return entry === undefined ? [] : [entry, ...this.#around(entry.outer)];
  }

  /** Ends a strict run, or one inside of it. Not at once: the request that is the reason is being refused. */
  #stop(entry: RunEntry, reason: string): void {
    entry.stopped(reason);
    setImmediate(() => this.#end(entry.run.id, 'PhantomMisplaced'));
  }

  /** Decides again, by the current rules, what is under way in every live run. */
  async rulesChanged(): Promise<void> {
    // Reads nothing that is stored: neither a vault nor a definition that fails may keep a rule from a run.
    for (const { run } of this.#live.values()) run.reauthorize();
  }

  /** Gives every live run the routes of the current definitions. */
  async providersChanged(): Promise<void> {
    await Promise.all([...this.#live.values()].map((entry) => this.#reroute(entry)));
  }

  async endAll(): Promise<void> {
    this.#directories.close();
    for (const id of [...this.#live.keys()]) this.#end(id, 'RunEnded');
    await Promise.all(this.#removals);
  }

  /** Resolves when there are no runs. */
  idle(): Promise<void> {
    if (this.#live.size === 0) return Promise.resolve();
    return new Promise<void>((resolve) => this.#waitingForIdle.push(resolve));
  }

  /** Throws `DeniedInRun` where a run is around the caller, but no longer live or never known here. */
  #outerRuns({ surrounding, command }: RunSpecification, tenant: Tenant): OuterRuns | undefined {
    if (surrounding === undefined) return undefined;
    const [id] = surrounding.live;
    if (id === undefined) {
      const message = 'not from inside a run that has ended, or is one of another home: starting another';
      const hint = askPerson(`authsome run -- ${shellWord(command)}`);
      throw new AuthsomeError('DeniedInRun', message, { hint });
    }
    const selections = surrounding.live.flatMap((each) => {
      const entry = this.#live.get(each);
      return entry === undefined ? [] : [entry.tenant === tenant ? entry.selected : []];
    });
    return { id, isTrusted: surrounding.isTrusted, selected: inAll(selections) };
  }

  #end(id: string, outcome: 'ok' | 'RunEnded' | 'PhantomMisplaced'): void {
    const entry = this.#live.get(id);
    if (entry === undefined) return;
    this.#live.delete(id);
    entry.run.end();
    const path = join(this.#options.directory, id);
    const removal = rm(path, { recursive: true, force: true }).catch(() => undefined);
    this.#removals.add(removal);
    void removal.then(() => this.#removals.delete(removal));
    entry.tenant.audit.append({ event: 'run.ended', identity: entry.caller.handle, run: id, outcome });
    this.#options.audits.end(id);
    entry.announceEnd();
    if (this.#live.size > 0) return;
    for (const wake of this.#waitingForIdle) wake();
    this.#waitingForIdle = [];
  }

  async #reroute(entry: RunEntry): Promise<void> {
    const { connections, catalog } = entry.tenant;
    const summaries = await connections.summaries();
    entry.selected = reselectConnections(entry.request, entry.selected, summaries);
    const wanted = usableConnections(entry.selected, catalog);
    await connections.phantoms.require(wanted.map(({ key }) => key));
    // A later change may have been quicker: what it selected must not be taken back.
    const usable = usableConnections(entry.selected, catalog);
    const routes = routeTableOf(usable, capturesFor(entry.request, catalog, entry));
    entry.run.replaceRoutes(routes, runPhantoms(connections.phantoms, usable));
  }
}
