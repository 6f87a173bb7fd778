/**
 * The ways to sign in, one file each, and the table of them. A flow asks and decides; it stores nothing.
 */
export type { Flow, FlowContext, FlowTable, OauthFlow, SecretFlow } from './flow.ts';
export { allFlows, refreshOf } from './flows.ts';
