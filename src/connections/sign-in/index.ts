/**
 * Signing in, from the first request to a stored connection: sessions that survive a restart, what a person still has to
 * do, and the flows that get the tokens.
 */
export { allFlows, type FlowTable, refreshOf } from './flows/index.ts';
export { createSignIns } from './sign-ins.ts';
