import type { Socket } from 'node:net';
import { type AuthsomeError, asAuthsomeError, type ErrorCode } from '../../errors.ts';
import {
  type Answer,
  type Failure,
  type Fault,
  Pairing,
  type PairingPort,
  type Plan,
  type RequestHead,
} from '../http1/index.ts';
import { decisionEvent, type Judgement, refuse, type Subject, type Trace } from '../judge/index.ts';
import { problemResponse } from '../refusal/index.ts';
import type { Live } from '../runs/index.ts';
import type { Context, Tenant } from './context.ts';
import type { Watched } from './idle.ts';
import { relay } from './relay.ts';
import { highWaterBytes, type Upstream } from './upstream.ts';

/** Where a request goes: a pool's key and the way to a new connection. */
export interface Destination {
  readonly key: string;
  /** `provider/connection` whose credential travels on it. */
  readonly connection: string | undefined;
  readonly dial: (signal: AbortSignal) => Promise<Socket>;
}

/** One request's record in the making. */
export interface Docket {
  readonly id: string;
  readonly tenant: Tenant | undefined;
  readonly subject: Subject;
  trace: Trace;
  recorded: boolean;
}

/** Whoever decides on the requests of one kind of client connection. */
export interface Bench {
  /** Answers with `exchange.forward`, `exchange.refuse` or `exchange.handOver`, now or later. */
  judge(exchange: Exchange, request: RequestHead): void;
  /** What a request that could not be read is put on record as. */
  readonly unread: { readonly tenant: Tenant | undefined; readonly subject: Subject };
}

/** The thin shell around one pairing: a client's socket, an upstream's, the audit, and nothing of the protocol. */
export class Exchange implements PairingPort, Watched, Live {
  readonly client: Socket;
  readonly context: Context;
  /** The TCP connection below the client's TLS: the only one that can be reset. */
  readonly #raw: Socket;
  readonly #bench: Bench;
  readonly #pairing: Pairing;
  #docket: Docket | undefined;
  #destination: Destination | undefined;
  #placement: string | undefined;
  #upstream: Upstream | undefined;
  #pool: Tenant['pool'] | undefined;
  #spliced: Socket | undefined;
  #dialling: AbortController | undefined;
  #renewal: (() => Promise<Buffer | undefined>) | undefined;
  #owner: Tenant | undefined;
  #lingering = false;
  #closed = false;
  readonly #onData = (chunk: Buffer): void => this.#pairing.clientBytes(chunk);
  readonly #onEnd = (): void => this.#pairing.clientEnd();
  readonly #onDrain = (): void => this.#pairing.clientDrained();

  constructor(
    client: Socket,
    context: Context,
    bench: Bench,
    more: { readonly tenant?: Tenant; readonly raw?: Socket } = {},
  ) {
    this.client = client;
    this.#raw = more.raw ?? client;
    this.context = context;
    this.#bench = bench;
    this.#pairing = new Pairing(this);
    client.on('data', this.#onData);
    client.on('end', this.#onEnd);
    client.on('drain', this.#onDrain);
    client.on('error', () => this.#clientGone());
    client.on('close', () => this.#clientGone());
    context.watch.add(this);
    this.belongTo(more.tenant);
  }

  /** The run whose end ends this connection too. */
  belongTo(tenant: Tenant | undefined): void {
    if (tenant === this.#owner) return;
    this.#owner?.run.remove(this);
    this.#owner = tenant;
    tenant?.run.add(this);
  }

  /** `provider/connection` of the request under way. */
  get connection(): string | undefined {
    return this.#pairing.between ? undefined : this.#destination?.connection;
  }

  cut(): void {
    this.client.destroy();
    this.#spliced?.destroy();
    this.#clientGone();
  }

  /** Opens the record of a request. It is written exactly once, whatever happens. */
  open(tenant: Tenant | undefined, subject: Subject, trace: Trace): Docket {
    const docket = { id: this.context.nextDecisionId(), tenant, subject, trace, recorded: false };
    this.#docket = docket;
    return docket;
  }

  /** The request goes out to `destination` with this plan. */
  forward(
    docket: Docket,
    destination: Destination,
    plan: Plan,
    more: { readonly placement?: string; readonly renewal?: () => Promise<Buffer | undefined> } = {},
  ): void {
    this.#destination = destination;
    this.#placement = more.placement;
    this.#renewal = more.renewal;
    this.#pool = docket.tenant?.pool;
    this.#pairing.forward(plan);
  }

  refuse(docket: Docket, code: ErrorCode, detail: string, hint: string | undefined): void {
    this.#pairing.answer(this.#refusal(docket, code, detail, hint));
  }

  refuseFor(docket: Docket, judgement: Extract<Judgement, { kind: 'refuse' }>): void {
    docket.trace = judgement.trace;
    this.refuse(docket, judgement.code, judgement.detail, judgement.hint);
  }

  refuseWith(docket: Docket, error: AuthsomeError): void {
    docket.trace = { ...docket.trace, reason: error.message };
    this.refuse(docket, error.code, error.message, error.hint);
  }

  /** The socket is somebody else's from now on; with what the client sent beyond the head. */
  handOver(docket: Docket, action: 'tunnelled' | undefined): Buffer | undefined {
    if (action !== undefined) this.#record(docket, action, action);
    docket.recorded = true;
    const rest = this.#pairing.handOver();
    this.#detach();
    this.client.off('data', this.#onData).off('end', this.#onEnd).off('drain', this.#onDrain);
    return rest;
  }

  get gone(): boolean {
    return this.#closed;
  }

  #refusal(docket: Docket, code: ErrorCode, detail: string, hint: string | undefined): Answer {
    this.#record(docket, 'refused', code);
    const problem = { code, detail, hint: hint ?? `Run: authsome explain ${docket.id}`, decision: docket.id };
    return (shape) => problemResponse(problem, shape);
  }

  #record(docket: Docket, action: 'injected' | 'passed' | 'tunnelled' | 'refused', outcome: string): void {
    if (docket.recorded) return;
    docket.recorded = true;
    const run = docket.tenant?.run.spec;
    this.context.decisions.record(
      decisionEvent(
        docket.id,
        run === undefined ? undefined : { identity: run.identity, run: run.id },
        docket.subject,
        docket.trace,
        { action, outcome, placement: action === 'injected' ? this.#placement : undefined },
      ),
    );
  }

  // What the pairing asks for.

  judge(request: RequestHead): void {
    this.#bench.judge(this, request);
  }

  connectUpstream(fresh: boolean): void {
    const destination = this.#destination as Destination;
    const reused = fresh ? undefined : this.#pool?.take(destination.key);
    if (reused !== undefined) {
      this.#use(reused, true);
      return;
    }
    const dialling = new AbortController();
    this.#dialling = dialling;
    destination.dial(dialling.signal).then(
      (socket) => {
        this.#dialling = undefined;
        if (this.#closed || this.#pool === undefined) {
          socket.on('error', () => {});
          socket.destroy();
          return;
        }
        this.#use(this.#pool.adopt(socket, destination.key, destination.connection), false);
      },
      (error: unknown) => {
        this.#dialling = undefined;
        if (!this.#closed) this.refuseWith(this.#docket as Docket, asAuthsomeError(error));
      },
    );
  }

  #use(upstream: Upstream, reused: boolean): void {
    this.#upstream = upstream;
    upstream.user = this.#pairing;
    const injected = this.#destination?.connection !== undefined;
    const action = injected ? 'injected' : 'passed';
    this.#record(this.#docket as Docket, action, action);
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

  releaseUpstream(): void {
    const upstream = this.#upstream;
    this.#upstream = undefined;
    if (upstream !== undefined) this.#pool?.give(upstream);
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

  resetClient(): void {
    this.#raw.resetAndDestroy();
    this.client.destroy();
  }

  splice(fromClient: Buffer | undefined, fromUpstream: Buffer | undefined): void {
    const upstream = this.#upstream;
    if (upstream === undefined) return;
    this.#upstream = undefined;
    const socket = upstream.release();
    this.client.off('data', this.#onData).off('end', this.#onEnd).off('drain', this.#onDrain);
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
      (head) => this.#pairing.renewed(head),
      () => this.#pairing.renewed(undefined),
    );
  }

  failed(failure: Failure): Answer {
    switch (failure.kind) {
      case 'malformed-head':
        return this.#malformed(this.#unread(failure.fault.reason), failure.fault);
      case 'malformed-body':
        return this.#malformed(this.#docket as Docket, failure.fault);
      case 'request-timeout':
        return this.#refusal(
          this.#unread('the request head did not arrive in time'),
          'MalformedRequest',
          'the request head did not arrive in time',
          undefined,
        );
      case 'malformed-response':
        return this.#refusal(this.#docket as Docket, 'UpstreamMalformed', failure.fault.reason, undefined);
      case 'no-answer':
        return this.#refusal(
          this.#docket as Docket,
          'UpstreamUnreachable',
          'the upstream closed the connection without an answer',
          'Send the request again: whether the first one had an effect is not known.',
        );
      case 'response-timeout':
        return this.#refusal(
          this.#docket as Docket,
          'UpstreamTimeout',
          'the upstream did not answer in time',
          undefined,
        );
    }
  }

  #malformed(docket: Docket, fault: Fault): Answer {
    return this.#refusal(
      docket,
      fault.tooLarge ? 'HeadersTooLarge' : 'MalformedRequest',
      fault.reason,
      undefined,
    );
  }

  #unread(reason: string): Docket {
    const { tenant, subject } = this.#bench.unread;
    return this.open(tenant, subject, refuse('MalformedRequest', reason).trace);
  }

  // What the clock and the sockets bring.

  progress(): number {
    const { client } = this;
    const upstream = this.#spliced ?? this.#upstream?.socket;
    const written = client.bytesWritten - client.writableLength;
    if (upstream === undefined) return client.bytesRead + written;
    return client.bytesRead + written + upstream.bytesRead + upstream.bytesWritten - upstream.writableLength;
  }

  silenceMs(): number {
    const { patience } = this.context;
    if (this.#spliced !== undefined) return patience.tunnelMs;
    if (this.#lingering) return patience.lingerMs;
    if (this.#pairing.idle) return patience.keepAliveMs;
    return this.#pairing.between ? patience.headMs : patience.exchangeMs;
  }

  silent(): void {
    if (this.#spliced !== undefined || this.#lingering) this.cut();
    else this.#pairing.idleTimeout();
  }

  #clientGone(): void {
    if (this.#closed) return;
    this.#closed = true;
    const docket = this.#docket;
    if (docket !== undefined && !docket.recorded) {
      docket.trace = {
        ...docket.trace,
        reason: 'the client left, or the run ended, before there was an answer',
      };
      this.#record(docket, 'refused', 'Cancelled');
    }
    this.#dialling?.abort();
    this.#pairing.clientClosed();
    this.#detach();
  }

  #detach(): void {
    this.#closed = true;
    this.context.watch.remove(this);
    this.#owner?.run.remove(this);
  }
}
