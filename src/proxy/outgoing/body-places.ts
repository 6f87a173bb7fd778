import { placesOf, type Route, type RouteTable } from '../../providers/index.ts';
import { type ContentPlace, contentPlacesOf, isSamePlace } from '../content/index.ts';

interface PlacedRoute {
  readonly route: Route;
  readonly places: readonly ContentPlace[];
}

const known = new WeakMap<RouteTable, readonly PlacedRoute[]>();
const none: readonly ContentPlace[] = [];

/** The places in bodies that routes of this host declare, whatever their connection: a phantom there chooses one. */
export function bodyPlacesAt(
  table: RouteTable,
  { host, port, path }: { readonly host: string; readonly port: number; readonly path: string },
): readonly ContentPlace[] {
  const placed = known.get(table) ?? placedRoutesOf(table);
  // A captured request is read by whoever answers it.
  if (placed.length === 0 || table.captures?.match(host, port, path) !== undefined) return none;
  const places: ContentPlace[] = [];
  for (const { route, places: own } of placed) {
    const { pattern } = route;
    // A wildcard may cover the host: then the body is collected in vain, and no more.
    if (pattern.port !== port || (pattern.kind === 'exact' && pattern.host !== host)) continue;
    for (const place of own) if (!places.some((other) => isSamePlace(place, other))) places.push(place);
  }
  return places;
}

function placedRoutesOf(table: RouteTable): readonly PlacedRoute[] {
  const placed = table.routes
    .map((route) => ({ route, places: contentPlacesOf('body', placesOf(route)) }))
    .filter(({ places }) => places.length > 0);
  known.set(table, placed);
  return placed;
}
