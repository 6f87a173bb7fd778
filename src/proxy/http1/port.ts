import type { PayloadListener } from './body.ts';
import type { Fault } from './fault.ts';
import type { RequestHead } from './request.ts';
import type { ResponseHead } from './response.ts';

/** How to send an authorized request, and what to change in its response. */
export interface Plan {
  /** The rewritten head, ready for the wire. */
  readonly head: Buffer;
  /** The body, framed as the head declares, where it is not the client's own. That one has been collected. */
  readonly body?: Buffer | undefined;
  readonly search?: BodySearch | undefined;
  /** Complete field lines to add to a response with this head, if any. */
  readonly lineFor: ((head: ResponseHead) => string | undefined) | undefined;
  /** After a 401, ask the port's `renew` once for a newer credential. */
  readonly renewable: boolean;
  /** Removes secrets from the response in passing. */
  readonly scrub: ResponseScrub | undefined;
}

/** Is shown a body in passing. Each method returns true to keep the piece, and the rest, from the upstream. */
export interface BodySearch {
  /** The next piece of the content. */
  look(bytes: Buffer, start: number, end: number): boolean;
  /** The next piece of the trailer lines. */
  lookAtTrailers(lines: string): boolean;
}

/** The content of a request that was collected. */
export interface Content {
  readonly bytes: Buffer;
  /** Otherwise there is more, and `bytes` are only the beginning. */
  readonly isWhole: boolean;
  /** Its trailer lines, if it is whole. */
  readonly trailers: string;
}

/** Removes secrets from responses. */
export interface ResponseScrub {
  /** Why this response cannot be searched, and so is refused. */
  fault(head: ResponseHead): Fault | undefined;
  /** The head to send: `rewritten`, or another if it contained a secret; `undefined` for the unchanged head. */
  head(head: ResponseHead, rewritten: Buffer | undefined): Buffer | undefined;
  /** How to change the body; `undefined` if it passes unchanged. */
  body(head: ResponseHead, outlet: TransformOutlet): ResponseTransform | undefined;
}

/** Receives a changed body. */
export interface TransformOutlet {
  /** Returns false to ask for a pause, until `resume`. */
  emit(bytes: Buffer): boolean;
  /** Pauses or resumes the upstream. */
  block(on: boolean): void;
  /** The body cannot be decoded: what was sent must not look complete. */
  broken(): void;
}

/** Changes a body in passing and frames it again. */
export interface ResponseTransform {
  /** The rewritten head, with the framing of the changed body. */
  head(changes: { readonly close: boolean; readonly extraLine: string | undefined }): Buffer;
  payload: PayloadListener;
  /** Called with the trailer lines when the body has ended. Calls `done` once all of it has been emitted. */
  finish(trailers: string, done: (complete: boolean) => void): void;
  /** The client reads again. */
  resume(): void;
  /** Called instead of `finish` if the body is cut off. */
  abort(): void;
}

/** The bytes of the proxy's own reply: `close` if it is the last one, `body` unless the method forbids one. */
export type LocalReply = (shape: { readonly close: boolean; readonly body: boolean }) => Buffer;

export type Failure =
  /** Bytes that are no request head: nothing was authorized yet. */
  | { readonly kind: 'malformed-head'; readonly fault: Fault }
  /** The body of an authorized request. */
  | { readonly kind: 'malformed-body'; readonly fault: Fault }
  /** The plan's `search` has found something. */
  | { readonly kind: 'misplaced' }
  | { readonly kind: 'malformed-response'; readonly fault: Fault }
  | { readonly kind: 'no-response' }
  | { readonly kind: 'request-timeout' }
  | { readonly kind: 'response-timeout' };

/** Why a response is cut off after it began. */
export type Cut =
  | { readonly kind: 'malformed-body'; readonly fault: Fault }
  | { readonly kind: 'misplaced' }
  | { readonly kind: 'malformed-response'; readonly fault: Fault }
  /** The upstream ended the response early. */
  | { readonly kind: 'truncated' }
  /** The body is not in the content coding that it declares. */
  | { readonly kind: 'undecodable' }
  /** Nothing moved for the idle timeout. */
  | { readonly kind: 'stalled' };

/** The actions of a machine. `send…` returns false to ask for a pause. */
export interface MachinePort {
  /** Authorize a request, then call `forward`, `reply` or `handOver`, now or later; before that, `collect` if need be. */
  authorize(request: RequestHead): void;
  /** Connect, then call `upstreamReady` or `reply`. `fresh` forbids a pooled connection. */
  connectUpstream(fresh: boolean): void;
  sendUpstream(bytes: Buffer): boolean;
  sendClient(bytes: Buffer): boolean;
  readClient(on: boolean): void;
  readUpstream(on: boolean): void;
  /** Return the connection to the pool, for `idleMs` if the upstream declares how long it waits. */
  releaseUpstream(idleMs: number | undefined): void;
  destroyUpstream(): void;
  /** Flush and end our side; discard what the client still sends. */
  endClient(): void;
  /**
   * End the connection so that the response cannot look complete, and record why. `graceful` lets what was sent arrive.
   * Otherwise the connection is reset, which also loses earlier responses that are still in transit.
   */
  abortClient(cut: Cut, graceful: boolean): void;
  /** Both sides have switched to another protocol: relay bytes from now on. */
  splice(fromClient: Buffer | undefined, fromUpstream: Buffer | undefined): void;
  /** Renew the credential, then call `renewed`. */
  renew(): void;
  /** Records a failure; returns the reply to it. For bytes that are no request it may call `reply` later instead. */
  failed(failure: Failure): LocalReply | undefined;
}
