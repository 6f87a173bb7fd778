import type { AuthsomeError } from '../../errors.ts';
import {
  type Placement,
  placementsFor,
  placesOf,
  type Route,
  type RouteTable,
} from '../../providers/index.ts';
import type { CertificateAuthority } from '../ca/index.ts';
import type { Credential, RunPhantom, RunSpec } from '../contract.ts';
import type { RequestFacts } from '../decide/index.ts';
import { compileRouteInjection, type RouteInjection } from '../inject/index.ts';
import type { Needles } from '../needles/index.ts';
import { PhantomFinder } from '../phantoms/index.ts';
import { compileNeedles, noNeedles } from '../scrub/index.ts';

/** Something open for a run: a tunnel, a request, a connection to an upstream. */
export interface Live {
  /** The `provider/connection` whose credential it carries now. */
  readonly connection: string | undefined;
  /** The request that it carries, if any. */
  readonly facts?: RequestFacts | undefined;
  /** Records `why`, unless the end is recorded elsewhere. */
  cut(why?: AuthsomeError): void;
}

interface Joined {
  readonly newest: Credential;
  readonly needles: Needles;
}

/** What requests on a route need, made once for each route. */
export interface CompiledRoute {
  readonly route: Route;
  /** `provider/connection`. */
  readonly connection: string;
  /** Every place in which a phantom may be. */
  readonly places: readonly Placement[];
  readonly injections: WeakMap<Credential, RouteInjection>;
  readonly needles: WeakMap<Credential, Needles>;
  /** With those of the credentials before and after it. */
  readonly joined: WeakMap<Credential, Joined>;
}

/** A run as the proxy sees it: its current routes, its CA, and what is open for it. */
export class LiveRun {
  readonly spec: RunSpec;
  readonly authority: CertificateAuthority;
  ended = false;
  #routes: RouteTable;
  #phantoms: readonly RunPhantom[];
  readonly #live = new Set<Live>();
  #compiled = new WeakMap<Route, CompiledRoute>();
  #finder: PhantomFinder | undefined;

  constructor(spec: RunSpec, authority: CertificateAuthority) {
    this.spec = spec;
    this.authority = authority;
    this.#routes = spec.routes;
    this.#phantoms = spec.phantoms;
  }

  get routes(): RouteTable {
    return this.#routes;
  }

  replaceRoutes(routes: RouteTable, phantoms: readonly RunPhantom[]): void {
    this.#routes = routes;
    this.#phantoms = phantoms;
    // What was made for a route contains its connection's phantom.
    this.#compiled = new WeakMap();
    this.#finder = undefined;
  }

  /** Finds the run's phantoms; compiled at the first request. */
  get finder(): PhantomFinder {
    this.#finder ??= new PhantomFinder(this.#phantoms);
    return this.#finder;
  }

  add(live: Live): void {
    if (this.ended) live.cut();
    else this.#live.add(live);
  }

  remove(live: Live): void {
    this.#live.delete(live);
  }

  compiled(route: Route): CompiledRoute {
    const known = this.#compiled.get(route);
    if (known !== undefined) return known;
    const compiled = {
      route,
      connection: `${route.provider}/${route.connection}`,
      places: placesOf(route),
      injections: new WeakMap(),
      needles: new WeakMap(),
      joined: new WeakMap(),
    };
    this.#compiled.set(route, compiled);
    return compiled;
  }

  /** What this credential adds to requests, made once; `undefined` if the route cannot carry it. */
  injectionFor(route: Route, credential: Credential): RouteInjection | undefined {
    const { injections, places } = this.compiled(route);
    const known = injections.get(credential);
    if (known !== undefined) return known;
    const { secret } = credential;
    const lists = placementsFor(route, secret);
    const injection = compileRouteInjection({ lists, all: places }, secret, route.scrub);
    if (injection !== undefined) injections.set(credential, injection);
    return injection;
  }

  /**
   * What responses on this route must not contain, to a request that carried this credential: that, the one that it
   * replaced, which may still work, and the one that has replaced it.
   */
  needlesFor(route: Route, credential: Credential): Needles {
    const compiled = this.compiled(route);
    if (credential.newer === undefined && credential.older === undefined) {
      return this.#ownNeedles(compiled, credential);
    }
    let newest = credential;
    while (newest.newer !== undefined) newest = newest.newer;
    const { older } = newest;
    const key = older === credential ? newest : credential;
    const known = compiled.joined.get(key);
    if (known?.newest === newest) return known.needles;
    let needles = this.#ownNeedles(compiled, newest);
    if (older !== undefined) needles = needles.and(this.#ownNeedles(compiled, older));
    if (key !== newest) needles = needles.and(this.#ownNeedles(compiled, credential));
    compiled.joined.set(key, { newest, needles });
    return needles;
  }

  /** Made once for each credential. */
  #ownNeedles({ route, needles, connection }: CompiledRoute, credential: Credential): Needles {
    const known = needles.get(credential);
    if (known !== undefined) return known;
    const made = route.scrub
      ? compileNeedles(
          placementsFor(route, credential.secret).flat(),
          credential.secret,
          this.#phantoms.find((phantom) => phantom.connection === connection)?.value,
        )
      : noNeedles;
    needles.set(credential, made);
    return made;
  }

  /** Cuts everything: the run has ended. */
  cut(): void {
    for (const live of [...this.#live]) live.cut();
  }

  /** Cuts what carries this connection's credential. */
  cutConnection(connection: string, why: AuthsomeError): void {
    for (const live of [...this.#live]) if (live.connection === connection) live.cut(why);
  }

  /** Requests in progress that carry a credential. */
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
