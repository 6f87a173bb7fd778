/**
 * A run, from the connections it selects to its end: its routes and phantoms, its directory with the CA bundle, and how
 * its decisions reach the audit trail.
 */
export { createDecisionSink } from './decision-sink.ts';
export type { RunSpecification } from './live-run.ts';
export { createRoots } from './roots.ts';
export { RunAudits } from './run-audits.ts';
export { removeStaleRuns } from './run-directory.ts';
export { Runs } from './runs.ts';
