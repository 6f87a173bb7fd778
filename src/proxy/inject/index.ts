/**
 * The last moment: a parsed head, placements and a credential in, the head's new bytes out. Pure; the only place
 * that writes a secret on the wire.
 */
export { rewriteRequestHead } from './head.ts';
export { compileInjection, type InjectedFields, type Injection } from './injection.ts';
export { basicParts } from './placement-writers.ts';
export { placeParameter } from './query.ts';
export type { ForwardTarget } from './target.ts';
