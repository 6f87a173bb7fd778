import type { DecisionInput } from '../decide/index.ts';
import type { LiveRun } from '../runs/index.ts';

/** What decisions on the requests of a run are made by, as it is now. */
export function decisionInputOf({ spec, routes }: LiveRun): DecisionInput {
  return { identity: spec.identity, routes, decide: spec.decide };
}
