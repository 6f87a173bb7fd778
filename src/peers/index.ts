/**
 * Which user of this machine is at the other end of a loopback connection, where the system shows it, and whether that
 * user is allowed. Where it does not, other checks must suffice: signatures, proxy credentials, one-time tickets.
 */
export { createPeers, type PeerCheck, type Peers } from './peers.ts';
