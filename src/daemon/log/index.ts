/**
 * The daemon's log, bounded in size. What is logged is built from safe fields.
 */
export { failureLog, type Log, openLog, unexpectedFields } from './log.ts';
