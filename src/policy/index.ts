/**
 * May they? A pure judgement: one request and an ordered list of rules in, one verdict with its reason out.
 */
export { compilePolicy, type Policy } from './decide.ts';
export { parseRules } from './parse.ts';
export type { PolicyRequest, Rule, Verdict } from './rule.ts';
