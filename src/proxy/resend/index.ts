/**
 * When a request may go to an upstream a second time, in one policy for both protocols: after a connection that did not
 * process it, and after a 401 with a newer credential. Each happens once at most.
 */
export { mayRenew, mayRetry } from './policy.ts';
export { Replay } from './replay.ts';
