import { foldHeaderName, type Placement } from '../../providers/index.ts';
import { type ContentPlace, contentPlacesOf, isSamePlace } from '../content/index.ts';

/** From `start` to `end` of a path as it was sent. */
export interface PathRange {
  readonly path: string;
  readonly start: number;
  readonly end: number;
}

/** Where in a request a phantom of the route's own connection stands. */
export type PhantomSite =
  /** `name`: in any spelling. `value`: all of the field's. `phantom`: as it is, not as it is spelled there. */
  | { readonly kind: 'header'; readonly name: string; readonly value: string; readonly phantom: string }
  /** `name`: decoded. */
  | { readonly kind: 'query'; readonly name: string }
  | ({ readonly kind: 'path' } & PathRange)
  /** All of the value in that place of the body. */
  | { readonly kind: 'body'; readonly at: ContentPlace };

/**
 * How well a phantom there fits a place, 0 if it is somewhere else. In a header the whole form counts first (`Bearer `,
 * `Basic `): lists of places may differ in nothing else. In a path or a body it counts most: there it cannot be removed.
 */
export function fitOf(placement: Placement, site: PhantomSite): 0 | 1 | 2 | 3 {
  switch (placement.kind) {
    case 'header': {
      if (site.kind !== 'header' || foldHeaderName(site.name) !== foldHeaderName(placement.name)) return 0;
      const { prefix } = placement;
      const hasPrefix = site.value.slice(0, prefix.length).toLowerCase() === prefix.toLowerCase();
      return hasPrefix && site.value.slice(prefix.length) === site.phantom ? 2 : 1;
    }
    case 'basic':
      if (site.kind !== 'header' || foldHeaderName(site.name) !== 'authorization') return 0;
      return /^basic /i.test(site.value) ? 2 : 1;
    case 'query':
      return site.kind === 'query' && site.name === placement.name ? 2 : 0;
    case 'path':
      return site.kind === 'path' && isInTemplate(placement.template, site) ? 3 : 0;
    case 'body':
      return site.kind === 'body' && isAt([placement], site.at) ? 3 : 0;
    case 'websocket':
      return 0;
  }
}

/** Whether one of these placements is in this place of a body. */
export function isAt(placements: readonly Placement[], place: ContentPlace): boolean {
  return contentPlacesOf('body', placements).some((own) => isSamePlace(own, place));
}

/** Whether the path begins with the template's segments, with the phantom alone where it has `{secret}`. */
export function isInTemplate(template: string, { path, start, end }: PathRange): boolean {
  const [before = '', after = ''] = template.split('{secret}');
  const rest = after.endsWith('/') ? after.slice(0, -1) : after;
  if (start !== before.length || !path.startsWith(before) || !path.startsWith(rest, end)) return false;
  const next = end + rest.length;
  return next === path.length || path.charCodeAt(next) === 0x2f;
}
