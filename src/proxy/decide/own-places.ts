import { foldHeaderName, type Placement, placesOf, type Route } from '../../providers/index.ts';
import { type ContentPlace, contentPlacesOf, isSamePlace } from '../content/index.ts';
import { isInTemplate } from '../inject/index.ts';
import { type NamedPlace, type PhantomPlace, placeText } from '../phantoms/index.ts';

/** The parts of a request in which a route takes a phantom of its connection. */
interface OwnPlaces {
  readonly headers: ReadonlySet<string>;
  readonly parameters: ReadonlySet<string>;
  /** Of paths. */
  readonly templates: readonly string[];
  readonly body: readonly ContentPlace[];
  readonly hasMessage: boolean;
}

const known = new WeakMap<Route, OwnPlaces>();

/**
 * Whether the route takes a phantom there. A header counts as a whole, whatever is around the phantom: `Bearer`, the `token`
 * of older clients, a user name in `Basic`. All of it is replaced. `path`: that of the request.
 */
export function takesPhantom(route: Route, place: PhantomPlace, path: string): boolean {
  const places = ownPlacesOf(route);
  switch (place.kind) {
    case 'header':
      return places.headers.has(place.name);
    case 'query':
      return place.name !== undefined && places.parameters.has(place.name);
    case 'path':
      return places.templates.some((template) => isInTemplate(template, { path, ...place }));
    case 'body': {
      const { at } = place;
      return at !== undefined && places.body.some((own) => isSamePlace(own, at));
    }
    default:
      return false;
  }
}

/** Where a phantom can go on this route: `the header authorization or the query parameter key`. */
export function ownPlacesText(route: Route): string {
  const { headers, parameters, templates, body, hasMessage } = ownPlacesOf(route);
  const places: readonly NamedPlace[] = [
    ...[...headers].map((name) => ({ kind: 'header', name }) as const),
    ...[...parameters].map((name) => ({ kind: 'query', name }) as const),
    ...templates.map((template) => ({ kind: 'path', template }) as const),
    ...body.map((at) => ({ kind: 'body', at }) as const),
    ...(hasMessage ? [{ kind: 'message' } as const] : []),
  ];
  return [...new Set(places.map(placeText))].join(' or ');
}

function ownPlacesOf(route: Route): OwnPlaces {
  const before = known.get(route);
  if (before !== undefined) return before;
  const all = placesOf(route);
  const places = {
    headers: new Set(all.flatMap(headersOf).map(foldHeaderName)),
    parameters: new Set(all.flatMap((placement) => (placement.kind === 'query' ? [placement.name] : []))),
    templates: all.flatMap((placement) => (placement.kind === 'path' ? placement.template : [])),
    body: contentPlacesOf('body', all),
    hasMessage: all.some(({ kind }) => kind === 'websocket'),
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
