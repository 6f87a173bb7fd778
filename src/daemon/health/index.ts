/**
 * What `doctor` and `/ready` ask: checks of the home, the stores, the network and the clock.
 */
export { doctorDocument, readyDocument } from './checks.ts';
export { doctorChecks } from './doctor.ts';
