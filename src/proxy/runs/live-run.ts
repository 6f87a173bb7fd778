import type { AuthsomeError } from '../../errors.ts';
import type { Route, RouteTable } from '../../providers/index.ts';
import type { CertificateAuthority } from '../ca/index.ts';
import type { Credential, RunSpec } from '../contract.ts';
import type { RequestFacts } from '../decide/index.ts';
import { compileInjection, type Injection } from '../inject/index.ts';
import { compileNeedles, type Needles, noNeedles } from '../scrub/index.ts';

/** Something open on behalf of a run: a tunnel, an exchange, a connection to an upstream. */
export interface Live {
  /** `provider/connection` whose credential it carries now. */
  readonly connection: string | undefined;
  /** The request that it is about, where it is about one. */
  readonly facts?: RequestFacts | undefined;
  /** `why` goes on record, where it is not told elsewhere already. */
  cut(why?: AuthsomeError): void;
}

/** What a request on this route needs, made once a route. */
export interface RouteUse {
  /** `provider/connection`. */
  readonly connection: string;
  readonly injections: WeakMap<Credential, Injection>;
  readonly needles: WeakMap<Credential, Needles>;
}

/** One run as the proxy sees it: the snapshot of its routes, its CA, and what is open on its behalf. */
export class LiveRun {
  readonly spec: RunSpec;
  readonly authority: CertificateAuthority;
  routes: RouteTable;
  ended = false;
  readonly #live = new Set<Live>();
  readonly #uses = new WeakMap<Route, RouteUse>();

  constructor(spec: RunSpec, authority: CertificateAuthority) {
    this.spec = spec;
    this.authority = authority;
    this.routes = spec.routes;
  }

  add(live: Live): void {
    if (this.ended) live.cut();
    else this.#live.add(live);
  }

  remove(live: Live): void {
    this.#live.delete(live);
  }

  use(route: Route): RouteUse {
    const known = this.#uses.get(route);
    if (known !== undefined) return known;
    const use = {
      connection: `${route.provider}/${route.connection}`,
      injections: new WeakMap(),
      needles: new WeakMap(),
    };
    this.#uses.set(route, use);
    return use;
  }

  /** The field lines for this credential, made once; `undefined` where the route cannot carry it. */
  injectionFor(route: Route, credential: Credential): Injection | undefined {
    const { injections } = this.use(route);
    const known = injections.get(credential);
    if (known !== undefined) return known;
    const injection = compileInjection(route.placements, credential.secret, route.scrub);
    if (injection !== undefined) injections.set(credential, injection);
    return injection;
  }

  /** What must not come back to the agent in responses on this route, made once a credential. */
  needlesFor(route: Route, credential: Credential): Needles {
    const { needles, connection } = this.use(route);
    const known = needles.get(credential);
    if (known !== undefined) return known;
    const made = route.scrub
      ? compileNeedles(route.placements, credential.secret, this.spec.phantomFor?.(connection))
      : noNeedles;
    needles.set(credential, made);
    return made;
  }

  /** Cuts everything: the run is over. */
  cut(): void {
    for (const live of [...this.#live]) live.cut();
  }

  /** Cuts what carries this connection's credential. */
  cutConnection(connection: string, why: AuthsomeError): void {
    for (const live of [...this.#live]) if (live.connection === connection) live.cut(why);
  }

  /** Requests under way that carry a credential. */
  carrying(): readonly { readonly live: Live; readonly connection: string; readonly facts: RequestFacts }[] {
    return [...this.#live].flatMap((live) => {
      const { connection, facts } = live;
      return connection === undefined || facts === undefined ? [] : [{ live, connection, facts }];
    });
  }

  get liveCount(): number {
    return this.#live.size;
  }
}
