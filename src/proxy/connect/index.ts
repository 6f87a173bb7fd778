/**
 * Accepts connections to the proxy's port: CONNECT and absolute-form targets, blind tunnels, and TLS termination with the
 * run's certificates. The relays carry the requests inside.
 */
export { admit } from './gateway.ts';
