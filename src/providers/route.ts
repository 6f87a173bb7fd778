import type { CaptureTable } from './capture.ts';
import type { HostPattern } from './host-pattern.ts';
import type { Placement } from './placement.ts';
import type { KeyShape, ProviderSource } from './provider.ts';

/** host (+ port, path prefix) → connection, and where the credential goes. */
export interface Route {
  /** Shown by `explain`, e.g. `github:api.github.com`. Unique in its table. */
  readonly id: string;
  readonly provider: string;
  /** Whose definition names the host. */
  readonly source: ProviderSource;
  readonly connection: string;
  /** Whether the connection's credential may go to this host. Otherwise requests to it are refused. */
  readonly isApproved: boolean;
  /** The provider's address, if not its usual one. */
  readonly baseUrl?: string | undefined;
  readonly pattern: HostPattern;
  readonly placements: readonly Placement[];
  /** Other lists of places, of which one is used instead where the phantom stands in it. */
  readonly alternatives?: readonly (readonly Placement[])[] | undefined;
  /** The first that the key matches decides; without one, `placements` do. */
  readonly shapes?: readonly KeyShape[] | undefined;
  /** A person named this very host (own definition or --base-url), so a private address is allowed. */
  readonly allowPrivateAddress: boolean;
  /** Responses that repeat the secret show the run's phantom instead. */
  readonly scrub: boolean;
}

/** An immutable snapshot: exact hosts in a map, then wildcards by label, then regexes. */
export interface RouteTable {
  readonly routes: readonly Route[];
  /** Endpoints whose sign-ins are taken over, if any. */
  readonly captures?: CaptureTable;
  /** Whether a tunnel to this host and port must be intercepted. */
  hasHost(host: string, port: number): boolean;
  /** The routes of a host that has none but unapproved ones; empty for any other host. */
  unapprovedAt(host: string, port: number): readonly Route[];
  /**
   * The route for a canonical host and a raw path (a query is ignored). The most specific wins: exact, wildcard
   * (longest), regex; then the longest prefix. A custom route wins only over its own provider's. A path that servers read in different ways is `refused` where the
   * readings lead to different routes, a traversal on every host of the table.
   *
   * Of several connections of one provider, only the first that is listed takes part: it is the provider's default.
   */
  match(host: string, port: number, path: string): MatchResult;
  /** The routes of this connection (`provider/connection`) alone; `undefined` if it has none. */
  forConnection(connection: string): ConnectionRoutes | undefined;
}

/** A table in which all routes take part alike. */
export type OneTable = Pick<RouteTable, 'routes' | 'hasHost' | 'unapprovedAt' | 'match'>;

/** The same for the routes of one connection: never `ambiguous`. */
export type ConnectionRoutes = Pick<RouteTable, 'routes' | 'hasHost' | 'match'>;

export type MatchResult =
  | { readonly kind: 'route'; readonly route: Route; readonly considered: readonly Route[] }
  | { readonly kind: 'none'; readonly considered: readonly Route[] }
  /** Two connections match equally well, or a custom one matches what another matches too: refused, never guessed. */
  | { readonly kind: 'ambiguous'; readonly routes: readonly Route[]; readonly considered: readonly Route[] }
  /** Only routes match that the credential may not take yet. */
  | { readonly kind: 'unapproved'; readonly routes: readonly Route[]; readonly considered: readonly Route[] }
  /** `malformed`: no path at all. `path_traversal`, `path_ambiguous`: it may normalize to somewhere else. */
  | {
      readonly kind: 'refused';
      readonly reason: 'malformed' | 'path_traversal' | 'path_ambiguous';
      readonly considered: readonly Route[];
    };

type Places = Pick<Route, 'placements' | 'alternatives' | 'shapes'>;

/**
 * Where this secret goes on this route, decided by its shape, once for each credential: lists of places, of which
 * a request uses one, the usual one first.
 */
export function placementsFor(
  { placements, alternatives = [], shapes }: Places,
  secret: string,
): readonly (readonly Placement[])[] {
  const shape = shapes?.find(({ pattern }) => pattern.test(secret));
  return shape === undefined ? [placements, ...alternatives] : [shape.placements];
}

/** Every place in which a phantom may be on this route. */
export function placesOf({ placements, alternatives = [], shapes = [] }: Places): readonly Placement[] {
  return [...placements, ...alternatives.flat(), ...shapes.flatMap((shape) => shape.placements)];
}
