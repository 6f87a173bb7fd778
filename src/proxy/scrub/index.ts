/**
 * A service that sends a secret back: what was injected is replaced by the run's phantom in the head and in textual
 * bodies of its answers, as they stream, without holding back more than the secret's own length.
 */
export { type Coding, codingsOf, isTextual, unreadable } from './applies.ts';
export { type Outlet, ScrubbedBody } from './decoder.ts';
export { compileNeedles } from './needles.ts';
export { holds, type Needle, replaceAll } from './scrubber.ts';
