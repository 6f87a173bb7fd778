/**
 * The thin shell: listening, CONNECT, blind tunnels, TLS termination and the connections to upstreams. It moves bytes
 * and holds sockets; what they mean is decided in the rooms beside it.
 */
export { startProxy } from './server.ts';
