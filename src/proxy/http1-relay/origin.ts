import { type AuthsomeError, asAuthsomeError } from '../../errors.ts';
import type { Route } from '../../providers/index.ts';
import {
  authorize,
  type CredentialUse,
  type PendingRequest,
  type RequestRecord,
} from '../authorize/index.ts';
import { type CaptureUse, mostRequestBytes } from '../capture/index.ts';
import type { Owner } from '../context.ts';
import type { Refusal } from '../decide/index.ts';
import {
  type Authority,
  hostHeaderOf,
  joinedValue,
  type RequestHead,
  type ResponseHead,
} from '../http1/index.ts';
import { type ForwardTarget, rewriteRequestHead } from '../inject/index.ts';
import {
  ContentSearch,
  extensionsField,
  isSearched,
  isWebSocket,
  searchedFrames,
} from '../outgoing/index.ts';
import type { PlacedPhantom } from '../phantoms/index.ts';
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
  readonly #readsMessages: boolean;

  constructor(session: Http1Session, record: RequestRecord, origin: Origin, target: OriginTarget) {
    this.#session = session;
    this.record = record;
    this.#origin = origin;
    this.#readsMessages = isWebSocket(target.request.upgrade) && !origin.owner.run.finder.isEmpty;
    this.#target = this.#readsMessages ? withoutExtensions(target) : target;
  }

  send(): void {
    authorize(this, this.#origin.owner.run, this.#session.context.decisions);
  }

  get settled(): boolean {
    return this.#session.closed;
  }

  inject(use: CredentialUse): void {
    const { record } = this;
    let head: Buffer;
    try {
      head = rewriteRequestHead(this.#target.request, this.#target, use.injection);
    } catch (error) {
      // A computed credential that cannot be written: nothing has been sent.
      this.fail(asAuthsomeError(error));
      return;
    }
    const search = this.#contentSearch();
    const plan = {
      head,
      lineFor: (response: ResponseHead) => refusalLines(response, record.id, use),
      renewable: true,
      scrub: new ResponseScrubber(use, this.#target.request.minor, this.#session),
      search,
    };
    const renewal = () =>
      use.renew((injection) => ({
        head: rewriteRequestHead(this.#target.request, this.#target, injection),
      }));
    this.#session.forward(record, this.#origin.carrying(use), plan, { renewal, frames: this.#frames() });
  }

  pass(allowPrivateAddress: boolean): void {
    const plan = {
      head: rewriteRequestHead(this.#target.request, this.#target, undefined),
      lineFor: undefined,
      renewable: false,
      scrub: undefined,
      search: this.#contentSearch(),
    };
    const destination = this.#origin.plain(allowPrivateAddress);
    this.#session.forward(this.record, destination, plan, { frames: this.#frames() });
  }

  #frames(): ClientFrames<PlacedPhantom> | undefined {
    return this.#readsMessages ? searchedFrames(() => this.#origin.owner.run.finder) : undefined;
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

  /** Looks for phantoms in the content, where there is any that may have one. */
  #contentSearch(): ContentSearch | undefined {
    const { request } = this.#target;
    if (request.framing.kind === 'none') return undefined;
    const { finder } = this.#origin.owner.run;
    return isSearched(finder, joinedValue(request, 'content-type')) ? new ContentSearch(finder) : undefined;
  }

  refuse(refusal: Refusal): void {
    this.#session.refuse(this.record.refuse(refusal));
  }

  fail(error: AuthsomeError): void {
    this.#session.refuse(this.record.fail(error));
  }
}

/** The offer of extensions is for the client's own connection, which ends where its frames are read. */
function withoutExtensions(target: OriginTarget): OriginTarget {
  const { request } = target;
  return { ...target, request: { ...request, connection: [...request.connection, extensionsField] } };
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
