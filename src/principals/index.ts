/**
 * Who owns what: principals, the identities that belong to them, and the services of each (its vault, its connections and
 * its sign-ins).
 */
export { type Caller, Principals } from './principals.ts';
export { randomId } from './random-id.ts';
export { createTenants, currentCaller, type Tenant, type Tenants } from './tenants.ts';
