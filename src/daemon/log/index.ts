/**
 * The log of the daemon, in one file that is bounded in size. What is logged is built from safe fields.
 */
export { failureFields, failureLog, type Log, openLog, unexpectedFields } from './log.ts';
