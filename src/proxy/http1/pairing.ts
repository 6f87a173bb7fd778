import { Accumulator } from './accumulator.ts';
import { answerHead, interimHead, readAnswerHead } from './answer-head.ts';
import type { Body } from './body.ts';
import { LF } from './bytes.ts';
import { Fault } from './fault.ts';
import { limits } from './fields.ts';
import { type RequestPhase, type ResponsePhase, truncatedHead, unexpectedSwitch } from './phases.ts';
import type { Answer, Cut, Failure, PairingPort, Plan, TransformOutlet } from './port.ts';
import { parseRequestHead } from './request.ts';
import { idleMsOf, type ResponseHead } from './response.ts';
import { Turn } from './turn.ts';
import { Valves } from './valves.ts';

/**
 * One client connection's HTTP/1.1: pairs each request with its answer and frames both exactly. It holds no socket:
 * events come in as calls, actions go out through the port.
 */
export class Pairing {
  readonly #port: PairingPort;
  #requestPhase: RequestPhase = 'head';
  #responsePhase: ResponsePhase = 'none';
  #turn: Turn | undefined;
  /** Client bytes that wait for a whole head, a decision, or the end of the answer before them. */
  readonly #fromClient = new Accumulator();
  readonly #fromUpstream = new Accumulator();
  #clientEnded = false;
  readonly #valves: Valves;
  readonly #outlet: TransformOutlet;
  #upstreamOpen = false;
  #upstreamEnded = false;
  #working = false;
  /** The next request, or a part of it, came before the answer to the one before it was out. */
  #isPipelined = false;

  constructor(port: PairingPort) {
    this.#port = port;
    this.#valves = new Valves(port);
    this.#outlet = {
      emit: (bytes) => this.#reply(bytes),
      block: (on) => {
        this.#valves.transformBlocked = on;
        this.#steer();
      },
      broken: () => this.#abandon({ kind: 'undecodable' }),
    };
  }

  /** No request is under way. */
  get idle(): boolean {
    return this.#requestPhase === 'head' && this.#responsePhase === 'none' && this.#fromClient.length === 0;
  }

  /** Whether the next thing to come is a request's head, or the rest of one. */
  get between(): boolean {
    return this.#requestPhase === 'head';
  }

  /** Something is still to come from an upstream, or to go there. */
  get underWay(): boolean {
    return this.#turn !== undefined;
  }

  /** An answer has begun, and is not over. */
  get answering(): boolean {
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
      case 'judging':
      case 'connecting':
      case 'sent':
        this.#fromClient.push(chunk);
        break;
      default:
        return;
    }
    this.#steer();
  }

  /** The client sends nothing more; it may still be listening (RFC 9112 §9.6). */
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
      case 'body':
      case 'draining':
        this.#closeUpstream();
        this.#finish();
        break;
      default:
        break;
    }
  }

  /** The client is gone: nothing can be answered any more. */
  clientClosed(): void {
    if (this.#requestPhase === 'over') return;
    this.#requestPhase = 'over';
    this.#turn?.transform?.abort();
    this.#closeUpstream();
    this.#forget();
  }

  clientDrained(): void {
    this.#valves.clientBlocked = false;
    this.#turn?.transform?.resume();
    this.#steer();
  }

  /** The decision: send this head instead, then the body as it comes. */
  forward(plan: Plan): void {
    if (this.#requestPhase !== 'judging') return;
    (this.#turn as Turn).plan = plan;
    this.#requestPhase = 'connecting';
    this.#port.connectUpstream(false);
  }

  /** The decision, or a failure to connect: an answer of our own. */
  answer(answer: Answer): void {
    if (this.#requestPhase !== 'judging' && this.#requestPhase !== 'connecting') return;
    this.#answerAndGoOn(answer);
    this.#steer();
  }

  /** The decision: this connection is no longer HTTP here. Returns what the client sent beyond the head. */
  handOver(): Buffer | undefined {
    this.#requestPhase = 'over';
    return this.#fromClient.takeAll();
  }

  upstreamReady(reused: boolean): void {
    if (this.#requestPhase !== 'connecting') {
      this.#port.destroyUpstream();
      return;
    }
    const turn = this.#turn as Turn;
    this.#upstreamOpen = true;
    this.#upstreamEnded = false;
    this.#valves.upstreamChanged();
    this.#responsePhase = 'head';
    this.#send((turn.plan as Plan).head);
    const kept = turn.begin(reused);
    for (const chunk of kept ?? []) this.#send(chunk);
    if (kept !== undefined || turn.requestBody?.done === true) {
      this.#requestPhase = 'sent';
    } else {
      this.#requestPhase = 'body';
      this.#resumeBody();
    }
    this.#steer();
  }

  upstreamBytes(chunk: Buffer): void {
    this.#turn?.heard();
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
    this.#steer();
  }

  /** The upstream ended its side, or its connection is gone; `cleanly` unless by a reset or an error. */
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
        if (this.#turn?.mayRetry() === true) {
          this.#turn.retry();
          this.#responsePhase = 'none';
          this.#requestPhase = 'connecting';
          this.#port.connectUpstream(true);
        } else {
          this.#fail({ kind: 'no-answer' });
        }
        break;
      case 'body':
        if (this.#turn?.responseBody?.untilClose === true && cleanly) {
          this.#completeResponse();
        } else {
          this.#abandon({ kind: 'truncated' });
        }
        break;
      case 'complete':
        // The answer is out; whatever the client still sends has nowhere to go.
        this.#endAndDrain();
        break;
      default:
        break;
    }
    this.#steer();
  }

  upstreamDrained(): void {
    this.#valves.upstreamBlocked = false;
    this.#steer();
  }

  /** The head with a newer credential, or `undefined` when there is none and the 401 stands. */
  renewed(head: Buffer | undefined): void {
    const turn = this.#turn;
    // The client may have left meanwhile.
    if (this.#responsePhase !== 'renewing' || turn === undefined) return;
    turn.renew(head);
    if (head === undefined) {
      this.#responsePhase = 'head';
      const held = this.#fromUpstream.takeAll();
      if (held !== undefined) this.#readResponses(held);
      if (this.#upstreamEnded) this.upstreamEnd(true);
      this.#steer();
      return;
    }
    this.#fromUpstream.clear();
    this.#closeUpstream();
    this.#responsePhase = 'none';
    this.#requestPhase = 'connecting';
    this.#port.connectUpstream(true);
  }

  /** Nothing has moved for the idle time. */
  idleTimeout(): void {
    if (this.#requestPhase === 'over') return;
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
    this.#abandon({ kind: 'standstill' });
  }

  #readRequests(chunk: Buffer): void {
    // While a head drips in, only a new line can change what is known about it.
    if (this.#fromClient.length > 0 && chunk.indexOf(LF) === -1) {
      this.#fromClient.push(chunk);
      if (this.#fromClient.length <= limits.headBytes) return;
      chunk = this.#fromClient.takeAll() as Buffer;
    } else {
      chunk = this.#fromClient.join(chunk);
    }
    // `judge` may answer at once, which ends the request and calls back for the next one: a loop, not a recursion.
    if (this.#working) {
      this.#fromClient.push(chunk);
      return;
    }
    this.#working = true;
    let bytes: Buffer | undefined = chunk;
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
      this.#turn = new Turn(head, this.#isPipelined);
      this.#requestPhase = 'judging';
      if (head.end < bytes.length) this.#fromClient.push(bytes.subarray(head.end));
      this.#port.judge(head);
      bytes = this.between ? this.#fromClient.takeAll() : undefined;
      this.#isPipelined = true;
    }
    this.#working = false;
    if (this.#requestPhase === 'head' && this.#clientEnded) this.clientEnd();
  }

  #isDraining(): boolean {
    return this.#requestPhase === 'draining' || this.#requestPhase === 'over';
  }

  #resumeBody(): void {
    const held = this.#fromClient.takeAll();
    if (held !== undefined) this.#relayRequestBody(held);
    if (this.#clientEnded && this.#requestPhase === 'body') this.clientEnd();
  }

  #relayRequestBody(chunk: Buffer): void {
    const turn = this.#turn as Turn;
    const body = turn.requestBody as Body;
    const stop = body.take(chunk, 0, chunk.length);
    if (body.fault !== undefined) {
      this.#dropUpstream();
      if (this.#responsePhase === 'head') this.#fail({ kind: 'malformed-body', fault: body.fault });
      else this.#abandon({ kind: 'malformed-body', fault: body.fault });
      return;
    }
    if (stop > 0) {
      const part = stop === chunk.length ? chunk : chunk.subarray(0, stop);
      turn.sent(part);
      this.#send(part);
    }
    if (!body.done) return;
    this.#requestPhase = 'sent';
    // What comes after the body waits first: where the answer overtook the body, the next request begins at once.
    if (stop < chunk.length) this.#fromClient.push(chunk.subarray(stop));
    if (this.#responsePhase === 'complete') this.#completeExchange();
  }

  #send(bytes: Buffer): void {
    if (!this.#port.sendUpstream(bytes)) this.#valves.upstreamBlocked = true;
  }

  #reply(bytes: Buffer): boolean {
    if (!this.#port.sendClient(bytes)) this.#valves.clientBlocked = true;
    return !this.#valves.clientBlocked;
  }

  #readResponses(bytes: Buffer): void {
    const turn = this.#turn as Turn;
    let start = 0;
    while (this.#responsePhase === 'head' && start < bytes.length) {
      const head = readAnswerHead(bytes, start, turn.request.method, turn.plan?.scrub);
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
      if (head.status === 401 && this.#requestPhase === 'sent' && turn.mayRenew()) {
        this.#responsePhase = 'renewing';
        this.#fromUpstream.push(start === 0 ? bytes : bytes.subarray(start));
        this.#port.renew();
        return;
      }
      this.#beginResponse(head, bytes);
      return;
    }
  }

  /** 1xx passes and the wait goes on; 101 ends HTTP. Returns where the next head begins. */
  #interim(head: ResponseHead, bytes: Buffer): number {
    const turn = this.#turn as Turn;
    if (head.status !== 101) {
      if (head.status === 100) turn.continued = true;
      if (turn.request.minor === 1) this.#reply(interimHead(head, turn.plan?.scrub));
      return head.end;
    }
    if (turn.request.upgrade === undefined || this.#requestPhase !== 'sent') {
      this.#dropUpstream();
      this.#fail({ kind: 'malformed-response', fault: unexpectedSwitch });
      return bytes.length;
    }
    this.#reply(interimHead(head, turn.plan?.scrub));
    const rest = head.end < bytes.length ? bytes.subarray(head.end) : undefined;
    this.#requestPhase = 'over';
    this.#responsePhase = 'none';
    this.#upstreamOpen = false;
    this.#port.splice(this.#fromClient.takeAll(), rest);
    return bytes.length;
  }

  #beginResponse(head: ResponseHead, bytes: Buffer): void {
    const turn = this.#turn as Turn;
    const plan = turn.plan as Plan;
    turn.answeredWith(head);
    turn.closing =
      !turn.request.keepAlive || head.framing.kind === 'close' || this.#clientEnded || turn.isUnframed;
    this.#responsePhase = 'body';
    const changes = { close: turn.closing, extraLine: plan.lineFor?.(head) };
    turn.transform = plan.scrub?.body(head, this.#outlet);
    if (turn.transform !== undefined) {
      this.#reply(turn.transform.head(changes));
      this.#relayResponseBody(bytes, head.end, undefined);
      return;
    }
    const rewritten = answerHead(head, changes, plan.scrub);
    if (rewritten !== undefined) {
      this.#reply(rewritten);
      this.#relayResponseBody(bytes, head.end, undefined);
    } else {
      this.#relayResponseBody(bytes, head.end, head.start);
    }
  }

  /** Relays the body in `bytes` from `start`; with `headStart`, together with the untouched head before it. */
  #relayResponseBody(bytes: Buffer, start: number, headStart: number | undefined): void {
    const { responseBody, transform } = this.#turn as Turn;
    const body = responseBody as Body;
    const stop = body.take(bytes, start, bytes.length, transform?.payload);
    const from = headStart ?? start;
    const end = body.fault === undefined ? stop : start;
    if (end > from && transform === undefined) {
      this.#reply(from === 0 && end === bytes.length ? bytes : bytes.subarray(from, end));
    }
    if (body.fault !== undefined) {
      this.#abandon({ kind: 'malformed-response', fault: body.fault });
      return;
    }
    if (!body.done) return;
    this.#completeResponse(stop === bytes.length);
  }

  #completeResponse(clean = true): void {
    const turn = this.#turn as Turn;
    const { transform } = turn;
    if (transform === undefined) {
      this.#responseOver(clean);
      return;
    }
    this.#responsePhase = 'finishing';
    transform.finish(turn.responseBody?.trailers ?? '', (whole) => {
      if (this.#turn !== turn || turn.transform === undefined) return;
      turn.transform = undefined;
      if (whole) this.#responseOver(clean);
      else this.#abandon({ kind: 'undecodable' });
      this.#steer();
    });
  }

  #responseOver(clean: boolean): void {
    this.#responsePhase = 'complete';
    if (!clean) this.#dropUpstream();
    if (this.#isDraining()) return;
    if (this.#requestPhase === 'sent') {
      this.#completeExchange();
      return;
    }
    if (!this.#upstreamOpen || this.#turn?.isUnframed === true) this.#endAndDrain();
  }

  #completeExchange(): void {
    if (this.#upstreamOpen) {
      this.#upstreamOpen = false;
      this.#valves.upstreamGone();
      const response = this.#turn?.response;
      if (response?.keepAlive === true) {
        this.#valves.readUpstream(true);
        this.#port.releaseUpstream(idleMsOf(response));
      } else {
        this.#port.destroyUpstream();
      }
    }
    if (this.#turn?.closing === true) {
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
    this.#turn = undefined;
    this.#fromUpstream.clear();
  }

  /** Our own answer to the current request, or to bytes that are not one. */
  #answerAndGoOn(answer: Answer, mustClose = false): void {
    const request = this.#turn?.request;
    const bodyOutstanding =
      request !== undefined && request.framing.kind !== 'none' && this.#requestPhase !== 'sent';
    const close = mustClose || bodyOutstanding || request?.keepAlive !== true || this.#clientEnded;
    this.#reply(answer({ close, body: request?.method !== 'HEAD' }));
    this.#forget();
    if (close) this.#endAndDrain();
    else this.#next();
  }

  #fail(failure: Failure): void {
    const aboutRequest = failure.kind !== 'malformed-response' && failure.kind !== 'no-answer';
    // A fault found before there is a whole head belongs to no request yet.
    if (this.#requestPhase === 'head') this.#turn = undefined;
    this.#answerAndGoOn(this.#port.failed(failure), aboutRequest);
  }

  #dropUpstream(): void {
    if (!this.#upstreamOpen) return;
    this.#closeUpstream();
    if (this.#responsePhase === 'complete' && this.#requestPhase === 'body') this.#endAndDrain();
  }

  #closeUpstream(): void {
    if (this.#upstreamOpen) this.#port.destroyUpstream();
    this.#upstreamOpen = false;
    this.#valves.upstreamGone();
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
    this.#requestPhase = 'over';
    this.#forget();
    this.#port.endClient();
  }

  /** A cut-off answer must not look complete. */
  #abandon(cut: Cut): void {
    const turn = this.#turn;
    const isGentle = cut.kind !== 'standstill' && turn?.isPipelined === true && turn.isFramed;
    turn?.transform?.abort();
    this.#closeUpstream();
    this.#requestPhase = 'over';
    this.#responsePhase = 'none';
    this.#forget();
    this.#port.breakOffClient(cut, isGentle);
  }

  /** Turns reading on or off where what holds it back has changed. */
  #steer(): void {
    const phase = this.#requestPhase;
    if (phase === 'over') return;
    const waiting = phase === 'judging' || phase === 'connecting' || phase === 'sent';
    this.#valves.readClient(!this.#valves.upstreamBlocked && !(waiting && this.#fromClient.length > 0));
    if (!this.#upstreamOpen) return;
    this.#valves.readUpstream(!this.#valves.answerBlocked && this.#responsePhase !== 'renewing');
  }
}
