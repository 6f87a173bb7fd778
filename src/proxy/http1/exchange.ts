import { mayRenew, mayRetry, Replay } from '../resend/index.ts';
import { Body } from './body.ts';
import type { Plan, ResponseTransform } from './port.ts';
import type { RequestHead } from './request.ts';
import type { ResponseHead } from './response.ts';

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

  /** The request goes to an upstream. Returns the body that was kept if this is not the first time, else `undefined`. */
  begin(upstreamReused: boolean): readonly Buffer[] | undefined {
    this.#upstreamReused = upstreamReused;
    this.#responseBegun = false;
    if (this.#retried || this.#renewed) return this.#replay?.chunks ?? [];
    const { framing } = this.request;
    this.requestBody = new Body(framing);
    const declaredBytes = framing.kind === 'length' ? framing.length : 0;
    this.#replay = this.plan?.renewable === true ? new Replay(declaredBytes) : undefined;
    return undefined;
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

  /** The final response begins: the request will not be sent again. */
  beginResponse(head: ResponseHead): void {
    this.#replay = undefined;
    this.response = head;
    this.responseBody = new Body(head.framing);
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
      body: this.#replay?.chunks,
    });
  }

  /** It is sent once more with this head; with `undefined` it is not, and the 401 stands. */
  renew(head: Buffer | undefined): void {
    this.#renewed = true;
    if (head !== undefined) this.plan = { ...(this.plan as Plan), head, renewable: false };
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
