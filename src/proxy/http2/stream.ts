import {
  type ClientHttp2Stream,
  constants,
  type Http2Stream,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  type ServerHttp2Stream,
} from 'node:http2';
import type { Duplex } from 'node:stream';
import { AuthsomeError, asAuthsomeError } from '../../errors.ts';
import {
  type CredentialUse,
  failures,
  type PendingRequest,
  type RequestRecord,
  retryIfSafe,
} from '../authorize/index.ts';
import type { Refusal, RequestFacts } from '../decide/index.ts';
import { isIdempotent, Replay } from '../http1/index.ts';
import type { Injection } from '../inject/index.ts';
import { type Problem, problemDocument, problemStatus } from '../refusal/index.ts';
import type { Live } from '../runs/index.ts';
import { type Coding, type Needles, noNeedles, ScrubbedBody, unreadable } from '../scrub/index.ts';
import {
  codingsToScrub,
  type Http2Target,
  refusalHeaders,
  relayedTrailers,
  requestHeaders,
  responseHeaders,
  scrubHeaders,
} from './headers.ts';
import type { UpstreamSession } from './sessions.ts';

const endStreamFlag = constants.NGHTTP2_FLAG_END_STREAM;

/** What a stream needs from the session around it. */
export interface StreamHost {
  /** A connection for this credential, now where there is one. */
  ready(connection: string | undefined): UpstreamSession | undefined;
  open(connection: string | undefined, allowPrivateAddress: boolean): Promise<UpstreamSession | undefined>;
  /** Judges it anew, by the routes, the policy and the credentials of this moment. */
  hear(stream: RelayedStream): void;
  ended(stream: RelayedStream): void;
  /** How long nothing may move on a stream. */
  readonly streamIdleMs: number;
}

/** One request and its response, relayed stream to stream: flow control, trailers and resets go from end to end. */
export class RelayedStream implements PendingRequest, Live {
  readonly record: RequestRecord;
  connection: string | undefined;
  /** Grows whenever something moves. */
  #activity = 0;
  readonly #client: ServerHttp2Stream;
  readonly #headers: IncomingHttpHeaders;
  readonly #target: Http2Target;
  readonly #bodyless: boolean;
  readonly #host: StreamHost;
  #upstream: ClientHttp2Stream | undefined;
  #use: CredentialUse | undefined;
  #replay: Replay | undefined;
  #requestEnded: boolean;
  #trailers: OutgoingHttpHeaders | undefined;
  #renewed = false;
  #renewing = false;
  /** All of the response came. */
  #complete = false;
  /** Something of a response came. */
  #responseBegun = false;
  #repeated = false;
  #ended = false;

  constructor(
    client: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    bodyless: boolean,
    target: Http2Target,
    record: RequestRecord,
    host: StreamHost,
  ) {
    this.#client = client;
    this.#headers = headers;
    this.#bodyless = bodyless;
    this.#requestEnded = bodyless;
    this.#target = target;
    this.record = record;
    this.#host = host;
    client.on('error', () => {});
    client.on('trailers', (trailers: IncomingHttpHeaders) => {
      this.#trailers = relayedTrailers(trailers);
    });
    client.on('close', () => this.#finish());
    // A stream that was reset closes only when all that it brought has been read, and nobody may be reading.
    client.on('aborted', () => {
      this.#finish();
      client.resume();
    });
  }

  /** Whether nobody waits for a response any more, or it has begun: nothing more may be sent for it. */
  get settled(): boolean {
    return this.#ended || this.#client.closed || this.#client.headersSent;
  }

  get facts(): RequestFacts {
    return this.record.facts;
  }

  // What is watched for silence. It is this very object, since there would be another one for each request.

  progress(): number {
    return this.#activity;
  }

  idleMs(): number {
    return this.#host.streamIdleMs;
  }

  inject(use: CredentialUse): void {
    this.#use = use;
    this.#connect(use.connection, use.route.allowPrivateAddress, use.injection);
  }

  pass(allowPrivateAddress: boolean): void {
    this.#connect(undefined, allowPrivateAddress, undefined);
  }

  refuse(refusal: Refusal): void {
    this.#reply(this.record.refuse(refusal));
  }

  fail(error: AuthsomeError): void {
    this.#reply(this.record.fail(error));
  }

  /** Whether the client got a response, whole or not. */
  get responded(): boolean {
    return this.#client.headersSent;
  }

  /** Ends it as if the upstream had. */
  cut(why?: AuthsomeError): void {
    if (why !== undefined) this.record.fail(why);
    discard(this.#client, constants.NGHTTP2_CANCEL);
  }

  /** Nothing has moved for too long. */
  onIdle(): void {
    if (this.#client.headersSent) this.cut(failures.stalled());
    else this.fail(new AuthsomeError('UpstreamTimeout', 'the upstream did not answer in time'));
  }

  /** What Node refuses to put on the wire, and any fault of ours, costs this stream and never the daemon. */
  #guard(step: () => void): void {
    try {
      step();
    } catch (error) {
      const failure = new AuthsomeError('UpstreamMalformed', 'the message cannot be relayed as HTTP/2', {
        cause: error,
      });
      if (this.#client.headersSent) this.#abort(failure, constants.NGHTTP2_CANCEL);
      else this.fail(failure);
    }
  }

  #connect(
    connection: string | undefined,
    allowPrivateAddress: boolean,
    injection: Injection | undefined,
  ): void {
    this.connection = connection;
    // The connection that refused it may go on refusing.
    const ready = this.#repeated ? undefined : this.#host.ready(connection);
    if (ready !== undefined) {
      this.#guard(() => this.#send(ready, injection));
      return;
    }
    this.#host.open(connection, allowPrivateAddress).then(
      (session) => {
        if (this.settled) return;
        if (session === undefined) {
          this.fail(new AuthsomeError('UpstreamMalformed', 'the upstream no longer speaks HTTP/2'));
        } else {
          this.#guard(() => this.#send(session, injection));
        }
      },
      (error: unknown) => {
        if (!this.settled) this.fail(asAuthsomeError(error));
      },
    );
  }

  #send(session: UpstreamSession, injection: Injection | undefined): void {
    const headers = requestHeaders(this.#headers, this.#target, injection);
    const upstream = session.session.request(headers, {
      endStream: this.#bodyless,
      waitForTrailers: !this.#bodyless,
    });
    this.record.allow(injection === undefined ? 'passed' : 'injected');
    session.active += 1;
    this.#upstream = upstream;
    upstream.once('close', () => {
      session.active -= 1;
      // The stream of a 401 may be over while its credential is being renewed, and the 401 is a response all the same.
      if (this.#upstream === upstream && !this.#renewing) this.#upstreamClosed(upstream);
    });
    upstream.on('error', () => {});
    // Node ends the writing side of a stream that it resets: trailers would make it look complete.
    upstream.on('wantTrailers', () => {
      if (!upstream.closed) upstream.sendTrailers(this.#trailers ?? {});
    });
    upstream.on('headers', (interim: IncomingHttpHeaders) => this.#guard(() => this.#interim(interim)));
    upstream.on('response', (response: IncomingHttpHeaders, flags: number) => {
      if (this.#upstream !== upstream) return;
      this.#guard(() => this.#onResponse(upstream, response, (flags & endStreamFlag) !== 0));
    });
    if (!this.#bodyless) this.#sendBody(upstream, injection !== undefined);
  }

  #sendBody(upstream: ClientHttp2Stream, keep: boolean): void {
    if (this.#renewed) {
      for (const chunk of this.#replay?.chunks ?? []) upstream.write(chunk);
      upstream.end();
      return;
    }
    this.#replay = keep ? new Replay() : undefined;
    this.#client.on('data', (chunk: Buffer) => this.#replay?.add(chunk));
    this.#client.once('end', () => {
      // Node ends a stream that was reset like one that is complete.
      if (this.#client.rstCode !== 0 || this.#client.aborted) {
        upstream.close(this.#client.rstCode || constants.NGHTTP2_CANCEL);
        return;
      }
      this.#requestEnded = true;
      upstream.end();
    });
    this.#flow(this.#client, upstream);
  }

  #interim(headers: IncomingHttpHeaders): void {
    this.#activity += 1;
    this.#responseBegun = true;
    if (!this.#client.headersSent && !this.#client.closed) {
      const needles = this.#use?.needles() ?? noNeedles;
      this.#client.additionalHeaders(scrubHeaders(responseHeaders(headers), needles, false));
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
    if (this.#client.closed) return;
    this.#replay = undefined;
    const use = this.#use;
    const needles = use?.needles() ?? noNeedles;
    const fault =
      endStream || needles.isEmpty
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
    const codings = endStream ? undefined : codingsToScrub(headers, needles);
    const shown = scrubHeaders(responseHeaders(headers), needles, codings !== undefined);
    if (use !== undefined) Object.assign(shown, refusalHeaders(headers, this.record.id, use.advise));
    this.#client.respond(shown, { endStream, waitForTrailers: !endStream });
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
      trailers = scrubHeaders(relayedTrailers(fields), needles, codings !== undefined);
    });
    this.#client.on('wantTrailers', () => {
      if (!this.#client.closed) this.#client.sendTrailers(trailers);
    });
    const scrubbed = codings === undefined ? undefined : this.#relayScrubbed(upstream, needles, codings);
    if (scrubbed === undefined) this.#flow(upstream, this.#client);
    // An upstream may reset a stream after a whole response, to be spared the rest of the request (RFC 9113 §8.1), and Node
    // tells of the reset alone. Where nothing proves that the response was whole, it must not look so.
    upstream.once('end', () => {
      const isProven = hasTrailers || Number(headers['content-length']) === received;
      const isClean = upstream.rstCode === constants.NGHTTP2_NO_ERROR && !upstream.aborted;
      this.#complete = isProven || isClean;
      if (!this.#complete) {
        scrubbed?.abort();
        this.#upstreamClosed(upstream);
      } else if (scrubbed !== undefined) {
        scrubbed.finish();
      } else {
        this.#client.end();
      }
    });
  }

  /** Data from one side to the other, no faster than it is taken; a pipe would listen to six events more. */
  #flow(from: Duplex, to: Duplex): void {
    from.on('data', (chunk: Buffer) => {
      this.#activity += 1;
      if (to.closed) return;
      if (!to.write(chunk)) from.pause();
    });
    to.on('drain', () => from.resume());
  }

  /** Relays the body without the secret, should it hold it; whoever called says when it is over. */
  #relayScrubbed(upstream: ClientHttp2Stream, needles: Needles, codings: readonly Coding[]): ScrubbedBody {
    const client = this.#client;
    const abort = (why: AuthsomeError): void => this.#abort(why, constants.NGHTTP2_NO_ERROR);
    let isBlocked = false;
    const updateFlow = (): void => {
      if (isBlocked || client.writableNeedDrain) upstream.pause();
      else upstream.resume();
    };
    const body = new ScrubbedBody(needles, codings, {
      emit(bytes) {
        const flows = client.closed || client.write(bytes);
        if (!flows) updateFlow();
        return flows;
      },
      block(on) {
        isBlocked = on;
        updateFlow();
      },
      guard: (step) => this.#guard(step),
      over(whole) {
        if (whole) client.end();
        else abort(failures.undecodable());
      },
    });
    client.on('drain', () => {
      body.resume();
      updateFlow();
    });
    client.once('close', () => body.abort());
    upstream.on('data', (chunk: Buffer) => {
      this.#activity += 1;
      body.push(chunk);
    });
    return body;
  }

  #mayRenew(): boolean {
    const replayable = this.#bodyless || (this.#requestEnded && this.#replay?.chunks !== undefined);
    return this.#use !== undefined && !this.#renewed && replayable && this.#trailers === undefined;
  }

  #renew(upstream: ClientHttp2Stream, headers: IncomingHttpHeaders, endStream: boolean): void {
    const use = this.#use as CredentialUse;
    this.#renewed = true;
    this.#renewing = true;
    use.renew().then(
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

  /** The upstream's stream is over: what it did not finish must not look complete. */
  #upstreamClosed(upstream: ClientHttp2Stream): void {
    if (this.#ended || this.#client.closed) return;
    if (this.#complete) {
      // What is still to come of the request goes nowhere. A reset would cost some clients the response.
      this.#client.resume();
      return;
    }
    const code = upstream.rstCode ?? constants.NGHTTP2_NO_ERROR;
    if (!this.#client.headersSent) {
      const isRefused = code === constants.NGHTTP2_REFUSED_STREAM && !this.#responseBegun;
      if (isRefused && this.#mayRepeat()) {
        this.#repeated = true;
        this.#guard(() => this.#host.hear(this));
      } else {
        this.fail(isRefused ? refused() : noResponse());
      }
    } else if (!upstream.readableEnded || upstream.aborted || code !== constants.NGHTTP2_NO_ERROR) {
      this.#abort(failures.truncated(), code);
    }
  }

  /** A response that had begun must not look complete. */
  #abort(why: AuthsomeError, code: number): void {
    this.record.fail(why);
    this.#client.close(code === constants.NGHTTP2_NO_ERROR ? constants.NGHTTP2_INTERNAL_ERROR : code);
  }

  /**
   * Whether a request that the upstream has not touched goes out once more. An upstream says so by REFUSED_STREAM, or by a
   * GOAWAY that leaves the stream out, which nghttp2 reports alike (RFC 9113 §6.8, §8.7). Even then, only what could be
   * carried out twice is repeated.
   */
  #mayRepeat(): boolean {
    return !this.#repeated && this.#bodyless && isIdempotent(this.#target.method);
  }

  #reply(problem: Problem): void {
    const client = this.#client;
    if (client.closed || client.headersSent) return;
    const document = problemDocument(problem);
    client.respond({
      ':status': problemStatus(problem),
      'content-type': 'application/problem+json',
      'content-length': Buffer.byteLength(document),
      'cache-control': 'no-store',
      'authsome-decision': problem.decision,
    });
    // Nobody waits for the rest of a request that was refused.
    client.end(this.#headers[':method'] === 'HEAD' ? undefined : document, () => {
      if (!client.readableEnded) client.close(constants.NGHTTP2_NO_ERROR);
    });
  }

  #finish(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.record.abandon();
    const upstream = this.#upstream;
    if (upstream !== undefined && !upstream.destroyed) {
      discard(upstream, this.#client.rstCode || constants.NGHTTP2_CANCEL);
    }
    this.#host.ended(this);
  }
}

const noResponse = (): AuthsomeError =>
  new AuthsomeError('UpstreamUnreachable', 'the upstream closed the stream without a response', {
    hint: retryIfSafe,
  });

const refused = (): AuthsomeError =>
  new AuthsomeError('UpstreamUnreachable', 'the upstream refused the request before it did anything of it', {
    hint: 'Send the request again: nothing of it has been carried out.',
  });

/**
 * Resets a stream and lets go of it. By itself it may never close: not while it waits for the upstream to allow another
 * stream, nor once nghttp2 has given up the session.
 */
function discard(stream: Http2Stream, code: number): void {
  stream.close(code);
  // Never from within a frame's own callback: where the rest of that read lets a destroyed stream's body go on, its trailers
  // take the process down (Node 22).
  setImmediate(() => stream.destroy());
}
