import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';

export interface DialOptions {
  readonly host: string;
  readonly port: number;
  /** Private, loopback and link-local addresses are refused unless a person named this host. */
  readonly allowPrivateAddress: boolean;
  /** A server or somebody else's definition named this host: an error does not say how to allow it. */
  readonly isStrangers?: boolean;
  readonly signal?: AbortSignal;
}

/**
 * Connects to checked addresses only. Failures are AuthsomeErrors: `AddressForbidden`, `UpstreamUnreachable`,
 * `UpstreamUntrusted`, `UpstreamTimeout`.
 */
export interface Dialer {
  /** A plain TCP connection (for blind tunnels), with `noDelay` set. */
  connect(options: DialOptions): Promise<Socket>;
  /** A TLS connection whose certificate verifies for `host`; `alpn` in order of preference. Sessions are resumed. */
  connectTls(options: DialOptions & { readonly alpn: readonly string[] }): Promise<TLSSocket>;
}

export interface OutboundFetchOptions {
  /** Only public addresses, for URLs from discovery. */
  readonly publicOnly: boolean;
  /** Default 1 MiB; a longer body is an `EndpointUnreachable`. */
  readonly maxBodyBytes?: number;
  readonly timeoutMs?: number;
}

/** A WHATWG fetch that follows no redirects, bounds time and size, and goes through the dialer's checks. */
export type Fetch = (input: string | URL | Request, init?: RequestInit) => Promise<Response>;
