/**
 * Who owns what: principals, the identities that belong to them, and the services of each (its vault, its connections and
 * its sign-ins).
 */
export { createDesks, currentCaller, type Desk, type Desks } from './principal-services.ts';
export { type Caller, Principals } from './principals.ts';
export { randomId } from './random-id.ts';
