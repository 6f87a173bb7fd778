/**
 * Which user of this machine is at the other end of a loopback connection, where the system tells, and whether that user
 * may be here. Where it does not tell, other walls have to do: signatures, proxy credentials, one-time tickets.
 */
export { createPeers, type PeerCheck, type Peers } from './peers.ts';
