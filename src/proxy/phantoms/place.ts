import type { ContentPlace } from '../content/index.ts';
import type { RunPhantom } from '../contract.ts';

/** Where in a request a phantom is. */
export type PhantomPlace =
  /** In a field's value. `name` is in lower case, with `-` for `_`. */
  | { readonly kind: 'header'; readonly name: string }
  /** In the value of the parameter with this decoded name; `undefined` for anywhere else in the query. */
  | { readonly kind: 'query'; readonly name: string | undefined }
  | { readonly kind: 'path' }
  | { readonly kind: 'method' }
  | { readonly kind: 'header-name' }
  /** `at`: it is all of the value in this place. Otherwise `why` may say what keeps it from being in one. */
  | { readonly kind: 'body'; readonly at?: ContentPlace; readonly why?: string }
  | { readonly kind: 'message'; readonly why?: string };

export interface PlacedPhantom {
  readonly phantom: RunPhantom;
  readonly place: PhantomPlace;
}

/** Longer or stranger names are not repeated: an agent chooses them, and they go on record. */
const shownName = /^[\w.\-[\]$~]{1,64}$/;

/** The place as people read it, without anything of what is there. */
export function placeText(place: PhantomPlace): string {
  switch (place.kind) {
    case 'header':
      return shownName.test(place.name) ? `the header ${place.name}` : 'a header';
    case 'query':
      return place.name !== undefined && shownName.test(place.name)
        ? `the query parameter ${place.name}`
        : 'the query';
    case 'path':
      return 'the path';
    case 'method':
      return 'the method';
    case 'header-name':
      return "a header's name";
    case 'body':
      return bodyText(place.at);
    case 'message':
      return 'a WebSocket message';
  }
}

/** What a definition names. */
function bodyText(at: ContentPlace | undefined): string {
  switch (at?.kind) {
    case 'pointer':
      return `the JSON body at ${at.pointer}`;
    case 'field':
      return `the form field ${at.field}`;
    default:
      return 'the body';
  }
}
