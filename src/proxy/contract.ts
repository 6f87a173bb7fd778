import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { AnswerFailedEvent, DecisionEvent } from '../audit/index.ts';
import type { AuthsomeError } from '../errors.ts';
import type { PeerCheck } from '../peers/index.ts';
import type { PolicyDecision, PolicyRequest } from '../policy/index.ts';
import type { CaptureRoute, RouteTable } from '../providers/index.ts';

/** Records decisions. `drained()` resolves when the writer has caught up (backpressure). */
export interface DecisionSink {
  record(decision: DecisionEvent): void;
  /** An authorized request failed. */
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

/** How long each thing may be idle. Nothing has an absolute limit: a stream of two hours is normal. */
export interface Timeouts {
  /** A head that has begun, or a TLS handshake. */
  readonly headMs: number;
  /** A client connection between two requests. */
  readonly keepAliveMs: number;
  /** Between request and response, and within either. */
  readonly exchangeMs: number;
  /** A tunnel, or a connection that has switched protocols. */
  readonly tunnelMs: number;
  /** The same once one side has ended: the other may have vanished. */
  readonly halfClosedMs: number;
  /** A client that keeps sending after the last response. */
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
  /** The daemon's own addresses, which no run may reach through the proxy. */
  readonly forbiddenTargets: readonly { readonly host: string; readonly port: number }[];
  readonly decisions: DecisionSink;
  readonly nowMs: () => number;
  readonly randomBytes: (size: number) => Uint8Array;
  /** Whether the process at the other end of a new connection may use the proxy; everybody may when left out. */
  readonly checkPeer?: (client: Socket) => PeerCheck;
  readonly timeouts?: Partial<Timeouts>;
}

/** A credential that works now. Each version is one object, so values derived from it can be cached by object. */
export interface Credential {
  readonly version: number;
  readonly secret: string;
  /** The one that a renewal replaced by this one. Its service may accept it for a while. */
  readonly older?: Credential | undefined;
  /** The one that a renewal has replaced this one by. */
  readonly newer?: Credential | undefined;
}

/** A phantom of the run's principal. A connection may have several: older ones still stand for it. */
export interface RunPhantom {
  readonly value: string;
  /** `provider/connection`. */
  readonly connection: string;
  /** Whether the run may use that connection. */
  readonly isInRun: boolean;
}

export interface RunSpec {
  readonly id: string;
  /** Handle of the identity that started the run. */
  readonly identity: string;
  readonly routes: RouteTable;
  /** Keyed by `provider/connection`. */
  readonly credentials: {
    peek(connection: string): Credential | undefined;
    acquire(connection: string): Promise<Credential>;
    renew(connection: string, rejected: Credential): Promise<Credential | undefined>;
  };
  readonly decide: (request: PolicyRequest) => PolicyDecision;
  /** The newest of a connection comes first: it replaces the secret in responses. */
  readonly phantoms: readonly RunPhantom[];
  /**
   * Answers a request to one of the routes' captured endpoints. What it rejects with is what the program gets, as a problem
   * document.
   */
  readonly capture?: (request: CapturedRequest) => Promise<CapturedAnswer>;
  /** One line of advice for the agent about an upstream's refusal, or `undefined`. */
  readonly advise?: (refused: UpstreamRefusal) => string | undefined;
}

/** A complete request of a program that signs in by itself. Its fields and its body contain secrets. */
export interface CapturedRequest {
  readonly route: CaptureRoute;
  /** `dec_…` of the request. */
  readonly decision: string;
  /** With its `?`, or empty. */
  readonly query: string;
  /** Names in lower case. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Buffer;
  /** The connection that it came by, which tells whose process sent it. */
  readonly client: Socket;
}

/** What the program gets: no real token. */
export interface CapturedAnswer {
  readonly status: number;
  /** Without fields about its framing or its connection. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Uint8Array;
  /** Why the request was refused, for its record: the program gets the answer above all the same. */
  readonly failure?: AuthsomeError;
}

/** An upstream's 401 or 403 to a request that carried a credential. */
export interface UpstreamRefusal {
  /** `dec_…` of the request. */
  readonly decision: string;
  /** `provider/connection`. */
  readonly connection: string;
  readonly status: number;
  /** The value of a response header, by its name in lower case; several lines are joined by commas. */
  readonly field: (name: string) => string | undefined;
}

export interface Run {
  readonly id: string;
  /** `http://run:<token>@127.0.0.1:<port>`: proxy credentials of this run only. */
  readonly proxyUrl: string;
  /** The run's own CA certificate. */
  readonly caPem: string;
  /** Replaces the routes and the phantoms, and decides again on requests in progress. */
  replaceRoutes(routes: RouteTable, phantoms: readonly RunPhantom[]): void;
  /** Decides again on requests in progress: those that would no longer get their credential are cut. */
  reauthorize(): void;
  /** Closes everything that carries this connection's credential (`provider/connection`): called when it is revoked. */
  dropConnection(connection: string): void;
  end(): void;
}

export interface Proxy {
  readonly host: string;
  readonly port: number;
  /** Whether this is the daemon itself, which no run may reach. */
  isOwn(target: { readonly host: string; readonly port: number }): boolean;
  openRun(spec: RunSpec): Promise<Run>;
  close(): Promise<void>;
}
