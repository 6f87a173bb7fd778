/**
 * HTTP/1.1 on sockets: a client's session, which carries out what the machine in `http1/` asks for, the requests to https
 * origins, and the removal of secrets from responses.
 */

export { hostFieldOf, Origin, OriginRequest } from './origin.ts';
export { relay, relayIdleMs } from './relay.ts';
export { Http1Session, type RequestHandler } from './session.ts';
