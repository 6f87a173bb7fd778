import { mayRenew, mayRetry, Replay } from '../resend/index.ts';
import { Accumulator } from './accumulator.ts';
import { Body, type PayloadListener } from './body.ts';
import { Collected } from './collected.ts';
import { misplaced } from './phases.ts';
import type { Content, Cut, Failure, Plan, ResponseTransform, TransformOutlet } from './port.ts';
import type { RequestHead } from './request.ts';
import type { ResponseHead } from './response.ts';
import { clientHead } from './response-head.ts';

const none: readonly Buffer[] = [];

/** One request, its response, and how often the request was sent. */
export class Http1Exchange {
  readonly request: RequestHead;
  /** It came before the previous response was sent, which may still be in transit. */
  readonly isPipelined: boolean;
  plan: Plan | undefined;
  requestBody: Body | undefined;
  response: ResponseHead | undefined;
  responseBody: Body | undefined;
  /** Rewrites the response's body in passing. */
  transform: ResponseTransform | undefined;
  /** The client's connection ends with this response. */
  closing = false;
  /** 100 (Continue) came from the upstream. */
  continued = false;
  /** The plan's search has found something in the body. */
  #isMisplaced = false;
  /** How much of the trailer lines it has been shown. */
  #trailersShown = 0;
  /** The parts of the body that came before there was an upstream. */
  #early: Accumulator | undefined;
  #collected: Collected | undefined;
  #onCollected: ((content: Content) => void) | undefined;
  #listener: PayloadListener | undefined;
  #replay: Replay | undefined;
  #upstreamReused = false;
  #responseBegun = false;
  #bodyBegun = false;
  #retried = false;
  #renewed = false;

  constructor(request: RequestHead, isPipelined: boolean) {
    this.request = request;
    this.isPipelined = isPipelined;
  }

  /** From here on, the body is read before there is an upstream. */
  readEarly(): void {
    this.requestBody ??= new Body(this.request.framing);
  }

  /** Reads the body early, and keeps this much of its content, for `then`. */
  collect(maxBytes: number, then: (content: Content) => void): void {
    this.readEarly();
    this.#collected = new Collected(maxBytes);
    this.#onCollected = then;
  }

  /** The content is complete, or too long. */
  get isCollected(): boolean {
    return this.requestBody?.done === true || this.#collected?.isTooLong === true;
  }

  /** Hands on the content that was collected. */
  collected(): void {
    const content = this.#collected?.content(this.requestBody?.trailers ?? '');
    this.#collected = undefined;
    if (content !== undefined) this.#onCollected?.(content);
  }

  /** How much of the body waits for an upstream. */
  get earlyBytes(): number {
    return this.#early?.length ?? 0;
  }

  /**
   * Reads on in the body. Returns the part of the chunk that belongs to it, and adds what follows to `after`; `undefined`
   * if the body is at fault.
   */
  take(chunk: Buffer, after: Accumulator): Buffer | undefined {
    if (this.#listener === undefined && (this.plan?.search !== undefined || this.#collected !== undefined))
      this.#listener = (bytes, start, end) => this.#look(bytes, start, end);
    const stop = (this.requestBody as Body).take(chunk, 0, chunk.length, this.#listener);
    this.#showTrailers();
    if (this.requestBody?.fault !== undefined || this.#isMisplaced) return undefined;
    if (stop === chunk.length) return chunk;
    after.push(chunk.subarray(stop));
    return chunk.subarray(0, stop);
  }

  /** Why the body goes no further, once it does not. */
  get bodyFault(): Cut & Failure {
    const fault = this.requestBody?.fault;
    return fault === undefined ? misplaced : { kind: 'malformed-body', fault };
  }

  #look(bytes: Buffer, start: number, end: number): void {
    if (this.plan === undefined) this.#collected?.add(bytes, start, end);
    else if (this.plan.search?.look(bytes, start, end) === true) this.#isMisplaced = true;
  }

  #showTrailers(): void {
    const search = this.plan?.search;
    const { trailers } = this.requestBody as Body;
    if (search === undefined || trailers.length === this.#trailersShown) return;
    if (search.lookAtTrailers(trailers.slice(this.#trailersShown))) this.#isMisplaced = true;
    this.#trailersShown = trailers.length;
  }

  /** Reads on in the body, and keeps its part until there is an upstream. Returns false if the body is at fault. */
  takeEarly(chunk: Buffer, after: Accumulator): boolean {
    const part = this.take(chunk, after);
    if (part === undefined) return false;
    this.#early ??= new Accumulator();
    if (part.length > 0) this.#early.push(part);
    return true;
  }

  /** The request goes to an upstream. Returns what there is of its body. */
  begin(upstreamReused: boolean): readonly Buffer[] {
    this.#upstreamReused = upstreamReused;
    this.#responseBegun = false;
    const body = this.plan?.body;
    if (body !== undefined) return [body];
    if (this.#retried || this.#renewed) return this.#replay?.chunks ?? [];
    const { framing } = this.request;
    this.readEarly();
    const declaredBytes = framing.kind === 'length' ? framing.length : 0;
    this.#replay = this.plan?.renewable === true ? new Replay(declaredBytes) : undefined;
    const early = this.#early?.takeAll();
    if (early === undefined) return none;
    this.sent(early);
    return [early];
  }

  /** A part of the body was sent. */
  sent(part: Buffer): void {
    this.#bodyBegun = true;
    this.#replay?.add(part);
  }

  /** A byte of a response arrived. */
  responseByte(): void {
    this.#responseBegun = true;
  }

  /**
   * The final response begins: the request will not be sent again. Returns its head for the client; `undefined` if its
   * bytes can pass unchanged.
   */
  beginResponse(head: ResponseHead, isLast: boolean, outlet: TransformOutlet): Buffer | undefined {
    this.#replay = undefined;
    this.response = head;
    this.responseBody = new Body(head.framing);
    this.closing = isLast || !this.request.keepAlive || head.framing.kind === 'close' || this.isUnframed;
    const { lineFor, scrub } = this.plan as Plan;
    const changes = { close: this.closing, extraLine: lineFor?.(head) };
    this.transform = scrub?.body(head, outlet);
    return this.transform === undefined ? clientHead(head, changes, scrub) : this.transform.head(changes);
  }

  /** Whether to send it once more after a pooled connection turned out to be dead. */
  mayRetry(): boolean {
    const { method, framing, upgrade } = this.request;
    return mayRetry({
      method,
      hasContent: framing.kind !== 'none' || upgrade !== undefined,
      isUnprocessed: this.#upstreamReused && !this.#responseBegun,
      wasRetried: this.#retried || this.#renewed,
    });
  }

  retry(): void {
    this.#retried = true;
  }

  /** Whether to send it once more after a 401. `isSent`: all of it was sent. */
  mayRenew(isSent: boolean): boolean {
    return mayRenew({
      isRenewable: this.plan?.renewable === true,
      wasRenewed: this.#renewed,
      isSent,
      body: this.plan?.body === undefined ? this.#replay?.chunks : [this.plan.body],
    });
  }

  /** It is sent once more with this head and body; without a head it is not, and the 401 stands. */
  renew(head: Buffer | undefined, body: Buffer | undefined): void {
    this.#renewed = true;
    if (head !== undefined) this.plan = { ...(this.plan as Plan), head, body, renewable: false };
  }

  /** The response declares its own end, so the end of the connection cannot make it look complete. */
  get isFramed(): boolean {
    return this.responseBody?.untilClose === false && this.request.minor === 1;
  }

  /** The client waits for 100 and gets a final response. It may send its body or not: nothing after it can be framed. */
  get isUnframed(): boolean {
    const waits = this.request.expectsContinue && !this.continued;
    return waits && !this.#bodyBegun && this.requestBody?.done === false;
  }
}
