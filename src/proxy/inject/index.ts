/**
 * The last moment: a parsed head, placements and a credential in, the head's new bytes out. Pure; the only place
 * that writes a secret on the wire.
 */
export { type ForwardTarget, rewriteRequestHead } from './head.ts';
export { basicParts, compileInjection, foldName, type Injection } from './injection.ts';
export { placeParameter } from './query.ts';
