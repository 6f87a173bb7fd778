import type { PayloadListener } from './body.ts';
import type { Fault } from './fault.ts';
import type { RequestHead } from './request.ts';
import type { ResponseHead } from './response.ts';

/** A request that may go on: what is written instead of its head, and what its response gains. */
export interface Plan {
  /** The rewritten head, ready for the wire. */
  readonly head: Buffer;
  /** Whole field lines to add to the response with this head, if any. */
  readonly lineFor: ((head: ResponseHead) => string | undefined) | undefined;
  /** A 401 may be met by a renewed credential: the port's `renew` is asked, once. */
  readonly renewable: boolean;
  /** Takes what the response must not say out of it as it passes. */
  readonly scrub: ResponseScrub | undefined;
}

/** Looks into answers for what must not come back. */
export interface ResponseScrub {
  /** Why this response cannot be looked into, and is refused. */
  fault(head: ResponseHead): Fault | undefined;
  /** The head to send: `rewritten`, or another where something had to go. `undefined` for the head as it came. */
  head(head: ResponseHead, rewritten: Buffer | undefined): Buffer | undefined;
  /** How the body has to change, or `undefined` where it passes as it is. */
  body(head: ResponseHead, outlet: TransformOutlet): ResponseTransform | undefined;
}

/** Where a changed body goes. */
export interface TransformOutlet {
  /** False to ask for a pause, until `resume`. */
  emit(bytes: Buffer): boolean;
  /** Asks for a pause of the upstream. */
  block(on: boolean): void;
  /** The body cannot be read: what was sent of it must not look complete. */
  broken(): void;
}

/** A body that changes in passing and is framed anew. */
export interface ResponseTransform {
  /** The rewritten head, with the framing that the changed body has. */
  head(changes: { readonly close: boolean; readonly extraLine: string | undefined }): Buffer;
  payload: PayloadListener;
  /** Called when the body is over, with the trailer lines; `done` when all of it has been emitted. */
  finish(trailers: string, done: (whole: boolean) => void): void;
  /** The client reads again. */
  resume(): void;
  /** Called instead of `finish` when the body is cut off. */
  abort(): void;
}

/** Bytes of the proxy’s own reply; `close` when it is the last one, `body` unless the method forbids one. */
export type LocalReply = (shape: { readonly close: boolean; readonly body: boolean }) => Buffer;

export type Failure =
  /** What came instead of a request's head: nothing was authorized yet. */
  | { readonly kind: 'malformed-head'; readonly fault: Fault }
  /** The body of a request that was authorized already. */
  | { readonly kind: 'malformed-body'; readonly fault: Fault }
  | { readonly kind: 'malformed-response'; readonly fault: Fault }
  | { readonly kind: 'no-response' }
  | { readonly kind: 'request-timeout' }
  | { readonly kind: 'response-timeout' };

/** Why a response that had begun is cut off. */
export type Cut =
  | { readonly kind: 'malformed-body'; readonly fault: Fault }
  | { readonly kind: 'malformed-response'; readonly fault: Fault }
  /** The upstream broke off. */
  | { readonly kind: 'truncated' }
  /** The body is not in the coding that it declares. */
  | { readonly kind: 'undecodable' }
  /** Nothing moved for the idle time. */
  | { readonly kind: 'stalled' };

/** What a machine does to the world: the actions of a transcript. `send…` answer false to ask for a pause. */
export interface MachinePort {
  /** Decide on a request: answered by `forward`, `reply` or `handOver`, now or later. */
  authorize(request: RequestHead): void;
  /** Answered by `upstreamReady` or `reply`. `fresh` forbids a pooled connection. */
  connectUpstream(fresh: boolean): void;
  sendUpstream(bytes: Buffer): boolean;
  sendClient(bytes: Buffer): boolean;
  readClient(on: boolean): void;
  readUpstream(on: boolean): void;
  /** The connection is clean and can carry another request, within `idleMs` where the upstream says how long it waits. */
  releaseUpstream(idleMs: number | undefined): void;
  destroyUpstream(): void;
  /** Flush, then end our side; the rest of what the client sends is thrown away. */
  endClient(): void;
  /**
   * End the connection so that what was sent cannot look complete, and put on record why. Where this is `graceful`, what was
   * sent is to arrive; else the connection is reset, which also loses answers before this one that are still on their way.
   */
  abortClient(cut: Cut, graceful: boolean): void;
  /** Both sides agreed on another protocol: relay bytes from now on. */
  splice(fromClient: Buffer | undefined, fromUpstream: Buffer | undefined): void;
  /** Answered by `renewed`. */
  renew(): void;
  /** The reply for a failure found here; who makes it also puts it on record. */
  failed(failure: Failure): LocalReply;
}
