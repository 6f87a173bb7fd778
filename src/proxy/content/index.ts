/**
 * Values within the content of a request: where a JSON pointer (RFC 6901) or a field of a form leads, and another text
 * put in that one place, with every other byte as it was. Pure; it reads hostile input, within bounds.
 */
export { type Filled, fill } from './fill.ts';
export { type ContentKind, contentKind } from './kind.ts';
export { type ContentPlace, locate } from './place.ts';
export { contentPlacesOf, isSamePlace } from './placement.ts';
export { type Found, type Standing, standingsIn } from './standing.ts';
