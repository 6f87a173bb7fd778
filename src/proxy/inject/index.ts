/**
 * Writes a credential into a request: a parsed head, placements and a secret in, the head's new bytes out. Pure; the
 * only room that writes a secret on the wire.
 */
export { rewriteRequestHead } from './head.ts';
export { compileInjection, type InjectedFields, type Injection } from './injection.ts';
export { basicParts } from './placement-writers.ts';
export { parameterName, placeParameter } from './query.ts';
export type { ForwardTarget } from './target.ts';
