/**
 * The services that the demo and the end-to-end tests sign in to: a real OAuth 2 authorization server and a real HTTPS
 * API on loopback, with certificates from a throwaway CA. No part of the product.
 */
export type { ReceivedRequest } from './api.ts';
export { createThrowawayCa, type ThrowawayCa } from './certificates.ts';
export { acme, pixel } from './definitions.ts';
export { hosts, type Service, type ServiceOptions, startService } from './service.ts';
