/**
 * What to do with one request: its target held against the tunnel's authority, the routes and the policy. Pure; the
 * judgement, its trace and the record that the audit keeps of it.
 */

export {
  type DecisionInput,
  decide,
  type Refusal,
  type RequestFacts,
  refuse,
  type Trace,
  targetWithin,
} from './decision.ts';
export { createDecisionIds, decisionEvent } from './decision-event.ts';
