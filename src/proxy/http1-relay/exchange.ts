import type { Socket } from 'node:net';
import { AuthsomeError, asAuthsomeError } from '../../errors.ts';
import { Docket, failures, perhapsAgain } from '../authorize/index.ts';
import type { Context, Owner } from '../context.ts';
import { refuse, type Subject } from '../decide/index.ts';
import {
  type Answer,
  type Cut,
  type Failure,
  type Fault,
  Pairing,
  type PairingPort,
  type Plan,
  type RequestHead,
} from '../http1/index.ts';
import { type Problem, problemResponse } from '../refusal/index.ts';
import type { Live, Watched } from '../runs/index.ts';
import { relay, relaySilenceMs } from './relay.ts';
import { highWaterBytes, type Upstream, type UpstreamPool, type UpstreamUser } from './upstream.ts';

/** Where a request goes: a pool's key and the way to a new connection. */
export interface Destination {
  readonly key: string;
  /** `provider/connection` whose credential travels on it. */
  readonly connection: string | undefined;
  readonly pool: UpstreamPool;
  readonly dial: (signal: AbortSignal) => Promise<Socket>;
}

/** What decides on the requests of one kind of client connection. */
export interface Court {
  /** Answers with `exchange.forward`, `exchange.refuse` or `exchange.handOver`, now or later. */
  judge(exchange: Exchange, request: RequestHead): void;
  /** What a request that could not be read is put on record as. */
  readonly unread: { readonly owner: Owner | undefined; readonly subject: Subject };
}

/** The thin shell around one pairing: a client's socket, an upstream's, the audit, and nothing of the protocol. */
export class Exchange implements PairingPort, UpstreamUser, Watched, Live {
  readonly client: Socket;
  readonly context: Context;
  /** The TCP connection below the client's TLS: the only one that can be reset. */
  readonly #raw: Socket;
  readonly #court: Court;
  readonly #pairing: Pairing;
  #docket: Docket | undefined;
  #destination: Destination | undefined;
  #upstream: Upstream | undefined;
  #spliced: Socket | undefined;
  #dialling: AbortController | undefined;
  #renewal: (() => Promise<Buffer | undefined>) | undefined;
  #owner: Owner | undefined;
  #lingering = false;
  #closed = false;
  readonly #onData = (chunk: Buffer): void => this.guard(() => this.#pairing.clientBytes(chunk));
  readonly #onEnd = (): void => this.guard(() => this.#pairing.clientEnd());
  readonly #onDrain = (): void => this.guard(() => this.#pairing.clientDrained());

  constructor(
    client: Socket,
    context: Context,
    court: Court,
    more: { readonly owner?: Owner; readonly raw?: Socket } = {},
  ) {
    this.client = client;
    this.#raw = more.raw ?? client;
    this.context = context;
    this.#court = court;
    this.#pairing = new Pairing(this);
    client.on('data', this.#onData);
    client.on('end', this.#onEnd);
    client.on('drain', this.#onDrain);
    client.on('error', () => this.#clientGone());
    client.on('close', () => this.#clientGone());
    context.watch.add(this);
    this.belongTo(more.owner);
  }

  /** The run whose end ends this connection too. */
  belongTo(owner: Owner | undefined): void {
    if (owner === this.#owner) return;
    this.#owner?.run.remove(this);
    this.#owner = owner;
    owner?.run.add(this);
  }

  /** `provider/connection` of the request under way. */
  get connection(): string | undefined {
    return this.#pairing.underWay ? this.#destination?.connection : undefined;
  }

  get subject(): Subject | undefined {
    return this.#docket?.subject;
  }

  cut(why?: AuthsomeError): void {
    if (why !== undefined) this.#docket?.fail(why);
    // An answer that lasts until its connection ends would look whole; what the client has not taken yet is lost.
    if (this.#pairing.answering || this.client.writableLength > 0) this.#raw.resetAndDestroy();
    this.client.destroy();
    this.#spliced?.destroy();
    this.#clientGone();
  }

  /** Opens the record of a request. */
  open(owner: Owner | undefined, subject: Subject): Docket {
    const docket = new Docket(this.context.nextDecisionId(), this.context.decisions, owner?.run, subject);
    this.#docket = docket;
    // The credential of the request before is no longer what this connection carries.
    this.#destination = undefined;
    return docket;
  }

  /** The request goes out to `destination` with this plan. */
  forward(
    docket: Docket,
    destination: Destination,
    plan: Plan,
    renewal?: () => Promise<Buffer | undefined>,
  ): void {
    this.#docket = docket;
    this.#destination = destination;
    this.#renewal = renewal;
    this.#pairing.forward(plan);
  }

  refuse(problem: Problem): void {
    this.#pairing.answer(answerOf(problem));
  }

  /** From now on the socket is somebody else's. Returns what the client sent beyond the head. */
  handOver(): Buffer | undefined {
    const rest = this.#pairing.handOver();
    this.#detach();
    this.#stopListening();
    return rest;
  }

  get gone(): boolean {
    return this.#closed;
  }

  /** Takes a step: a fault of ours costs this connection, never the daemon, and nothing more is sent on it. */
  guard(step: () => void): void {
    try {
      step();
    } catch (error) {
      this.#docket?.fail(asAuthsomeError(error));
      this.cut();
    }
  }

  // What the pairing asks for.

  judge(request: RequestHead): void {
    this.#court.judge(this, request);
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
        if (this.#closed) {
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
        if (!this.#closed) this.refuse((this.#docket as Docket).fail(asAuthsomeError(error)));
      },
    );
  }

  #use(upstream: Upstream, reused: boolean): void {
    this.#upstream = upstream;
    upstream.user = this;
    this.#docket?.record(this.#destination?.connection === undefined ? 'passed' : 'injected');
    this.#pairing.upstreamReady(reused);
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

  breakOffClient(cut: Cut, gentle: boolean): void {
    this.#docket?.fail(whyCut(cut));
    if (gentle) {
      this.endClient();
      return;
    }
    this.#raw.resetAndDestroy();
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
    relay(this.client, socket);
  }

  renew(): void {
    const renewal = this.#renewal;
    if (renewal === undefined) {
      queueMicrotask(() => this.#pairing.renewed(undefined));
      return;
    }
    renewal().then(
      (head) => this.guard(() => this.#pairing.renewed(head)),
      () => this.guard(() => this.#pairing.renewed(undefined)),
    );
  }

  failed(failure: Failure): Answer {
    switch (failure.kind) {
      case 'malformed-head':
        return this.#refusalOf(this.#unread(), failure.fault);
      case 'malformed-body':
        return this.#refusalOf(this.#docket ?? this.#unread(), failure.fault);
      case 'request-timeout':
        return this.#failure(this.#unread(), 'MalformedRequest', 'the request head did not arrive in time');
      case 'malformed-response':
        return this.#failure(this.#docket ?? this.#unread(), 'UpstreamMalformed', failure.fault.reason);
      case 'no-answer':
        return this.#failure(
          this.#docket ?? this.#unread(),
          'UpstreamUnreachable',
          'the upstream closed the connection without an answer',
          perhapsAgain,
        );
      case 'response-timeout':
        return this.#failure(
          this.#docket ?? this.#unread(),
          'UpstreamTimeout',
          'the upstream did not answer in time',
        );
    }
  }

  #refusalOf(docket: Docket, fault: Fault): Answer {
    return answerOf(
      docket.refuse(refuse(fault.tooLarge ? 'HeadersTooLarge' : 'MalformedRequest', fault.reason)),
    );
  }

  #failure(
    docket: Docket,
    code: 'MalformedRequest' | 'UpstreamMalformed' | 'UpstreamUnreachable' | 'UpstreamTimeout',
    detail: string,
    hint?: string,
  ): Answer {
    return answerOf(docket.fail(new AuthsomeError(code, detail, hint === undefined ? {} : { hint })));
  }

  #unread(): Docket {
    const { owner, subject } = this.#court.unread;
    return this.open(owner, subject);
  }

  // What the clock and the sockets bring.

  upstreamBytes(chunk: Buffer): void {
    this.guard(() => this.#pairing.upstreamBytes(chunk));
  }

  upstreamEnd(cleanly: boolean): void {
    this.guard(() => this.#pairing.upstreamEnd(cleanly));
  }

  upstreamDrained(): void {
    this.guard(() => this.#pairing.upstreamDrained());
  }

  progress(): number {
    const { client } = this;
    const upstream = this.#spliced ?? this.#upstream?.socket;
    const written = client.bytesWritten - client.writableLength;
    if (upstream === undefined) return client.bytesRead + written;
    return client.bytesRead + written + upstream.bytesRead + upstream.bytesWritten - upstream.writableLength;
  }

  silenceMs(): number {
    const { patience } = this.context;
    if (this.#spliced !== undefined) return relaySilenceMs(this.client, this.#spliced, patience);
    // A slow reader still has an answer to come.
    if (this.#lingering) return this.client.writableLength > 0 ? patience.exchangeMs : patience.lingerMs;
    // A client that has not said which run it belongs to may be anybody on this machine.
    if (this.#pairing.idle) return this.#owner === undefined ? patience.headMs : patience.keepAliveMs;
    return this.#pairing.between ? patience.headMs : patience.exchangeMs;
  }

  silent(): void {
    if (this.#spliced !== undefined) this.cut();
    else if (this.#lingering) this.cut(this.client.writableLength > 0 ? failures.standstill() : undefined);
    else this.guard(() => this.#pairing.idleTimeout());
  }

  #clientGone(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#docket?.abandon();
    this.#dialling?.abort();
    this.#pairing.clientClosed();
    this.#detach();
  }

  #stopListening(): void {
    this.client.off('data', this.#onData).off('end', this.#onEnd).off('drain', this.#onDrain);
  }

  #detach(): void {
    this.#closed = true;
    this.context.watch.remove(this);
    this.#owner?.run.remove(this);
  }
}

function whyCut(cut: Cut): AuthsomeError {
  switch (cut.kind) {
    case 'malformed-body':
      return new AuthsomeError('MalformedRequest', cut.fault.reason);
    case 'malformed-response':
      return new AuthsomeError('UpstreamMalformed', cut.fault.reason);
    case 'truncated':
      return failures.brokenOff();
    case 'undecodable':
      return failures.undecodable();
    case 'standstill':
      return failures.standstill();
  }
}

function answerOf(problem: Problem): Answer {
  return (shape) => problemResponse(problem, shape);
}
