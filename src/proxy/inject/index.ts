/**
 * Writes a credential into a request: a parsed head, placements and a secret in, the head's new bytes out. Pure; the
 * only room that writes a secret on the wire.
 */
export { compileRouteInjection, isUsable, type RouteInjection, type RoutePlaces } from './choices.ts';
export { rewriteRequestHead } from './head.ts';
export { compileInjection, type Fill, type InjectedFields, type Injection } from './injection.ts';
export { basicParts } from './placement-writers.ts';
export { parameterName, placeParameter } from './query.ts';
export { encodeInSegment } from './segment.ts';
export { isAt, isInTemplate, type PhantomSite } from './sites.ts';
export type { ForwardTarget } from './target.ts';
export { writtenTarget } from './written-target.ts';
