import {
  type ClientHttp2Stream,
  constants,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  type ServerHttp2Stream,
} from 'node:http2';
import type { Socket } from 'node:net';
import { AuthsomeError, asAuthsomeError } from '../../errors.ts';
import {
  type CredentialUse,
  failures,
  misplacementOf,
  type PendingRequest,
  type RequestRecord,
} from '../authorize/index.ts';
import type { CaptureUse } from '../capture/index.ts';
import type { ContentPlace } from '../content/index.ts';
import type { Refusal, RequestFacts } from '../decide/index.ts';
import type { Injection } from '../inject/index.ts';
import type { Needles } from '../needles/index.ts';
import {
  extensionsField,
  isSearched,
  isWebSocket,
  maxSearchedBytes,
  type ReadContent,
  readContent,
} from '../outgoing/index.ts';
import { type PhantomFinder, phantomsInHeaders } from '../phantoms/index.ts';
import { mayRenew, mayRetry, Replay } from '../resend/index.ts';
import type { Live, Monitored } from '../runs/index.ts';
import { noNeedles, unreadable } from '../scrub/index.ts';
import { type BodyOwner, type Passage, relayBody, relayScrubbedBody } from './body-relay.ts';
import { answerCaptured } from './captured.ts';
import { type CollectedBody, collectBody } from './collect.ts';
import { discard } from './discard.ts';
import {
  codingsToScrub,
  filledBody,
  type Http2Request,
  isSuccess,
  refusalHeaders,
  relayedTrailers,
  requestHeaders,
  responseHeaders,
  scrubHeaders,
} from './headers.ts';
import { replyWithProblem } from './problem-reply.ts';
import { endMisplaced, passageOf, type SearchedStream } from './request-passage.ts';
import type { UpstreamSession } from './sessions.ts';

const endStreamFlag = constants.NGHTTP2_FLAG_END_STREAM;

/** What a stream needs from its session. */
export interface StreamHost {
  /** An open connection for this credential, if there is one. */
  ready(connection: string | undefined): UpstreamSession | undefined;
  open(connection: string | undefined, allowPrivateAddress: boolean): Promise<UpstreamSession | undefined>;
  /** Authorizes the request by the current routes, policy and credentials. */
  authorize(stream: RelayedStream): void;
  ended(stream: RelayedStream): void;
  /** The places of this host in which a body may have a phantom. */
  bodyPlaces(facts: RequestFacts): readonly ContentPlace[];
  /** Finds the phantoms of the run. */
  readonly finder: PhantomFinder;
  /** The client's TCP connection. */
  readonly raw: Socket;
  /** How long a stream may be idle. */
  readonly streamIdleMs: number;
}

/** One request and its response, relayed from stream to stream with flow control, trailers and resets. */
export class RelayedStream implements PendingRequest, Live, Monitored, BodyOwner, SearchedStream {
  readonly record: RequestRecord;
  connection: string | undefined;
  /** Activity counter for the idle timeout. */
  #activity = 0;
  readonly client: ServerHttp2Stream;
  readonly #request: Http2Request;
  readonly #host: StreamHost;
  #upstream: ClientHttp2Stream | undefined;
  use: CredentialUse | undefined;
  #replay: Replay | undefined;
  /** The body, where it was read before the decision. */
  #collected: (CollectedBody & Pick<ReadContent, 'values'>) | undefined;
  #requestEnded: boolean;
  #trailers: OutgoingHttpHeaders | undefined;
  #renewed = false;
  #renewing = false;
  /** All of the response arrived. */
  #complete = false;
  /** Some of a response arrived. */
  #responseBegun = false;
  #retried = false;
  #ended = false;

  constructor(client: ServerHttp2Stream, request: Http2Request, record: RequestRecord, host: StreamHost) {
    this.client = client;
    this.#request = request;
    this.#requestEnded = request.bodyless;
    this.record = record;
    this.#host = host;
    client.on('error', () => {});
    client.on('trailers', (trailers: IncomingHttpHeaders) => this.guard(() => this.#onTrailers(trailers)));
    client.on('close', () => this.#finish());
    // A stream that was reset closes only when its data has been read.
    client.on('aborted', () => {
      this.#finish();
      client.resume();
    });
  }

  /** The client has left, or its response has begun: no other response can be sent. */
  get settled(): boolean {
    return this.#ended || this.client.closed || this.client.headersSent;
  }

  get sendsMessages(): boolean {
    return isWebSocket(this.#request.protocol) && !this.#host.finder.isEmpty;
  }

  get facts(): RequestFacts {
    return this.record.facts;
  }

  // The stream itself is monitored, since another object would cost an allocation for each request.

  moved(): void {
    this.#activity += 1;
  }

  progress(): number {
    return this.#activity;
  }

  idleMs(): number {
    return this.#host.streamIdleMs;
  }

  get #isHead(): boolean {
    return this.#request.headers[':method'] === 'HEAD';
  }

  #onTrailers(trailers: IncomingHttpHeaders): void {
    const found = phantomsInHeaders(this.#host.finder, trailers)?.[0];
    if (found === undefined) {
      this.#trailers = relayedTrailers(trailers);
      return;
    }
    const upstream = this.#upstream;
    if (upstream !== undefined) this.leave(upstream);
    if (this.client.closed) return;
    endMisplaced(this, misplacementOf(this.record, { phantom: found.phantom, place: { kind: 'trailer' } }));
  }

  /** Asks for the authorization, once what it depends on has been read. */
  begin(): void {
    const { headers, bodyless } = this.#request;
    const { finder } = this.#host;
    const isRead = !bodyless && isSearched(finder, headers['content-type']);
    const places = isRead ? this.#host.bodyPlaces(this.facts) : [];
    if (places.length === 0) {
      this.#host.authorize(this);
      return;
    }
    // Nobody but the proxy can tell the client to send it.
    if (headers.expect?.toLowerCase() === '100-continue') this.client.additionalHeaders({ ':status': 100 });
    collectBody(this, this.client, maxSearchedBytes, (body) => {
      // Its trailers have been refused.
      if (this.settled) return;
      const fields = {
        contentType: headers['content-type'],
        contentEncoding: headers['content-encoding']?.toString(),
      };
      const bytes = body.bytes.subarray(0, maxSearchedBytes);
      const read = readContent({ bytes, isWhole: body.isWhole, ...fields }, places, finder);
      this.#requestEnded = body.isWhole;
      this.#collected = { ...body, values: read.values };
      this.record.add(read.phantoms);
      this.guard(() => this.#host.authorize(this));
    });
  }

  inject(use: CredentialUse): void {
    this.use = use;
    this.#connect(use.connection, use.route.allowPrivateAddress, use.injection);
  }

  pass(allowPrivateAddress: boolean): void {
    this.#connect(undefined, allowPrivateAddress, undefined);
  }

  capture(use: CaptureUse): void {
    this.record.allow('passed');
    answerCaptured(this, this.#request, use, this.#host.raw);
  }

  refuse(refusal: Refusal): void {
    replyWithProblem(this.client, this.record.refuse(refusal), this.#isHead);
  }

  fail(error: AuthsomeError): void {
    replyWithProblem(this.client, this.record.fail(error), this.#isHead);
  }

  /** Whether the client got a response, complete or not. */
  get responded(): boolean {
    return this.client.headersSent;
  }

  /** Ends the stream as if the upstream had. */
  cut(why?: AuthsomeError): void {
    if (why !== undefined) this.record.fail(why);
    discard(this.client, constants.NGHTTP2_CANCEL);
  }

  onIdle(): void {
    if (this.client.headersSent) this.cut(failures.stalled());
    else this.fail(failures.timeout());
  }

  /** Node refuses to send some messages: errors here fail this stream, not the daemon. */
  guard(step: () => void): void {
    try {
      step();
    } catch (error) {
      const failure = new AuthsomeError('UpstreamMalformed', 'the message cannot be relayed as HTTP/2', {
        cause: error,
      });
      if (this.client.headersSent) this.abort(failure, constants.NGHTTP2_CANCEL);
      else this.fail(failure);
    }
  }

  #connect(
    connection: string | undefined,
    allowPrivateAddress: boolean,
    injection: Injection | undefined,
  ): void {
    this.connection = connection;
    // The connection that refused it may refuse it again.
    const ready = this.#retried ? undefined : this.#host.ready(connection);
    if (ready !== undefined) {
      this.guard(() => this.#send(ready, injection));
      return;
    }
    this.#host.open(connection, allowPrivateAddress).then(
      (session) => {
        if (this.settled) return;
        if (session === undefined) {
          this.fail(new AuthsomeError('UpstreamMalformed', 'the upstream no longer supports HTTP/2'));
        } else {
          this.guard(() => this.#send(session, injection));
        }
      },
      (error: unknown) => {
        if (!this.settled) this.fail(asAuthsomeError(error));
      },
    );
  }

  #send(session: UpstreamSession, injection: Injection | undefined): void {
    const headers = requestHeaders(this.#request, injection);
    const collected = this.#collected && filledBody(this.#collected, headers, injection);
    if (this.sendsMessages) delete headers[extensionsField];
    const upstream = session.session.request(headers, {
      endStream: this.#request.bodyless,
      waitForTrailers: !this.#request.bodyless,
    });
    this.record.allow(injection === undefined ? 'passed' : 'injected');
    session.active += 1;
    this.#upstream = upstream;
    upstream.once('close', () => {
      session.active -= 1;
      // The stream of a 401 may close during the renewal, and the 401 is still a response.
      if (this.#upstream === upstream && !this.#renewing) this.#upstreamClosed(upstream);
    });
    upstream.on('error', () => {});
    // Node ends the writing side of a stream that it resets, and trailers would make it look complete.
    upstream.on('wantTrailers', () => {
      if (!upstream.closed) upstream.sendTrailers(this.#trailers ?? {});
    });
    upstream.on('headers', (interim: IncomingHttpHeaders) => this.guard(() => this.#interim(interim)));
    upstream.on('response', (response: IncomingHttpHeaders, flags: number) => {
      if (this.#upstream !== upstream) return;
      this.guard(() => this.#onResponse(upstream, response, (flags & endStreamFlag) !== 0));
    });
    if (collected !== undefined) this.#sendCollected(upstream, collected);
    else if (!this.#request.bodyless) this.#sendBody(upstream, injection !== undefined);
  }

  #sendCollected(upstream: ClientHttp2Stream, bytes: Buffer): void {
    if (this.#requestEnded) {
      upstream.end(bytes);
      return;
    }
    upstream.write(bytes);
    this.#sendRest(upstream, undefined);
    this.client.resume();
  }

  #sendBody(upstream: ClientHttp2Stream, keep: boolean): void {
    if (this.#renewed) {
      for (const chunk of this.#replay?.chunks ?? []) upstream.write(chunk);
      upstream.end();
      return;
    }
    this.#replay = keep ? new Replay() : undefined;
    this.client.on('data', (chunk: Buffer) => this.#replay?.add(chunk));
    const finderNow = (): PhantomFinder => this.#host.finder;
    this.#sendRest(upstream, passageOf(this, this.#request, upstream, finderNow));
  }

  #sendRest(upstream: ClientHttp2Stream, passage: Passage | undefined): void {
    this.client.once('end', () => {
      // Node ends a stream that was reset like a complete one.
      if (this.client.rstCode !== 0 || this.client.aborted) {
        upstream.close(this.client.rstCode || constants.NGHTTP2_CANCEL);
        return;
      }
      this.#requestEnded = true;
      if (this.#upstream !== undefined) upstream.end();
    });
    relayBody(this, this.client, upstream, passage);
  }

  leave(upstream: ClientHttp2Stream): boolean {
    if (this.#upstream !== upstream) return false;
    this.#upstream = undefined;
    discard(upstream, constants.NGHTTP2_CANCEL);
    return true;
  }

  #interim(headers: IncomingHttpHeaders): void {
    this.#activity += 1;
    this.#responseBegun = true;
    if (!this.client.headersSent && !this.client.closed) {
      const needles = this.use?.needles() ?? noNeedles;
      this.client.additionalHeaders(scrubHeaders(responseHeaders(headers), needles, false));
    }
  }

  #onResponse(upstream: ClientHttp2Stream, headers: IncomingHttpHeaders, endStream: boolean): void {
    this.#activity += 1;
    this.#responseBegun = true;
    if (Number(headers[':status']) === 401 && this.#mayRenew()) {
      this.#renew(upstream, headers, endStream);
      return;
    }
    this.#respond(upstream, headers, endStream);
  }

  #respond(upstream: ClientHttp2Stream, headers: IncomingHttpHeaders, endStream: boolean): void {
    if (this.client.closed) return;
    this.#replay = undefined;
    const use = this.use;
    // A renewal may add some while the response is under way.
    const needlesNow = (): Needles => use?.needles() ?? noNeedles;
    const needles = needlesNow();
    // After an extended CONNECT, what follows is another protocol (RFC 8441 §5), like after a 101 in HTTP/1.1.
    const isTunnel = this.#request.protocol !== undefined && isSuccess(headers);
    const fault =
      endStream || isTunnel || needles.isEmpty
        ? undefined
        : unreadable(Number(headers[':status']), {
            contentType: headers['content-type'],
            contentEncoding: headers['content-encoding'],
          });
    if (fault !== undefined) {
      this.#upstream = undefined;
      discard(upstream, constants.NGHTTP2_CANCEL);
      this.fail(new AuthsomeError('UpstreamMalformed', fault));
      return;
    }
    const codings = endStream || isTunnel ? undefined : codingsToScrub(headers, needles);
    const shown = scrubHeaders(responseHeaders(headers), needles, codings !== undefined);
    if (use !== undefined) Object.assign(shown, refusalHeaders(headers, this.record.id, use.advise));
    this.client.respond(shown, { endStream, waitForTrailers: !endStream });
    if (endStream) {
      this.#complete = true;
      return;
    }
    let trailers: OutgoingHttpHeaders = {};
    let hasTrailers = false;
    let received = 0;
    upstream.on('data', (chunk: Buffer) => {
      received += chunk.length;
    });
    upstream.on('trailers', (fields: IncomingHttpHeaders) => {
      hasTrailers = true;
      trailers = scrubHeaders(relayedTrailers(fields), needlesNow(), codings !== undefined);
    });
    this.client.on('wantTrailers', () => {
      if (!this.client.closed) this.client.sendTrailers(trailers);
    });
    const scrubbed =
      codings === undefined ? undefined : relayScrubbedBody(this, upstream, needlesNow, codings);
    if (scrubbed === undefined) relayBody(this, upstream, this.client);
    // An upstream may reset a stream after a complete response, to stop the rest of the request (RFC 9113 §8.1). Node
    // reports only the reset. A response that is not proven complete must not look complete.
    upstream.once('end', () => {
      if (this.#upstream !== upstream) return;
      const isProven = hasTrailers || Number(headers['content-length']) === received;
      const isClean = upstream.rstCode === constants.NGHTTP2_NO_ERROR && !upstream.aborted;
      this.#complete = isProven || isClean;
      if (!this.#complete) {
        scrubbed?.abort();
        this.#upstreamClosed(upstream);
      } else if (scrubbed !== undefined) {
        scrubbed.finish();
      } else {
        this.client.end();
      }
    });
  }

  #mayRenew(): boolean {
    return mayRenew({
      isRenewable: this.use !== undefined,
      wasRenewed: this.#renewed,
      // Trailers are not kept.
      isSent: this.#requestEnded && this.#trailers === undefined,
      body: this.#request.bodyless || this.#collected?.isWhole === true ? [] : this.#replay?.chunks,
    });
  }

  #renew(upstream: ClientHttp2Stream, headers: IncomingHttpHeaders, endStream: boolean): void {
    const use = this.use as CredentialUse;
    this.#renewed = true;
    this.#renewing = true;
    const renewal = use.renew((injection) => injection);
    renewal.then(
      (injection) => {
        this.#renewing = false;
        if (this.settled) return;
        if (injection === undefined) {
          if (upstream.destroyed && !endStream) this.#upstreamClosed(upstream);
          else this.#respond(upstream, headers, endStream);
          return;
        }
        this.#upstream = undefined;
        discard(upstream, constants.NGHTTP2_CANCEL);
        this.#connect(use.connection, use.route.allowPrivateAddress, injection);
      },
      () => this.cut(),
    );
  }

  /** The upstream's stream has closed: an incomplete response must not look complete. */
  #upstreamClosed(upstream: ClientHttp2Stream): void {
    if (this.#ended || this.client.closed) return;
    if (this.#complete) {
      // The rest of the request is discarded. A reset would cost some clients the response.
      this.client.resume();
      return;
    }
    const code = upstream.rstCode ?? constants.NGHTTP2_NO_ERROR;
    if (!this.client.headersSent) {
      // REFUSED_STREAM, or a GOAWAY that excludes the stream: nghttp2 reports both alike (RFC 9113 §6.8, §8.7).
      const isUnprocessed = code === constants.NGHTTP2_REFUSED_STREAM && !this.#responseBegun;
      const { method } = this.#request;
      const hasContent = !this.#request.bodyless;
      if (mayRetry({ method, hasContent, isUnprocessed, wasRetried: this.#retried })) {
        this.#retried = true;
        this.guard(() => this.#host.authorize(this));
      } else {
        this.fail(isUnprocessed ? failures.unprocessed() : failures.noResponse('stream'));
      }
    } else if (!upstream.readableEnded || upstream.aborted || code !== constants.NGHTTP2_NO_ERROR) {
      this.abort(failures.truncated(), code);
    }
  }

  /** Ends a response that has begun so that it does not look complete. */
  abort(why: AuthsomeError, code: number): void {
    this.record.fail(why);
    this.client.close(code === constants.NGHTTP2_NO_ERROR ? constants.NGHTTP2_INTERNAL_ERROR : code);
  }

  #finish(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.record.abandon();
    const upstream = this.#upstream;
    if (upstream !== undefined && !upstream.destroyed) {
      discard(upstream, this.client.rstCode || constants.NGHTTP2_CANCEL);
    }
    this.#host.ended(this);
  }
}
