/**
 * Finds a run's phantoms in what its agent sends, whichever way they are spelled: as they are, percent-encoded, escaped as in
 * JSON, or in base64. Pure; what a phantom may do where it was found is decided elsewhere.
 */
export { type FoundPhantom, type PhantomCursor, PhantomFinder } from './finder.ts';
export { phantomsInHead, phantomsInHeaders, phantomsInTrailers, withoutPhantoms } from './heads.ts';
export { type NamedPlace, type PhantomPlace, type PlacedPhantom, placeText } from './place.ts';
