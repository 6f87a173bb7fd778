/**
 * A run, from the connections it selects to its end: its routes and phantoms, its directory with the CA bundle, and how
 * its decisions reach the audit trail.
 */

export type { RunOverrides, RunSpecification } from './contract.ts';
export { createDecisionSink } from './decision-sink.ts';
export type { DecisionPreview, RunPreview } from './preview.ts';
export { createRoots } from './roots.ts';
export { RunAudits } from './run-audits.ts';
export { removeStaleRuns } from './run-directory.ts';
export { Runs } from './runs.ts';
export type { Position, Surrounding } from './surrounding.ts';
