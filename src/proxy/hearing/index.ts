/**
 * The hearing of one request, whatever its protocol: the judgement, the credential that it needs, and the record of
 * what was decided.
 */
export { Docket } from './docket.ts';
export { failures, perhapsAgain } from './failures.ts';
export { type Grant, hear, hearAgain, type Petition } from './hearing.ts';
