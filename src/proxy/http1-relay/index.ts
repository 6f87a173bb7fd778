/**
 * HTTP/1.1 on sockets: the connection of a client, the pooled connections to upstreams, and the session that relays
 * between the two what `http1/` decides.
 */

export { hostFieldOf, Origin, OriginRequest } from './origin.ts';
export { relay, relayIdleMs } from './relay.ts';
export { Http1Session, type RequestHandler } from './session.ts';
