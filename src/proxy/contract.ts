import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { AnswerFailedEvent, DecisionEvent } from '../audit/index.ts';
import type { PolicyDecision, PolicyRequest } from '../policy/index.ts';
import type { RouteTable } from '../providers/index.ts';

/** Where decisions go; `drained()` resolves when the writer has caught up (backpressure). */
export interface DecisionSink {
  record(decision: DecisionEvent): void;
  /** A request that was let go came to nothing. */
  failed(failure: AnswerFailedEvent): void;
  readonly congested: boolean;
  drained(): Promise<void>;
}

interface DialTarget {
  readonly host: string;
  readonly port: number;
  readonly allowPrivateAddress: boolean;
  readonly signal?: AbortSignal;
}

/** How long nothing may move. There is no absolute limit anywhere: a stream of two hours is normal. */
export interface Timeouts {
  /** A head that has begun, a TLS handshake. */
  readonly headMs: number;
  /** A client connection between two requests. */
  readonly keepAliveMs: number;
  /** Between request and response, and within either. */
  readonly exchangeMs: number;
  /** A tunnel, or a connection that has switched protocols. */
  readonly tunnelMs: number;
  /** The same once one side has ended: the other may have gone without a word. */
  readonly halfClosedMs: number;
  /** A client that goes on sending after the last response. */
  readonly lingerMs: number;
  /** A pooled connection to an upstream. */
  readonly upstreamMs: number;
}

export interface ProxyOptions {
  readonly listenHost: string;
  /** 0 for any free port. */
  readonly listenPort: number;
  readonly connect: (target: DialTarget) => Promise<Socket>;
  readonly connectTls: (target: DialTarget & { readonly alpn: readonly string[] }) => Promise<TLSSocket>;
  /** Addresses of the daemon's own API, which no run may reach through the proxy. */
  readonly forbiddenTargets: readonly { readonly host: string; readonly port: number }[];
  readonly decisions: DecisionSink;
  readonly nowMs: () => number;
  readonly randomBytes: (size: number) => Uint8Array;
  readonly timeouts?: Partial<Timeouts>;
}

/** A credential that works now; one object per version, so that what is derived from it can be kept beside it. */
export interface Credential {
  readonly version: number;
  readonly secret: string;
}

export interface RunSpec {
  readonly id: string;
  /** Handle of the identity that asked. */
  readonly identity: string;
  readonly routes: RouteTable;
  /** Keyed by `provider/connection`. */
  readonly credentials: {
    peek(connection: string): Credential | undefined;
    acquire(connection: string): Promise<Credential>;
    renew(connection: string, rejected: Credential): Promise<Credential | undefined>;
  };
  readonly decide: (request: PolicyRequest) => PolicyDecision;
  /** What stands in for the secret of `provider/connection` where an upstream sends it back. */
  readonly phantomFor?: (connection: string) => string | undefined;
  /** What the agent could be told to do about an upstream's refusal: one line, or `undefined`. */
  readonly advise?: (refused: UpstreamRefusal) => string | undefined;
}

/** An upstream's 401 or 403 to a request that carried a credential. */
export interface UpstreamRefusal {
  /** `dec_…` of the request. */
  readonly decision: string;
  /** `provider/connection`. */
  readonly connection: string;
  readonly status: number;
  /** The value of a response's field, by its name in lower case; several lines joined by commas. */
  readonly field: (name: string) => string | undefined;
}

export interface Run {
  readonly id: string;
  /** `http://run:<token>@127.0.0.1:<port>`: proxy credentials of this run only. */
  readonly proxyUrl: string;
  /** The run's own CA certificate. */
  readonly caPem: string;
  /** Swaps the snapshot, and judges again by it what is under way. */
  replaceRoutes(routes: RouteTable): void;
  /** Judges requests under way by the policy of now: those that would no longer get their credential are cut. */
  reauthorize(): void;
  /** Closes what is live on this connection's routes (`provider/connection`): called when it is revoked. */
  dropConnection(connection: string): void;
  end(): void;
}

export interface Proxy {
  readonly host: string;
  readonly port: number;
  openRun(spec: RunSpec): Promise<Run>;
  close(): Promise<void>;
}
