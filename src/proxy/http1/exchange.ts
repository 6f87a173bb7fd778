import { mayRenew, mayRetry, Replay } from '../resend/index.ts';
import { Body } from './body.ts';
import type { Plan, ResponseTransform } from './port.ts';
import type { RequestHead } from './request.ts';
import type { ResponseHead } from './response.ts';

/** One request, and what has become of it so far. */
export class Http1Exchange {
  readonly request: RequestHead;
  /** It came before the response to the request before it was out, which may still be on its way. */
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

  /** It goes out to an upstream. Returns what was kept of its body when it goes out again, else `undefined`. */
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

  /** A part of its body goes out. */
  sent(part: Buffer): void {
    this.#bodyBegun = true;
    this.#replay?.add(part);
  }

  /** A byte of a response came. */
  responseByte(): void {
    this.#responseBegun = true;
  }

  /** Its final response begins, so that it will not be sent again. */
  beginResponse(head: ResponseHead): void {
    this.#replay = undefined;
    this.response = head;
    this.responseBody = new Body(head.framing);
  }

  /** Whether it may go out once more, now that a pooled connection turned out to be dead. */
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

  /** Whether a 401 may be met with a newer credential. `isSent`: all of the request was. */
  mayRenew(isSent: boolean): boolean {
    return mayRenew({
      isRenewable: this.plan?.renewable === true,
      wasRenewed: this.#renewed,
      isSent,
      body: this.#replay?.chunks,
    });
  }

  /** It goes out once more, with this head; or with `undefined` it does not, and the 401 stands. */
  renew(head: Buffer | undefined): void {
    this.#renewed = true;
    if (head !== undefined) this.plan = { ...(this.plan as Plan), head, renewable: false };
  }

  /** What the client gets says by itself where it ends, so that the connection's end cannot make it look complete. */
  get isFramed(): boolean {
    return this.responseBody?.untilClose === false && this.request.minor === 1;
  }

  /** A client that waits for 100 may send its body or not once it sees a response: nothing after it can be framed. */
  get isUnframed(): boolean {
    const waits = this.request.expectsContinue && !this.continued;
    return waits && !this.#bodyBegun && this.requestBody?.done === false;
  }
}
