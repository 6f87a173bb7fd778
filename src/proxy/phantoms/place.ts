import type { ContentPlace } from '../content/index.ts';
import type { RunPhantom } from '../contract.ts';

/** Where in a request a phantom is. */
export type PhantomPlace =
  /** In a field's value. `name` is in lower case, with `-` for `_`; `value` is all of it, and never shown. */
  | { readonly kind: 'header'; readonly name: string; readonly value: string }
  /** In the value of the parameter with this decoded name; `undefined` for anywhere else in the query. */
  | { readonly kind: 'query'; readonly name: string | undefined }
  /** From `start` to `end` of the path as it was sent, without the scheme and host of an absolute target. */
  | { readonly kind: 'path'; readonly start: number; readonly end: number }
  | { readonly kind: 'method' }
  | { readonly kind: 'header-name' }
  /** In the name or the value of a field after the content. */
  | { readonly kind: 'trailer' }
  /** `at`: it is all of the value in this place. Otherwise `why` may say what keeps it from being in one. */
  | { readonly kind: 'body'; readonly at?: ContentPlace; readonly why?: string }
  | { readonly kind: 'message'; readonly why?: string };

export interface PlacedPhantom {
  readonly phantom: RunPhantom;
  readonly place: PhantomPlace;
}

/** What of a place people read. */
export type NamedPlace =
  | { readonly kind: 'header' | 'query'; readonly name: string | undefined }
  | { readonly kind: 'path'; readonly template?: string }
  | { readonly kind: 'body'; readonly at?: ContentPlace }
  | { readonly kind: 'method' | 'header-name' | 'trailer' | 'message' };

/** Longer or stranger names are not repeated: an agent chooses them, and they go on record. */
const shownName = /^[\w.\-[\]$~]{1,64}$/;

/** The place as people read it, without anything of what is there. */
export function placeText(place: NamedPlace): string {
  switch (place.kind) {
    case 'header':
      return place.name !== undefined && shownName.test(place.name) ? `the header ${place.name}` : 'a header';
    case 'query':
      return place.name !== undefined && shownName.test(place.name)
        ? `the query parameter ${place.name}`
        : 'the query';
    case 'path':
      return place.template === undefined ? 'the path' : `the path ${place.template}`;
    case 'method':
      return 'the method';
    case 'header-name':
      return "a header's name";
    case 'trailer':
      return 'a trailer field';
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
