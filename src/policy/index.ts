/**
 * May they? A pure judgement: one request and an ordered list of rules in, one verdict with its reason out.
 */
export type { PolicyRequest, Rule, Verdict } from './rule.ts';
