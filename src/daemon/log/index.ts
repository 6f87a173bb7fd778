/**
 * The daemon's log, bounded in size. What is logged is built from safe fields.
 */
export { failureFields, failureLog, type Log, openLog, unexpectedFields } from './log.ts';
