/**
 * The daemon's own way out: name resolution with overrides, the check of every address before it is connected
 * to, trusted roots, a corporate proxy where the environment names one, and a `fetch` and a TLS dialler on top.
 */
export { createDialer } from './dial.ts';
export type { Dialer, DialOptions, Fetch, OutboundFetchOptions } from './dialer.ts';
export { outboundFetch } from './outbound-fetch.ts';
export { certificatesOf, readSystemRoots } from './roots.ts';
export { type ProxyRules, parseProxyEnvironment, type UpstreamProxy } from './upstream-proxy.ts';
