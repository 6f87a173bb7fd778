/**
 * Who is at the other end of a loopback connection, where the system shows it: which user of this machine, and whether that
 * user is allowed; which process, its parents, and the runs that they show. Where it does not, other checks must
 * suffice: signatures, proxy credentials, one-time tickets, and what a caller says of itself.
 */
export { type Callers, type CallingProcess, createCallers } from './callers.ts';
export { descendsFromRun, lineageOf, type Relative } from './lineage.ts';
export { createPeers, type PeerCheck, type Peers } from './peers.ts';
export { type ProcessTable, procTable } from './process-table.ts';
export { runMarksIn } from './run-marks.ts';
