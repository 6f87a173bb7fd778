import type { Socket } from 'node:net';
import { AuthsomeError, asAuthsomeError } from '../../errors.ts';
import type { PeerCheck } from '../../peers/index.ts';
import { failures, RequestRecord } from '../authorize/index.ts';
import type { Context, Owner } from '../context.ts';
import { type Refusal, type RequestFacts, refuse } from '../decide/index.ts';
import {
  type Content,
  type Cut,
  type Failure,
  type Fault,
  type LocalReply,
  type MachinePort,
  type Plan,
  type RequestHead,
  RequestResponseMachine,
} from '../http1/index.ts';
import { type ContentSearch, refusalOfContent, refusalOfMessage } from '../outgoing/index.ts';
import type { PlacedPhantom } from '../phantoms/index.ts';
import { type Problem, problemResponse } from '../refusal/index.ts';
import type { Live, Monitored } from '../runs/index.ts';
import { highWaterBytes, type Upstream, type UpstreamPool, type UpstreamUser } from '../upstream/index.ts';
import type { ClientFrames, Stop } from '../websocket/index.ts';
import { relayFrames } from './frame-relay.ts';
import { relay, relayIdleMs } from './relay.ts';

/** Where a request goes: a key in the pool, and how to dial a new connection. */
export interface Destination {
  readonly key: string;
  /** The `provider/connection` whose credential is sent there. */
  readonly connection: string | undefined;
  readonly pool: UpstreamPool;
  readonly dial: (signal: AbortSignal) => Promise<Socket>;
}

type SearchedPlan = Plan & { readonly search?: ContentSearch | undefined };

/** What goes with a plan. */
export interface Sending {
  /** What to send instead after a 401: with a newer credential, if there is one. */
  readonly renewal?:
    | (() => Promise<{ readonly head: Buffer; readonly body?: Buffer | undefined } | undefined>)
    | undefined;
  /** What the client's messages pass through once the connection has switched to WebSocket. */
  readonly frames?: ClientFrames<PlacedPhantom> | undefined;
}

/** Handles the requests of one kind of client connection. */
export interface RequestHandler {
  /** Calls `session.forward`, `session.refuse` or `session.handOver`, now or later. */
  handle(session: Http1Session, request: RequestHead): void;
  /** Refuses bytes that are no request. Calls `session.refuse`, now or later. */
  unread(session: Http1Session, refusal: Refusal): void;
  /** Whose process is at the other end. */
  readonly peer: PeerCheck;
}

/** One client connection over HTTP/1.1: sockets, timeouts and records around a machine that knows the protocol. */
export class Http1Session implements MachinePort, UpstreamUser, Monitored, Live {
  readonly client: Socket;
  readonly context: Context;
  /** The TCP connection below the client's TLS. Only it can be reset. */
  readonly raw: Socket;
  readonly #handler: RequestHandler;
  readonly #machine: RequestResponseMachine;
  #record: RequestRecord | undefined;
  #destination: Destination | undefined;
  #upstream: Upstream | undefined;
  #spliced: Socket | undefined;
  #dialling: AbortController | undefined;
  #sending = notAgain;
  #search: ContentSearch | undefined;
  #owner: Owner | undefined;
  #lingering = false;
  #closed = false;
  readonly #onData = (chunk: Buffer): void => this.guard(() => this.#machine.clientBytes(chunk));
  readonly #onEnd = (): void => this.guard(() => this.#machine.clientEnd());
  readonly #onDrain = (): void => this.guard(() => this.#machine.clientDrained());

  constructor(
    client: Socket,
    context: Context,
    handler: RequestHandler,
    more: { readonly owner?: Owner; readonly raw?: Socket } = {},
  ) {
    this.client = client;
    this.raw = more.raw ?? client;
    this.context = context;
    this.#handler = handler;
    this.#machine = new RequestResponseMachine(this);
    client.on('data', this.#onData);
    client.on('end', this.#onEnd);
    client.on('drain', this.#onDrain);
    client.on('error', () => this.#clientGone());
    client.on('close', () => this.#clientGone());
    context.idleMonitor.add(this);
    this.belongTo(more.owner);
  }

  /** Sets the run whose end also ends this connection. */
  belongTo(owner: Owner | undefined): void {
    if (owner === this.#owner) return;
    this.#owner?.run.remove(this);
    this.#owner = owner;
    owner?.run.add(this);
  }

  /** The `provider/connection` of the request in progress. */
  get connection(): string | undefined {
    return this.#machine.underWay ? this.#destination?.connection : undefined;
  }

  get facts(): RequestFacts | undefined {
    return this.#record?.facts;
  }

  cut(why?: AuthsomeError): void {
    if (why !== undefined) this.#record?.fail(why);
    // A reset, since a response that lasts until its connection ends would look complete. Unread data is lost.
    if (this.#machine.responding || this.client.writableLength > 0) this.raw.resetAndDestroy();
    this.client.destroy();
    this.#spliced?.destroy();
    this.#clientGone();
  }

  /** Opens the record of a request. */
  open(owner: Owner | undefined, facts: RequestFacts): RequestRecord {
    const record = new RequestRecord(this.context, this.#handler.peer, owner?.run, facts);
    this.#record = record;
    // This connection no longer carries the credential of the previous request.
    this.#destination = undefined;
    return record;
  }

  /** Reads the content of the request first, or this much of it, and hands it to `then`. */
  collect(maxBytes: number, then: (content: Content) => void): void {
    this.#machine.collect(maxBytes, then);
  }

  /** Sends the request to `destination`, by this plan. */
  forward(record: RequestRecord, destination: Destination, plan: SearchedPlan, sending = notAgain): void {
    this.#record = record;
    this.#search = plan.search;
    this.#destination = destination;
    this.#sending = sending;
    this.#machine.forward(plan);
  }

  refuse(problem: Problem): void {
    this.#machine.reply(replyOf(problem));
  }

  reply(reply: LocalReply): void {
    this.#machine.reply(reply);
  }

  /** Gives up the socket. Returns what the client sent after the head. */
  handOver(): Buffer | undefined {
    const rest = this.#machine.handOver();
    this.#detach();
    this.#stopListening();
    return rest;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Runs a step. An error in it ends this connection, not the daemon, and nothing more is sent. */
  guard(step: () => void): void {
    try {
      step();
    } catch (error) {
      this.#record?.fail(asAuthsomeError(error));
      this.cut();
    }
  }

  // Actions that the machine asks for.

  authorize(request: RequestHead): void {
    this.#handler.handle(this, request);
  }

  connectUpstream(fresh: boolean): void {
    const destination = this.#destination as Destination;
    const reused = fresh ? undefined : destination.pool.take(destination.key);
    if (reused !== undefined) {
      this.#use(reused, true);
      return;
    }
    const dialling = new AbortController();
    this.#dialling = dialling;
    destination.dial(dialling.signal).then(
      (socket) => {
        this.#dialling = undefined;
        if (this.#closed || dialling.signal.aborted) {
          socket.on('error', () => {});
          socket.destroy();
          return;
        }
        this.guard(() =>
          this.#use(destination.pool.adopt(socket, destination.key, destination.connection), false),
        );
      },
      (error: unknown) => {
        this.#dialling = undefined;
        if (this.#closed || dialling.signal.aborted) return;
        this.refuse((this.#record as RequestRecord).fail(asAuthsomeError(error)));
      },
    );
  }

  #use(upstream: Upstream, reused: boolean): void {
    this.#upstream = upstream;
    upstream.user = this;
    this.#record?.allow(this.#destination?.connection === undefined ? 'passed' : 'injected');
    this.#machine.upstreamReady(reused);
  }

  sendUpstream(bytes: Buffer): boolean {
    return this.#upstream?.write(bytes) ?? true;
  }

  sendClient(bytes: Buffer): boolean {
    this.client.write(bytes);
    return this.client.writableLength < highWaterBytes;
  }

  readClient(on: boolean): void {
    if (on) this.client.resume();
    else this.client.pause();
  }

  readUpstream(on: boolean): void {
    if (on) this.#upstream?.socket.resume();
    else this.#upstream?.socket.pause();
  }

  releaseUpstream(idleMs: number | undefined): void {
    const upstream = this.#upstream;
    this.#upstream = undefined;
    if (upstream !== undefined) this.#destination?.pool.give(upstream, idleMs);
  }

  destroyUpstream(): void {
    const upstream = this.#upstream;
    this.#upstream = undefined;
    upstream?.destroy();
  }

  endClient(): void {
    this.#lingering = true;
    this.client.end();
    this.client.resume();
  }

  abortClient(cut: Cut, graceful: boolean): void {
    this.#record?.fail(cut.kind === 'misplaced' ? errorOf(this.#misplaced()) : whyCut(cut));
    if (graceful) {
      this.endClient();
      return;
    }
    this.raw.resetAndDestroy();
    this.client.destroy();
  }

  splice(fromClient: Buffer | undefined, fromUpstream: Buffer | undefined): void {
    const upstream = this.#upstream;
    if (upstream === undefined) return;
    this.#upstream = undefined;
    const socket = upstream.release();
    this.#stopListening();
    this.#spliced = socket;
    this.client.pause();
    socket.pause();
    if (fromClient !== undefined) this.client.unshift(fromClient);
    if (fromUpstream !== undefined) socket.unshift(fromUpstream);
    const { frames } = this.#sending;
    if (frames === undefined) {
      relay(this.client, socket);
      return;
    }
    relayFrames(this.client, socket, frames, {
      stopped: (stop) => this.#refuseMessage(stop),
      end: () => {
        this.#spliced = undefined;
        this.endClient();
      },
    });
  }

  #refuseMessage(stop: Stop<PlacedPhantom>): string {
    const record = this.#record as RequestRecord;
    const { code } = record.refuse(refusalOfMessage(record, stop));
    return `${code}: authsome explain ${record.id}`;
  }

  renew(): void {
    const { renewal } = this.#sending;
    if (renewal === undefined) {
      queueMicrotask(() => this.#machine.renewed(undefined));
      return;
    }
    renewal().then(
      (next) => this.guard(() => this.#machine.renewed(next?.head, next?.body)),
      () => this.guard(() => this.#machine.renewed(undefined)),
    );
  }

  failed(failure: Failure): LocalReply | undefined {
    // All but the first two are about a request that was authorized.
    const record = this.#record as RequestRecord;
    switch (failure.kind) {
      case 'malformed-head':
        this.#handler.unread(this, refusalOf(failure.fault));
        return undefined;
      case 'request-timeout':
        this.#handler.unread(this, headTimeout);
        return undefined;
      case 'malformed-body':
        return replyOf(record.refuse(refusalOf(failure.fault)));
      case 'misplaced':
        this.#dialling?.abort();
        this.#dialling = undefined;
        return replyOf(record.refuse(this.#misplaced()));
      case 'malformed-response':
        return replyOf(record.fail(malformedResponse(failure.fault)));
      case 'no-response':
        return replyOf(record.fail(failures.noResponse('connection')));
      case 'response-timeout':
        return replyOf(record.fail(failures.timeout()));
    }
  }

  // Events from timeouts and sockets.

  upstreamBytes(chunk: Buffer): void {
    this.guard(() => this.#machine.upstreamBytes(chunk));
  }

  upstreamEnd(cleanly: boolean): void {
    this.guard(() => this.#machine.upstreamEnd(cleanly));
  }

  upstreamDrained(): void {
    this.guard(() => this.#machine.upstreamDrained());
  }

  progress(): number {
    const { client } = this;
    const upstream = this.#spliced ?? this.#upstream?.socket;
    const written = client.bytesWritten - client.writableLength;
    if (upstream === undefined) return client.bytesRead + written;
    return client.bytesRead + written + upstream.bytesRead + upstream.bytesWritten - upstream.writableLength;
  }

  idleMs(): number {
    const { timeouts } = this.context;
    if (this.#spliced !== undefined) return relayIdleMs(this.client, this.#spliced, timeouts);
    // A slow reader has not received all of the response yet.
    if (this.#lingering) return this.client.writableLength > 0 ? timeouts.exchangeMs : timeouts.lingerMs;
    // A client without a run may be any process on this machine.
    if (this.#machine.idle) return this.#owner === undefined ? timeouts.headMs : timeouts.keepAliveMs;
    return this.#machine.between ? timeouts.headMs : timeouts.exchangeMs;
  }

  onIdle(): void {
    if (this.#spliced !== undefined) this.cut();
    else if (this.#lingering) this.cut(this.client.writableLength > 0 ? failures.stalled() : undefined);
    else this.guard(() => this.#machine.idleTimeout());
  }

  #misplaced(): Refusal {
    return refusalOfContent(this.#record as RequestRecord, this.#search as ContentSearch);
  }

  #clientGone(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#record?.abandon();
    this.#dialling?.abort();
    this.#machine.clientClosed();
    this.#detach();
  }

  #stopListening(): void {
    this.client.off('data', this.#onData).off('end', this.#onEnd).off('drain', this.#onDrain);
  }

  #detach(): void {
    this.#closed = true;
    this.context.idleMonitor.remove(this);
    this.#owner?.run.remove(this);
  }
}

const notAgain: Sending = {};

const headTimeout = refuse('MalformedRequest', 'the request head did not arrive in time');

function refusalOf({ tooLarge, reason }: Fault): Refusal {
  return refuse(tooLarge ? 'HeadersTooLarge' : 'MalformedRequest', reason);
}

const errorOf = ({ code, detail }: Refusal): AuthsomeError => new AuthsomeError(code, detail);

const malformedResponse = ({ reason }: Fault): AuthsomeError =>
  new AuthsomeError('UpstreamMalformed', reason);

function whyCut(cut: Exclude<Cut, { readonly kind: 'misplaced' }>): AuthsomeError {
  switch (cut.kind) {
    case 'malformed-body':
      return new AuthsomeError('MalformedRequest', cut.fault.reason);
    case 'malformed-response':
      return malformedResponse(cut.fault);
    case 'truncated':
      return failures.truncated();
    case 'undecodable':
      return failures.undecodable();
    case 'stalled':
      return failures.stalled();
  }
}

function replyOf(problem: Problem): LocalReply {
  return (shape) => problemResponse(problem, shape);
}
