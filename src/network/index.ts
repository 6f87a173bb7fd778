/**
 * The daemon's outbound connections: names resolved with overrides, every address checked before it is connected to,
 * trusted roots, a corporate proxy where the environment names one, and on top a `fetch` and a TLS dialer.
 */

export type { Dialer, DialOptions, Fetch, OutboundFetchOptions } from './contract.ts';
export { createDialer } from './dialer.ts';
export { outboundFetch } from './outbound-fetch.ts';
export { certificatesOf, readSystemRoots } from './roots.ts';
export { type ProxyRules, parseProxyEnvironment, type UpstreamProxy } from './upstream-proxy.ts';
