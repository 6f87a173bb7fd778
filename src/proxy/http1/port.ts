import type { PayloadListener } from './body.ts';
import type { Fault } from './fault.ts';
import type { RequestHead } from './request.ts';
import type { ResponseHead } from './response.ts';

/** A request that may go on: what is written instead of its head, and what its answer gains. */
export interface Plan {
  /** The rewritten head, ready for the wire. */
  readonly head: Buffer;
  /** Whole field lines for the answer with this head, if any. */
  readonly lineFor: ((head: ResponseHead) => string | undefined) | undefined;
  /** A 401 may be met by a renewed credential: the port's `renew` is asked, once. */
  readonly renewable: boolean;
  /** Rewrites the answer's body in passing, where its head says that it has to be looked into. */
  readonly transformFor: ((head: ResponseHead) => ResponseTransform | undefined) | undefined;
}

/** A body that changes in passing and is framed anew. */
export interface ResponseTransform {
  /** The rewritten head; it declares chunked framing, or none where the body ends with the connection. */
  head(changes: { readonly close: boolean; readonly extraLine: string | undefined }): Buffer;
  payload: PayloadListener;
  /** Called when the body is over and complete. */
  finish(): void;
  /** Called when it will not be. */
  abort(): void;
}

/** Bytes of an answer of our own; `close` when it is the last one, `body` unless the method forbids one. */
export type Answer = (shape: { readonly close: boolean; readonly body: boolean }) => Buffer;

export type Failure =
  /** What came instead of a request's head: nothing was judged yet. */
  | { readonly kind: 'malformed-head'; readonly fault: Fault }
  /** The body of a request that was judged already. */
  | { readonly kind: 'malformed-body'; readonly fault: Fault }
  | { readonly kind: 'malformed-response'; readonly fault: Fault }
  | { readonly kind: 'no-answer' }
  | { readonly kind: 'request-timeout' }
  | { readonly kind: 'response-timeout' };

/** What a pairing does to the world: the actions of a transcript. `send…` answer false to ask for a pause. */
export interface PairingPort {
  /** Decide on a request: answered by `forward`, `answer` or `handOver`, now or later. */
  judge(request: RequestHead): void;
  /** Answered by `upstreamReady` or `answer`. `fresh` forbids a pooled connection. */
  connectUpstream(fresh: boolean): void;
  sendUpstream(bytes: Buffer): boolean;
  sendClient(bytes: Buffer): boolean;
  readClient(on: boolean): void;
  readUpstream(on: boolean): void;
  /** The connection is clean and can carry another request. */
  releaseUpstream(): void;
  destroyUpstream(): void;
  /** Flush, then end our side; the rest of what the client sends is thrown away. */
  endClient(): void;
  /** Cut the connection so that what was sent cannot look complete. */
  resetClient(): void;
  /** Both sides agreed on another protocol: relay bytes from now on. */
  splice(fromClient: Buffer | undefined, fromUpstream: Buffer | undefined): void;
  /** Answered by `renewed`. */
  renew(): void;
  /** The answer for a failure found here; whoever makes it also puts it on record. */
  failed(failure: Failure): Answer;
}
