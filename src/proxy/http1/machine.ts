import { Accumulator } from './accumulator.ts';
import type { Body } from './body.ts';
import { Http1Exchange } from './exchange.ts';
import { Fault } from './fault.ts';
import { limits } from './fields.ts';
import { FlowControl } from './flow-control.ts';
import {
  goOn,
  nothing,
  type RequestPhase,
  type ResponsePhase,
  truncatedHead,
  unexpectedSwitch,
} from './phases.ts';
import type { Content, Cut, Failure, LocalReply, MachinePort, Plan, TransformOutlet } from './port.ts';
import { parseRequestHead } from './request.ts';
import { idleMsOf, type ResponseHead } from './response.ts';
import { interimHead, readResponseHead } from './response-head.ts';

/**
 * The HTTP/1.1 of one client connection: pairs each request with its response, and frames both exactly. It has no socket:
 * events come in as calls, and actions go out through the port.
 */
export class RequestResponseMachine {
  readonly #port: MachinePort;
  #requestPhase: RequestPhase = 'head';
  #responsePhase: ResponsePhase = 'none';
  #exchange: Http1Exchange | undefined;
  /** Client bytes that wait for the rest of a head, for a decision, or for the end of the previous response. */
  readonly #fromClient = new Accumulator();
  readonly #fromUpstream = new Accumulator();
  #clientEnded = false;
  readonly #flow: FlowControl;
  readonly #outlet: TransformOutlet;
  #upstreamOpen = false;
  #upstreamEnded = false;
  #working = false;
  /** The next request, or part of it, came before the previous response was sent. */
  #isPipelined = false;

  constructor(port: MachinePort) {
    this.#port = port;
    this.#flow = new FlowControl(port);
    this.#outlet = {
      emit: (bytes) => this.#sendClient(bytes),
      block: (on) => {
        this.#flow.transformBlocked = on;
        this.#updateFlow();
      },
      broken: () => this.#abort({ kind: 'undecodable' }),
    };
  }

  /** No request is in progress. */
  get idle(): boolean {
    return this.#requestPhase === 'head' && this.#responsePhase === 'none' && this.#fromClient.length === 0;
  }

  /** Whether a request's head, or the rest of one, comes next. */
  get between(): boolean {
    return this.#requestPhase === 'head';
  }

  /** Whether a request is in progress. */
  get underWay(): boolean {
    return this.#exchange !== undefined;
  }

  /** A response has begun and is not complete. */
  get responding(): boolean {
    return this.#responsePhase === 'body' || this.#responsePhase === 'finishing';
  }

  clientBytes(chunk: Buffer): void {
    switch (this.#requestPhase) {
      case 'head':
        if (this.#fromClient.length === 0) this.#isPipelined = false;
        this.#readRequests(chunk);
        break;
      case 'body':
        this.#relayRequestBody(chunk);
        break;
      case 'collecting':
      case 'connecting':
        if (this.#exchange?.requestBody === undefined) this.#fromClient.push(chunk);
        else this.#readEarly(chunk);
        break;
      case 'authorizing':
      case 'sent':
        this.#fromClient.push(chunk);
        break;
      default:
        return;
    }
    this.#updateFlow();
  }

  /** The client sends nothing more; it may still be reading (RFC 9112 §9.6). */
  clientEnd(): void {
    this.#clientEnded = true;
    switch (this.#requestPhase) {
      case 'head':
        if (this.#fromClient.length > 0) {
          this.#fail({ kind: 'malformed-head', fault: truncatedHead });
        } else if (this.#responsePhase === 'none') {
          this.#finish();
        }
        break;
      case 'collecting':
      case 'body':
      case 'draining':
        this.#closeUpstream();
        this.#finish();
        break;
      default:
        break;
    }
  }

  /** The client has disconnected: nothing can be sent to it any more. */
  clientClosed(): void {
    if (this.#requestPhase === 'finished') return;
    this.#requestPhase = 'finished';
    this.#exchange?.transform?.abort();
    this.#closeUpstream();
    this.#forget();
  }

  clientDrained(): void {
    this.#flow.clientBlocked = false;
    this.#exchange?.transform?.resume();
    this.#updateFlow();
  }

  /** Before the decision: reads the content first, or this much of it. `then` continues to authorize the request. */
  collect(maxBytes: number, then: (content: Content) => void): void {
    if (this.#requestPhase !== 'authorizing') return;
    const exchange = this.#exchange as Http1Exchange;
    exchange.collect(maxBytes, then);
    this.#requestPhase = 'collecting';
    const held = this.#fromClient.takeAll();
    // Nobody but the proxy can tell the client to send it.
    if (held === undefined && exchange.request.expectsContinue) this.#sendClient(goOn);
    this.#readEarly(held ?? nothing);
    if (this.#clientEnded) this.clientEnd();
    this.#updateFlow();
  }

  /** Decision: send this head instead, then the body. */
  forward(plan: Plan): void {
    if (this.#requestPhase !== 'authorizing') return;
    const exchange = this.#exchange as Http1Exchange;
    exchange.plan = plan;
    this.#requestPhase = 'connecting';
    if (plan.search !== undefined) {
      exchange.readEarly();
      const held = this.#fromClient.takeAll();
      // What has come already is looked at before anything goes out.
      if (held !== undefined && !this.#readEarly(held)) return;
    }
    this.#port.connectUpstream(false);
  }

  /** Decision, or a failure to connect: the proxy itself replies. */
  reply(reply: LocalReply): void {
    if (this.#requestPhase !== 'authorizing' && this.#requestPhase !== 'connecting') return;
    this.#replyAndContinue(reply);
    this.#updateFlow();
  }

  /** Decision: this connection stops being HTTP here. Returns what the client sent after the head. */
  handOver(): Buffer | undefined {
    this.#requestPhase = 'finished';
    return this.#fromClient.takeAll();
  }

  upstreamReady(reused: boolean): void {
    if (this.#requestPhase !== 'connecting') {
      this.#port.destroyUpstream();
      return;
    }
    const exchange = this.#exchange as Http1Exchange;
    this.#upstreamOpen = true;
    this.#upstreamEnded = false;
    this.#flow.upstreamChanged();
    this.#responsePhase = 'head';
    this.#sendUpstream((exchange.plan as Plan).head);
    for (const part of exchange.begin(reused)) this.#sendUpstream(part);
    if (exchange.requestBody?.done === true) {
      this.#requestPhase = 'sent';
    } else {
      this.#requestPhase = 'body';
      this.#resumeBody();
    }
    this.#updateFlow();
  }

  upstreamBytes(chunk: Buffer): void {
    this.#exchange?.responseByte();
    switch (this.#responsePhase) {
      case 'head':
        this.#readResponses(this.#fromUpstream.join(chunk));
        break;
      case 'renewing':
        this.#fromUpstream.push(chunk);
        break;
      case 'body':
        this.#relayResponseBody(chunk, 0, undefined);
        break;
      default:
        this.#dropUpstream();
    }
    this.#updateFlow();
  }

  /** The upstream's side ended: `cleanly`, or by a reset or an error. */
  upstreamEnd(cleanly: boolean): void {
    if (!this.#upstreamOpen) return;
    if (this.#responsePhase === 'renewing') {
      this.#upstreamEnded = true;
      return;
    }
    this.#closeUpstream();
    switch (this.#responsePhase) {
      case 'head':
        this.#fromUpstream.clear();
        if (this.#exchange?.mayRetry() === true) {
          this.#exchange.retry();
          this.#responsePhase = 'none';
          this.#requestPhase = 'connecting';
          this.#port.connectUpstream(true);
        } else {
          this.#fail({ kind: 'no-response' });
        }
        break;
      case 'body':
        if (this.#exchange?.responseBody?.untilClose === true && cleanly) {
          this.#completeResponse();
        } else {
          this.#abort({ kind: 'truncated' });
        }
        break;
      case 'complete':
        // The response was sent; the rest of the request has nowhere to go.
        this.#endAndDrain();
        break;
      default:
        break;
    }
    this.#updateFlow();
  }

  upstreamDrained(): void {
    this.#flow.upstreamBlocked = false;
    this.#updateFlow();
  }

  /** With a newer credential: the head, and the body if not the client's. Without a head, the 401 stands. */
  renewed(head: Buffer | undefined, body?: Buffer): void {
    const exchange = this.#exchange;
    // The client may have left since.
    if (this.#responsePhase !== 'renewing' || exchange === undefined) return;
    exchange.renew(head, body);
    if (head === undefined) {
      this.#responsePhase = 'head';
      const held = this.#fromUpstream.takeAll();
      if (held !== undefined) this.#readResponses(held);
      if (this.#upstreamEnded) this.upstreamEnd(true);
      this.#updateFlow();
      return;
    }
    this.#fromUpstream.clear();
    this.#closeUpstream();
    this.#responsePhase = 'none';
    this.#requestPhase = 'connecting';
    this.#port.connectUpstream(true);
  }

  /** Nothing has moved for the idle timeout. */
  idleTimeout(): void {
    if (this.#requestPhase === 'finished') return;
    if (this.#requestPhase === 'head' && this.#responsePhase === 'none') {
      if (this.#fromClient.length === 0) this.#finish();
      else this.#fail({ kind: 'request-timeout' });
      return;
    }
    if (this.#responsePhase === 'head' && this.#requestPhase !== 'draining') {
      this.#dropUpstream();
      this.#fail({ kind: 'response-timeout' });
      return;
    }
    this.#abort({ kind: 'stalled' });
  }

  #readRequests(chunk: Buffer): void {
    const joined = this.#fromClient.joinHead(chunk, limits.headBytes);
    if (joined === undefined) return;
    // `authorize` may reply at once, which ends the request and asks for the next one: a loop avoids the recursion.
    if (this.#working) {
      this.#fromClient.push(joined);
      return;
    }
    this.#working = true;
    let bytes: Buffer | undefined = joined;
    while (bytes !== undefined && this.#requestPhase === 'head') {
      const head = parseRequestHead(bytes, 0, bytes.length);
      if (head === undefined) {
        this.#fromClient.push(bytes);
        break;
      }
      if (head instanceof Fault) {
        this.#fail({ kind: 'malformed-head', fault: head });
        break;
      }
      this.#exchange = new Http1Exchange(head, this.#isPipelined);
      this.#requestPhase = 'authorizing';
      if (head.end < bytes.length) this.#fromClient.push(bytes.subarray(head.end));
      this.#port.authorize(head);
      bytes = this.between ? this.#fromClient.takeAll() : undefined;
      this.#isPipelined = true;
    }
    this.#working = false;
    if (this.#requestPhase === 'head' && this.#clientEnded) this.clientEnd();
  }

  #isDraining(): boolean {
    return this.#requestPhase === 'draining' || this.#requestPhase === 'finished';
  }

  #resumeBody(): void {
    const held = this.#fromClient.takeAll();
    if (held !== undefined) this.#relayRequestBody(held);
    if (this.#clientEnded && this.#requestPhase === 'body') this.clientEnd();
  }

  #relayRequestBody(chunk: Buffer): void {
    const exchange = this.#exchange as Http1Exchange;
    // First keep what follows the body: if the response overtook the body, the next request begins at once.
    const part = exchange.take(chunk, this.#fromClient);
    if (part === undefined) {
      this.#failBody(exchange);
      return;
    }
    if (part.length > 0) {
      exchange.sent(part);
      this.#sendUpstream(part);
    }
    if (exchange.requestBody?.done !== true) return;
    this.#requestPhase = 'sent';
    if (this.#responsePhase === 'complete') this.#completeExchange();
  }

  /** Reads the body before there is an upstream. Returns false if that ended the request. */
  #readEarly(chunk: Buffer): boolean {
    const exchange = this.#exchange as Http1Exchange;
    const isFine = exchange.takeEarly(chunk, this.#fromClient);
    if (!isFine) this.#failBody(exchange);
    else if (this.#requestPhase === 'collecting' && exchange.isCollected) {
      this.#requestPhase = 'authorizing';
      exchange.collected();
    }
    return isFine;
  }

  #failBody({ bodyFault }: Http1Exchange): void {
    const isUnanswered = this.#requestPhase !== 'body' || this.#responsePhase === 'head';
    this.#dropUpstream();
    if (isUnanswered) this.#fail(bodyFault);
    else this.#abort(bodyFault);
  }

  #sendUpstream(bytes: Buffer): void {
    if (!this.#port.sendUpstream(bytes)) this.#flow.upstreamBlocked = true;
  }

  #sendClient(bytes: Buffer): boolean {
    if (!this.#port.sendClient(bytes)) this.#flow.clientBlocked = true;
    return !this.#flow.clientBlocked;
  }

  #readResponses(bytes: Buffer): void {
    const exchange = this.#exchange as Http1Exchange;
    let start = 0;
    while (this.#responsePhase === 'head' && start < bytes.length) {
      const head = readResponseHead(bytes, start, exchange.request.method, exchange.plan?.scrub);
      if (head === undefined) {
        this.#fromUpstream.push(start === 0 ? bytes : bytes.subarray(start));
        return;
      }
      if (head instanceof Fault) {
        this.#dropUpstream();
        this.#fail({ kind: 'malformed-response', fault: head });
        return;
      }
      if (head.status < 200) {
        start = this.#interim(head, bytes);
        continue;
      }
      if (head.status === 401 && exchange.mayRenew(this.#requestPhase === 'sent')) {
        this.#responsePhase = 'renewing';
        this.#fromUpstream.push(start === 0 ? bytes : bytes.subarray(start));
        this.#port.renew();
        return;
      }
      this.#beginResponse(head, bytes);
      return;
    }
  }

  /** Relays a 1xx; after 101 the connection is no longer HTTP. Returns where the next head begins. */
  #interim(head: ResponseHead, bytes: Buffer): number {
    const exchange = this.#exchange as Http1Exchange;
    if (head.status !== 101) {
      if (head.status === 100) exchange.continued = true;
      if (exchange.request.minor === 1) this.#sendClient(interimHead(head, exchange.plan?.scrub));
      return head.end;
    }
    if (exchange.request.upgrade === undefined || this.#requestPhase !== 'sent') {
      this.#dropUpstream();
      this.#fail({ kind: 'malformed-response', fault: unexpectedSwitch });
      return bytes.length;
    }
    this.#sendClient(interimHead(head, exchange.plan?.scrub));
    const rest = head.end < bytes.length ? bytes.subarray(head.end) : undefined;
    this.#requestPhase = 'finished';
    this.#responsePhase = 'none';
    this.#upstreamOpen = false;
    this.#port.splice(this.#fromClient.takeAll(), rest);
    return bytes.length;
  }

  #beginResponse(head: ResponseHead, bytes: Buffer): void {
    const exchange = this.#exchange as Http1Exchange;
    this.#responsePhase = 'body';
    const written = exchange.beginResponse(head, this.#clientEnded, this.#outlet);
    if (written !== undefined) this.#sendClient(written);
    this.#relayResponseBody(bytes, head.end, written === undefined ? head.start : undefined);
  }

  /** Relays the body in `bytes` from `start`; with `headStart`, also the unchanged head before it. */
  #relayResponseBody(bytes: Buffer, start: number, headStart: number | undefined): void {
    const { responseBody, transform } = this.#exchange as Http1Exchange;
    const body = responseBody as Body;
    const stop = body.take(bytes, start, bytes.length, transform?.payload);
    const from = headStart ?? start;
    const end = body.fault === undefined ? stop : start;
    if (end > from && transform === undefined) {
      this.#sendClient(from === 0 && end === bytes.length ? bytes : bytes.subarray(from, end));
    }
    if (body.fault !== undefined) {
      this.#abort({ kind: 'malformed-response', fault: body.fault });
      return;
    }
    if (!body.done) return;
    this.#completeResponse(stop === bytes.length);
  }

  #completeResponse(clean = true): void {
    const exchange = this.#exchange as Http1Exchange;
    const { transform } = exchange;
    if (transform === undefined) {
      this.#finishResponse(clean);
      return;
    }
    this.#responsePhase = 'finishing';
    transform.finish(exchange.responseBody?.trailers ?? '', (complete) => {
      if (this.#exchange !== exchange || exchange.transform === undefined) return;
      exchange.transform = undefined;
      if (complete) this.#finishResponse(clean);
      else this.#abort({ kind: 'undecodable' });
      this.#updateFlow();
    });
  }

  #finishResponse(clean: boolean): void {
    this.#responsePhase = 'complete';
    if (!clean) this.#dropUpstream();
    if (this.#isDraining()) return;
    if (this.#requestPhase === 'sent') {
      this.#completeExchange();
      return;
    }
    if (!this.#upstreamOpen || this.#exchange?.isUnframed === true) this.#endAndDrain();
  }

  #completeExchange(): void {
    if (this.#upstreamOpen) {
      this.#upstreamOpen = false;
      this.#flow.upstreamGone();
      const response = this.#exchange?.response;
      if (response?.keepAlive === true) {
        this.#flow.readUpstream(true);
        this.#port.releaseUpstream(idleMsOf(response));
      } else {
        this.#port.destroyUpstream();
      }
    }
    if (this.#exchange?.closing === true) {
      this.#endAndDrain();
      return;
    }
    this.#forget();
    this.#next();
  }

  #next(): void {
    this.#requestPhase = 'head';
    this.#responsePhase = 'none';
    if (this.#working) return;
    const held = this.#fromClient.takeAll();
    this.#isPipelined = held !== undefined;
    if (held !== undefined) this.#readRequests(held);
    else if (this.#clientEnded) this.#finish();
  }

  #forget(): void {
    this.#exchange = undefined;
    this.#fromUpstream.clear();
  }

  /** Sends the proxy's own reply to the current request, or to bytes that are not a request. */
  #replyAndContinue(reply: LocalReply, mustClose = false): void {
    const request = this.#exchange?.request;
    const bodyOutstanding =
      request !== undefined && request.framing.kind !== 'none' && this.#exchange?.requestBody?.done !== true;
    const close = mustClose || bodyOutstanding || request?.keepAlive !== true || this.#clientEnded;
    this.#sendClient(reply({ close, body: request?.method !== 'HEAD' }));
    this.#forget();
    if (close) this.#endAndDrain();
    else this.#next();
  }

  #fail(failure: Failure): void {
    const aboutRequest = failure.kind !== 'malformed-response' && failure.kind !== 'no-response';
    if (this.#requestPhase === 'head') {
      // A fault in an incomplete head belongs to no request yet.
      this.#exchange = undefined;
      this.#requestPhase = 'authorizing';
    }
    const reply = this.#port.failed(failure);
    if (reply !== undefined) this.#replyAndContinue(reply, aboutRequest);
  }

  #dropUpstream(): void {
    if (!this.#upstreamOpen) return;
    this.#closeUpstream();
    if (this.#responsePhase === 'complete' && this.#requestPhase === 'body') this.#endAndDrain();
  }

  #closeUpstream(): void {
    if (this.#upstreamOpen) this.#port.destroyUpstream();
    this.#upstreamOpen = false;
    this.#flow.upstreamGone();
  }

  #endAndDrain(): void {
    this.#closeUpstream();
    this.#forget();
    this.#responsePhase = 'none';
    this.#fromClient.clear();
    if (this.#clientEnded) {
      this.#finish();
      return;
    }
    this.#requestPhase = 'draining';
    this.#port.endClient();
  }

  #finish(): void {
    this.#requestPhase = 'finished';
    this.#forget();
    this.#port.endClient();
  }

  /** Ends the connection so that an incomplete response does not look complete. */
  #abort(cut: Cut): void {
    const exchange = this.#exchange;
    const isGraceful = cut.kind !== 'stalled' && exchange?.isPipelined === true && exchange.isFramed;
    exchange?.transform?.abort();
    this.#closeUpstream();
    this.#requestPhase = 'finished';
    this.#responsePhase = 'none';
    this.#forget();
    this.#port.abortClient(cut, isGraceful);
  }

  /** Turns reading on or off, by what is blocked now. */
  #updateFlow(): void {
    const phase = this.#requestPhase;
    if (phase === 'finished') return;
    const waiting = phase === 'authorizing' || phase === 'connecting' || phase === 'sent';
    const heldBytes = this.#fromClient.length + (this.#exchange?.earlyBytes ?? 0);
    this.#flow.readClient(!this.#flow.upstreamBlocked && !(waiting && heldBytes > 0));
    if (!this.#upstreamOpen) return;
    this.#flow.readUpstream(!this.#flow.responseBlocked && this.#responsePhase !== 'renewing');
  }
}
