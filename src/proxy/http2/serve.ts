import {
  constants,
  type IncomingHttpHeaders,
  performServerHandshake,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { PeerCheck } from '../../peers/index.ts';
import { authorize, RequestRecord } from '../authorize/index.ts';
import type { ContentPlace } from '../content/index.ts';
import type { DecisionSink } from '../contract.ts';
import { type Refusal, type RequestFacts, refuse } from '../decide/index.ts';
import type { Authority } from '../http1/index.ts';
import { bodyPlacesAt } from '../outgoing/index.ts';
import { type PhantomFinder, phantomsInHeaders, withoutPhantoms } from '../phantoms/index.ts';
import type { Live, LiveRun, Monitored } from '../runs/index.ts';
import { readHttp2Request } from './headers.ts';
import { makeDestroySafe } from './safe-destroy.ts';
import { codeFor, nameOf } from './session-error.ts';
import { type Dial, type IdleOptions, sessionPoolOf, type UpstreamSession } from './sessions.ts';
import { RelayedStream, type StreamHost } from './stream.ts';
import { UnreadRequests } from './unread.ts';
import { connectionWindowBytes, maxSessionMegabytes, streamWindowBytes } from './windows.ts';

export interface Http2Options extends IdleOptions {
  readonly run: LiveRun;
  /** Of an allowed user. */
  readonly peer: PeerCheck;
  readonly authority: Authority;
  /** The TCP connection below the client's TLS. */
  readonly raw: Socket;
  /** The usual spelling of the authority in `:authority`. */
  readonly hostField: string;
  readonly dial: (allowPrivateAddress: boolean) => ReturnType<Dial>;
  readonly decisions: DecisionSink;
  readonly nextDecisionId: () => string;
  /** Refuses every request on this connection, since its TLS handshake was for another name. */
  readonly refusal: Refusal | undefined;
  readonly extendedConnect: boolean;
}

const endStreamFlag = constants.NGHTTP2_FLAG_END_STREAM;
const maxConcurrentStreams = 256;
const maxHeaderListBytes = 64 * 1024;
/** How many more streams a client may reset before their responses than it lets get one. */
const maxWasted = 200;

/** Serves one client's HTTP/2 connection: each stream is authorized, relayed and recorded separately. */
export function serveHttp2(tls: TLSSocket, options: Http2Options): void {
  // A TLS socket that was made by hand still reports that it is connecting, and HTTP/2 would wait for it.
  Object.assign(tls, { secureConnecting: false });
  const session = performServerHandshake(tls, {
    settings: {
      maxConcurrentStreams,
      maxHeaderListSize: maxHeaderListBytes,
      initialWindowSize: streamWindowBytes,
      enableConnectProtocol: options.extendedConnect,
    },
    maxHeaderListPairs: 256,
    maxSessionMemory: maxSessionMegabytes,
    maxSessionInvalidFrames: 100,
    maxSessionRejectedStreams: 100,
  } as Parameters<typeof performServerHandshake>[1]);
  const connection = new Http2Connection(session, tls, options);
  // HTTP/2 has no half-closed connections: such a client could not even acknowledge what it reads.
  tls.on('end', () => connection.cut());
}

class Http2Connection implements StreamHost, Live, Monitored {
  readonly connection = undefined;
  readonly #session: ServerHttp2Session;
  readonly #options: Http2Options;
  readonly #authorityText: string;
  readonly #streams = new Set<RelayedStream>();
  #opened = 0;
  #wasted = 0;
  #expelled = false;
  readonly #unread: UnreadRequests;
  /** The last stream that is still accepted, once the session is about to end. */
  #last: number | undefined;

  constructor(session: ServerHttp2Session, socket: TLSSocket, options: Http2Options) {
    this.#session = session;
    this.#options = options;
    this.#authorityText = `${options.authority.host}:${options.authority.port}`;
    session.setLocalWindowSize(connectionWindowBytes);
    this.#unread = new UnreadRequests(
      session,
      () => socket.bytesRead,
      (count, begun) => this.#record(unreadReason(count, begun)),
    );
    makeDestroySafe(session, [socket, options.raw], options.timeouts.lingerMs);
    this.#nameErrors();
    session.on('stream', (stream, headers, flags) => this.#admit(stream, headers, flags));
    session.on('error', (error) => {
      const name = nameOf(error);
      if (name !== undefined) this.#record(`the client's HTTP/2 connection failed, and was closed: ${name}`);
      session.destroy();
    });
    session.on('close', () => {
      options.idleMonitor.remove(this);
      options.run.remove(this);
    });
    options.idleMonitor.add(this);
    options.run.add(this);
  }

  /**
   * Node calls `destroy` to end a session in error, always with INTERNAL_ERROR. The GOAWAY should say what was wrong (RFC
   * 9113 §5.4.1), and the audit what went unread.
   */
  #nameErrors(): void {
    const session = this.#session;
    const destroy = session.destroy.bind(session);
    session.destroy = (error, code) => {
      if (this.#last !== undefined) return;
      this.#last = this.#unread.last;
      // Never in a frame's own callback: more requests may follow in the same read. Without their session, Node 22
      // crashes at the first byte of a body. Earlier requests are handled first.
      setImmediate(() => {
        this.#unread.settle(this.#unread.last);
        destroy(error, code ?? codeFor(error));
      });
    };
  }

  /** Records requests, or an entire connection, that were never read. */
  #record(reason: string): void {
    const { run, authority, peer } = this.#options;
    const facts = { method: '', ...authority, path: '' };
    new RequestRecord(this.#options, peer, run, facts).refuse(refuse('MalformedRequest', reason));
  }

  #admit(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, flags: number): void {
    if (this.#last !== undefined && (stream.id as number) > this.#last) {
      stream.on('error', () => {});
      stream.close(constants.NGHTTP2_REFUSED_STREAM);
      return;
    }
    this.#opened += 1;
    this.#unread.received(stream.id as number);
    const { run, peer, authority, hostField, idleMonitor } = this.#options;
    const bodyless = (flags & endStreamFlag) !== 0;
    const read = readHttp2Request(headers, bodyless, authority, hostField);
    const request = 'kind' in read ? { ...unreadable, headers, bodyless } : read;
    const { method, path, methodOverride, pathOverride } = request;
    const phantoms = 'kind' in read ? undefined : phantomsInHeaders(run.finder, headers);
    const record = new RequestRecord(this.#options, peer, run, {
      method,
      ...authority,
      path: withoutPhantoms(path, phantoms),
      methodOverride,
      pathOverride,
      phantoms,
      sentPath: path,
    });
    const relayed = new RelayedStream(stream, request, record, this);
    this.#streams.add(relayed);
    idleMonitor.add(relayed);
    run.add(relayed);
    try {
      const refusal = 'kind' in read ? read : (this.#options.refusal ?? this.#tooLarge(headers));
      if (refusal !== undefined) relayed.refuse(refusal);
      else relayed.begin();
    } catch {
      // An error here ends this stream, not the daemon.
      relayed.cut();
    }
  }

  /** nghttp2 enforces our limits once the client has acknowledged them. Until then, this does. */
  #tooLarge(headers: IncomingHttpHeaders): Refusal | undefined {
    if (!this.#session.pendingSettingsAck) return undefined;
    return sizeOf(headers) > maxHeaderListBytes ? tooLarge : undefined;
  }

  bodyPlaces(facts: RequestFacts): readonly ContentPlace[] {
    return bodyPlacesAt(this.#options.run.routes, facts);
  }

  get finder(): PhantomFinder {
    return this.#options.run.finder;
  }

  get raw(): Socket {
    return this.#options.raw;
  }

  get streamIdleMs(): number {
    return this.#options.timeouts.exchangeMs;
  }

  ready(connection: string | undefined): UpstreamSession | undefined {
    return sessionPoolOf(this.#options.run, this.#options).ready(this.#authorityText, connection);
  }

  open(connection: string | undefined, allowPrivateAddress: boolean): Promise<UpstreamSession | undefined> {
    const dial = () => this.#options.dial(allowPrivateAddress);
    return sessionPoolOf(this.#options.run, this.#options).open(this.#authorityText, connection, dial);
  }

  authorize(relayed: RelayedStream): void {
    authorize(relayed, this.#options.run, this.#options.decisions);
  }

  ended(relayed: RelayedStream): void {
    if (!this.#streams.delete(relayed)) return;
    this.#options.idleMonitor.remove(relayed);
    this.#options.run.remove(relayed);
    if (relayed.responded) {
      this.#wasted = Math.max(0, this.#wasted - 1);
      return;
    }
    // Rapid reset: each stream that is opened and reset costs an upstream work.
    this.#wasted += 1;
    if (this.#wasted > maxWasted && !this.#expelled) {
      this.#expelled = true;
      // Not in a frame's own callback.
      setImmediate(() => this.#expel());
    }
  }

  #expel(): void {
    this.#record('the client reset too many streams before their responses, and was disconnected');
    const calmDown = new Error('too many streams were reset');
    this.#session.destroy(calmDown, constants.NGHTTP2_ENHANCE_YOUR_CALM);
  }

  cut(): void {
    this.#session.destroy();
  }

  progress(): number {
    this.#unread.look();
    let moved = this.#opened;
    // A client that announced that it opens no more streams acknowledges nothing, but may still be reading.
    if (this.#unread.pingPending) for (const stream of this.#streams) moved += stream.progress();
    return moved;
  }

  idleMs(): number {
    const { timeouts } = this.#options;
    if (!this.#unread.pingPending) return timeouts.keepAliveMs;
    return this.#streams.size === 0 ? timeouts.headMs : timeouts.exchangeMs;
  }

  onIdle(): void {
    if (this.#unread.pingPending || this.#session.closed) this.cut();
    else if (this.#streams.size === 0) this.#session.close();
    else this.#unread.probe();
  }
}

/** A request that cannot be read. */
const unreadable = {
  method: '',
  path: '',
  query: '',
  host: '',
  protocol: undefined,
  methodOverride: undefined,
  pathOverride: undefined,
};

const tooLarge = refuse('HeadersTooLarge', 'the header fields of the request are larger than 64 KiB');

/** The size by RFC 9113 §6.5.2, without its overhead for each field. */
function sizeOf(headers: IncomingHttpHeaders): number {
  let size = 0;
  for (const [name, value] of Object.entries(headers)) size += name.length + String(value).length;
  return size;
}

function unreadReason(count: number, begun: boolean): string {
  if (count === 1 && !begun) {
    return 'stream 1 carried no request: it was malformed (RFC 9113 §8.1.1), or the client began with stream 3, as some do';
  }
  const requests = count === 1 ? '1 request was' : `${count} requests were`;
  return `${requests} rejected unread: malformed (RFC 9113 §8.1.1), beyond a limit of the connection, or a stream number that the client skipped`;
}
