/**
 * The hearing of one request, whatever its protocol: the judgement, the credential that it needs, and the record of
 * what was decided.
 */

export { type Grant, hear, hearAgain, type Petition } from './authorize.ts';
export { failures, perhapsAgain } from './failures.ts';
export { Docket } from './request-record.ts';
