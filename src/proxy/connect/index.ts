/**
 * From an accepted connection to requests: CONNECT and absolute-form targets, blind tunnels, and TLS termination with the
 * run's certificates. What the requests in a tunnel become is for the relays.
 */
export { admit } from './gateway.ts';
