/**
 * The daemon's own way out: name resolution with overrides, the check of every address before it is connected
 * to, trusted roots, a corporate proxy where the environment names one, and a `fetch` and a TLS dialler on top.
 */
export type { Dialer, DialOptions, Fetch, OutboundFetchOptions } from './dialer.ts';
