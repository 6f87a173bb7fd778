/**
 * Programs that sign in by themselves: what their services grant is stored as a connection, they get phantoms, and every
 * refresh of theirs goes through the connection's one refresher.
 */
export { storeGrant } from './captured-grant.ts';
export type { ProgramSignIns } from './contract.ts';
export { programPhantoms } from './program-phantoms.ts';
export { createProgramSignIns } from './program-sign-ins.ts';
