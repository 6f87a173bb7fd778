import { type AuthsomeError, asAuthsomeError } from '../../errors.ts';
import type { Route } from '../../providers/index.ts';
import {
  authorize,
  type CredentialUse,
  type PendingRequest,
  type RequestRecord,
} from '../authorize/index.ts';
import { type CaptureUse, mostRequestBytes } from '../capture/index.ts';
import type { ContentPlace } from '../content/index.ts';
import type { Owner } from '../context.ts';
import type { Refusal } from '../decide/index.ts';
import {
  type Authority,
  type Content,
  chunkOf,
  hostHeaderOf,
  joinedValue,
  lastChunk,
  type RequestHead,
  type ResponseHead,
  withContentLength,
} from '../http1/index.ts';
import { type ForwardTarget, type Injection, rewriteRequestHead } from '../inject/index.ts';
import {
  bodyPlacesAt,
  ContentSearch,
  extensionsField,
  isSearched,
  isWebSocket,
  maxSearchedBytes,
  type ReadContent,
  readContent,
  searchedFrames,
} from '../outgoing/index.ts';
import { type PlacedPhantom, phantomsInTrailers } from '../phantoms/index.ts';
import { fieldsAboutBytes } from '../scrub/index.ts';
import type { UpstreamDialer } from '../upstream/index.ts';
import type { ClientFrames } from '../websocket/index.ts';
import { capturedReply, fieldsOf } from './captured.ts';
import { ResponseScrubber } from './response-scrub.ts';
import type { Destination, Http1Session } from './session.ts';

const httpsPort = 443;

/** An https origin that a run's HTTP/1.1 requests go to. */
export class Origin {
  readonly owner: Owner;
  readonly authority: Authority;
  /** Its `Host` value. */
  readonly hostField: string;
  readonly #dialer: UpstreamDialer;
  readonly #carrying = new WeakMap<Route, Destination>();

  constructor(owner: Owner, authority: Authority, dialer: UpstreamDialer) {
    this.owner = owner;
    this.authority = authority;
    this.hostField = hostFieldOf(authority);
    this.#dialer = dialer;
  }

  /** Where requests with this credential go, made once for each route. */
  carrying({ route, connection }: CredentialUse): Destination {
    const known = this.#carrying.get(route);
    if (known !== undefined) return known;
    const destination = this.#destination(connection, route.allowPrivateAddress);
    this.#carrying.set(route, destination);
    return destination;
  }

  /** Where requests without a credential go. */
  plain(allowPrivateAddress: boolean): Destination {
    return this.#destination(undefined, allowPrivateAddress);
  }

  #destination(connection: string | undefined, allowPrivateAddress: boolean): Destination {
    const { authority } = this;
    return {
      key: `${connection ?? ''} ${authority.host}:${authority.port}`,
      connection,
      pool: this.owner.pool,
      dial: (signal) => this.#dialer.tls({ authority, allowPrivateAddress, signal }, ['http/1.1']),
    };
  }
}

/** A request and the target that it is sent to. */
interface OriginTarget extends ForwardTarget {
  readonly request: RequestHead;
}

/** An HTTP/1.1 request to an https origin, from an intercepted tunnel or in absolute form. */
export class OriginRequest implements PendingRequest {
  readonly record: RequestRecord;
  readonly #session: Http1Session;
  readonly #origin: Origin;
  readonly #target: OriginTarget;
  readonly sendsMessages: boolean;
  /** Where the body is read before the decision. */
  #collected: { readonly content: Content; readonly values: ReadContent['values'] } | undefined;

  constructor(session: Http1Session, record: RequestRecord, origin: Origin, target: OriginTarget) {
    this.#session = session;
    this.record = record;
    this.#origin = origin;
    this.sendsMessages = isWebSocket(target.request.upgrade) && !origin.owner.run.finder.isEmpty;
    this.#target = this.sendsMessages ? withoutExtensions(target) : target;
  }

  send(): void {
    const { run } = this.#origin.owner;
    const { decisions } = this.#session.context;
    const places = this.#bodyPlaces();
    if (places.length === 0) {
      authorize(this, run, decisions);
      return;
    }
    this.#session.collect(maxSearchedBytes, (content) => {
      const { request } = this.#target;
      const fields = {
        contentType: joinedValue(request, 'content-type'),
        contentEncoding: joinedValue(request, 'content-encoding'),
      };
      const read = readContent({ ...content, ...fields }, places, run.finder);
      this.#collected = { content, values: read.values };
      this.record.add([...read.phantoms, ...phantomsInTrailers(run.finder, content.trailers)]);
      authorize(this, run, decisions);
    });
  }

  /** The places in which a phantom may be in this body: it is read before the decision then. */
  #bodyPlaces(): readonly ContentPlace[] {
    const { request } = this.#target;
    const { run } = this.#origin.owner;
    const isRead =
      request.framing.kind !== 'none' && isSearched(run.finder, joinedValue(request, 'content-type'));
    return isRead ? bodyPlacesAt(run.routes, this.record.facts) : [];
  }

  get settled(): boolean {
    return this.#session.closed;
  }

  inject(use: CredentialUse): void {
    const { record } = this;
    let written: Written;
    try {
      written = this.#write(use.injection);
    } catch (error) {
      // A computed credential that cannot be written: nothing has been sent.
      this.fail(asAuthsomeError(error));
      return;
    }
    // No spread: it would make an object of an uncommon shape for every request.
    const plan = {
      head: written.head,
      body: written.body,
      lineFor: (response: ResponseHead) => refusalLines(response, record.id, use),
      renewable: true,
      scrub: new ResponseScrubber(use, this.#target.request.minor, this.#session),
      search: this.#contentSearch(),
    };
    const renewal = () => use.renew((injection) => this.#write(injection));
    this.#session.forward(record, this.#origin.carrying(use), plan, { renewal, frames: this.#frames(use) });
  }

  pass(allowPrivateAddress: boolean): void {
    const { head, body } = this.#write(undefined);
    const plan = {
      head,
      body,
      lineFor: undefined,
      renewable: false,
      scrub: undefined,
      search: this.#contentSearch(),
    };
    const destination = this.#origin.plain(allowPrivateAddress);
    this.#session.forward(this.record, destination, plan, { frames: this.#frames(undefined) });
  }

  /** The request with a credential; its body, too, where the credential goes into that. */
  #write(injection: Injection | undefined): Written {
    const target = this.#target;
    const collected = this.#collected;
    if (collected === undefined) return { head: rewriteRequestHead(target.request, target, injection) };
    const request = withoutFields(target.request, ['expect']);
    if (collected.values.length === 0 || injection?.fill === undefined)
      return { head: rewriteRequestHead(request, target, injection) };
    const { bytes, trailers } = collected.content;
    const filled = injection.fill(bytes, collected.values);
    const isChunked = request.framing.kind === 'chunked';
    const changed = withoutFields(
      isChunked ? request : withContentLength(request, filled.length),
      fieldsAboutBytes,
    );
    return {
      head: rewriteRequestHead(changed, target, injection),
      body: isChunked ? Buffer.concat([chunkOf(filled), lastChunk(trailers)]) : filled,
    };
  }

  #frames(use: CredentialUse | undefined): ClientFrames<PlacedPhantom> | undefined {
    return this.sendsMessages ? searchedFrames(() => this.#origin.owner.run.finder, use) : undefined;
  }

  capture(use: CaptureUse): void {
    const session = this.#session;
    const { request, query } = this.#target;
    session.collect(mostRequestBytes, ({ bytes, isWhole }) => {
      this.record.allow('passed');
      if (!isWhole) {
        session.reply(capturedReply(use.tooLong(), use.decision));
        return;
      }
      const captured = { query, headers: fieldsOf(request), body: Buffer.from(bytes), client: session.raw };
      void use.answer(captured).then((answer) => {
        if (!session.closed) session.guard(() => session.reply(capturedReply(answer, use.decision)));
      });
    });
  }

  /** Looks for phantoms in the content and in the trailers, where there are any that may have one. */
  #contentSearch(): ContentSearch | undefined {
    const { request } = this.#target;
    const { finder } = this.#origin.owner.run;
    if (request.framing.kind === 'none' || finder.isEmpty || this.#collected?.content.isWhole === true)
      return undefined;
    if (this.#collected === undefined && isSearched(finder, joinedValue(request, 'content-type')))
      return new ContentSearch(finder);
    return request.framing.kind === 'chunked' ? new ContentSearch(finder, 'trailers') : undefined;
  }

  refuse(refusal: Refusal): void {
    this.#session.refuse(this.record.refuse(refusal));
  }

  fail(error: AuthsomeError): void {
    this.#session.refuse(this.record.fail(error));
  }
}

interface Written {
  readonly head: Buffer;
  readonly body?: Buffer;
}

/** The offer of extensions is for the client's own connection, which ends where its frames are read. */
function withoutExtensions(target: OriginTarget): OriginTarget {
  return { ...target, request: withoutFields(target.request, [extensionsField]) };
}

/** The head as if its `Connection` named these: they go no further (RFC 9110 §7.6.1). */
function withoutFields(head: RequestHead, names: readonly string[]): RequestHead {
  return { ...head, connection: [...head.connection, ...names] };
}

/** The header lines that are added to an upstream's 401 or 403. */
function refusalLines(response: ResponseHead, decision: string, use: CredentialUse): string | undefined {
  const { status } = response;
  if (status !== 401 && status !== 403) return undefined;
  const advice = use.advise(status, (name) => joinedValue(response, name));
  const hint = advice === undefined ? '' : `Authsome-Hint: ${advice}\r\n`;
  return `Authsome-Decision: ${decision}\r\n${hint}`;
}

export function hostFieldOf(authority: Authority): string {
  return hostHeaderOf(authority, httpsPort);
}
