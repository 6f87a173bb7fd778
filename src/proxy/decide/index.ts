/**
 * Decides on one request by the tunnel's authority, the routes and the policy. Pure: the decision, its trace, and the
 * audit event that records it.
 */

export { decide } from './by-phantom.ts';
export { decideCapture } from './capture.ts';
export {
  type Decision,
  type DecisionInput,
  notApproved,
  type Refusal,
  type RequestFacts,
  refuse,
  type Trace,
  targetWithin,
} from './decision.ts';
export { createDecisionIds, decisionEvent } from './decision-event.ts';
export { type Misplacement, phantomMisplaced } from './misplaced.ts';
export { plainToRoute, unrouted } from './unrouted.ts';
