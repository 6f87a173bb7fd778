/**
 * May this request be made? A pure function: one request and an ordered list of rules in, one decision with its reason
 * out.
 */
export { compilePolicy, type Policy } from './decide.ts';
export { parseRules } from './parse.ts';
export type { PolicyDecision, PolicyRequest, Rule } from './rule.ts';
