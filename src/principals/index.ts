/**
 * Who owns what: principals, the identities that belong to them, and each one's tenant: its vault, connections, sign-ins,
 * catalog, rules and events.
 */
export { type Caller, Principals } from './principals.ts';
export { type ProviderRemoval, removeProvider } from './provider-removal.ts';
export { randomId } from './random-id.ts';
export { createTenants, currentCaller, type Tenant, type Tenants } from './tenants.ts';
