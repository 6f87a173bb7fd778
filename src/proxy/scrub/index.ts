/**
 * A service that sends a secret back: what was injected is replaced by the run's phantom in the head and in textual
 * bodies of its answers, as they stream, without holding back more than the secret's own length.
 */
export { type Coding, codingsOf, isTextual, isTextualAt, unreadable } from './applies.ts';
export { type Outlet, ScrubbedBody } from './decoder.ts';
export type { Needles } from './needles.ts';
export { compileNeedles, noNeedles } from './spellings.ts';
