/**
 * The hearing of one request, whatever its protocol: the judgement, the credential that it needs, and the record of
 * what was decided.
 */

export { authorize, type CredentialUse, type PendingRequest, reauthorize } from './authorize.ts';
export { failures } from './failures.ts';
export { RequestRecord } from './request-record.ts';
