/**
 * Credentials that work now: held in memory for the proxy, refreshed ahead of their expiry, one refresh at a time.
 */
export type { CredentialSource } from './credential.ts';
export { type CredentialCache, createCredentialCache } from './credential-cache.ts';
export { withGrant } from './grant-lease.ts';
export type { GrantRefresh, RefreshOf } from './grant-refresh.ts';
export { type RefreshSchedule, startRefreshSchedule } from './refresh-schedule.ts';
export { isFinal } from './unusable-connection.ts';
