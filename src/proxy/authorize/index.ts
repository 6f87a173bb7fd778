/**
 * Authorizes one request, whatever its protocol: makes the decision, fetches the credential that it needs, and records
 * what was decided.
 */

export { authorize, type CredentialUse, type PendingRequest, reauthorize } from './authorize.ts';
export { failures } from './failures.ts';
export { misplacementOf } from './misplacement.ts';
export { RequestRecord } from './request-record.ts';
