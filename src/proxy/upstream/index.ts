/**
 * How a run reaches upstreams: the dialer that keeps runs away from the daemon's own ports, the pool of HTTP/1.1
 * connections, and the cache of protocols that upstreams support.
 */
export { AlpnCache } from './alpn-cache.ts';
export { createUpstreamDialer, forbidden, type UpstreamDialer } from './dialer.ts';
export { highWaterBytes, type Upstream, UpstreamPool, type UpstreamUser } from './pool.ts';
