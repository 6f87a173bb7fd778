/**
 * HTTP/1.1 on sockets: the connection of a client, the pooled connections to upstreams, and the exchange that relays
 * between the two what `http1/` decides.
 */
export { type Court, Exchange } from './exchange.ts';
export { hostFieldOf, Origin, OriginRequest } from './origin.ts';
export { relay, relaySilenceMs } from './relay.ts';
export { UpstreamPool } from './upstream.ts';
