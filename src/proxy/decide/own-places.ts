import { foldHeaderName, type Placement, type Route } from '../../providers/index.ts';
import { type PhantomPlace, placeText } from '../phantoms/index.ts';

/** The parts of a request in which a route takes a phantom of its connection. */
interface OwnPlaces {
  readonly headers: ReadonlySet<string>;
  readonly parameters: ReadonlySet<string>;
  readonly hasPath: boolean;
}

const known = new WeakMap<Route, OwnPlaces>();

/**
 * Whether the route takes a phantom there. A header counts as a whole, whatever is around the phantom: `Bearer`, the `token`
 * of older clients, a user name in `Basic`. All of it is replaced.
 */
export function takesPhantom(route: Route, place: PhantomPlace): boolean {
  const places = placesOf(route);
  switch (place.kind) {
    case 'header':
      return places.headers.has(place.name);
    case 'query':
      return place.name !== undefined && places.parameters.has(place.name);
    case 'path':
      return places.hasPath;
    default:
      return false;
  }
}

/** Where a phantom can go on this route: `the header authorization or the query parameter key`. */
export function ownPlacesText(route: Route): string {
  const { headers, parameters, hasPath } = placesOf(route);
  const places: readonly PhantomPlace[] = [
    ...[...headers].map((name) => ({ kind: 'header', name }) as const),
    ...[...parameters].map((name) => ({ kind: 'query', name }) as const),
    ...(hasPath ? [{ kind: 'path' } as const] : []),
  ];
  return [...new Set(places.map(placeText))].join(' or ');
}

function placesOf(route: Route): OwnPlaces {
  const before = known.get(route);
  if (before !== undefined) return before;
  const { placements, alternatives = [], shapes = [] } = route;
  const all = [placements, ...alternatives, ...shapes.map((shape) => shape.placements)].flat();
  const places = {
    headers: new Set(all.flatMap(headersOf).map(foldHeaderName)),
    parameters: new Set(all.flatMap((placement) => (placement.kind === 'query' ? [placement.name] : []))),
    hasPath: all.some(({ kind }) => kind === 'path'),
  };
  known.set(route, places);
  return places;
}

function headersOf(placement: Placement): readonly string[] {
  switch (placement.kind) {
    case 'header':
      return [placement.name, ...(placement.instead ?? [])];
    case 'basic':
      return ['authorization'];
    default:
      return [];
  }
}
