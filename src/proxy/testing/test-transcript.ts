import type { RequestHead } from '../http1/index.ts';
import {
  type Cut,
  type Failure,
  type MachinePort,
  type Plan,
  RequestResponseMachine,
} from '../http1/index.ts';
import { type ForwardTarget, type Injection, rewriteRequestHead } from '../inject/index.ts';

export interface TranscriptOptions {
  readonly injection?: Injection;
  readonly plan?: Partial<Plan>;
  /** `false`: the test answers `authorize` itself. */
  readonly autoAuthorize?: boolean;
  /** `false`: the test answers `connect` itself. */
  readonly autoConnect?: boolean;
  /** What the next sends answer: `false` asks for a pause. */
  readonly blockClient?: () => boolean;
  readonly blockUpstream?: () => boolean;
}

/** A machine whose port writes down what it is asked for: events in, actions out, no sockets. */
export class Transcript implements MachinePort {
  readonly machine = new RequestResponseMachine(this);
  /** Actions in order; bytes sent in a row to one side are joined. */
  readonly actions: string[] = [];
  readonly authorized: RequestHead[] = [];
  reused = false;
  readonly #options: TranscriptOptions;

  constructor(options: TranscriptOptions = {}) {
    this.#options = options;
  }

  client(text: string): this {
    this.machine.clientBytes(Buffer.from(text, 'latin1'));
    return this;
  }

  upstream(text: string): this {
    this.machine.upstreamBytes(Buffer.from(text, 'latin1'));
    return this;
  }

  /** Everything sent to one side so far. */
  sent(side: 'client' | 'upstream'): string {
    const prefix = `→${side} `;
    return this.actions
      .filter((action) => action.startsWith(prefix))
      .map((action) => action.slice(prefix.length))
      .join('');
  }

  /** The actions since the last call. */
  take(): readonly string[] {
    return this.actions.splice(0);
  }

  planFor(request: RequestHead): Plan {
    const target = targetOf(request);
    return {
      head: rewriteRequestHead(request, target, this.#options.injection),
      lineFor: undefined,
      renewable: false,
      scrub: undefined,
      ...this.#options.plan,
    };
  }

  authorize(request: RequestHead): void {
    this.authorized.push(request);
    if (this.#options.autoAuthorize === false)
      this.actions.push(`authorize ${request.method} ${request.target}`);
    else this.machine.forward(this.planFor(request));
  }

  connectUpstream(fresh: boolean): void {
    if (this.#options.autoConnect === false || fresh) this.actions.push(fresh ? 'connect afresh' : 'connect');
    if (this.#options.autoConnect !== false) this.machine.upstreamReady(fresh ? false : this.reused);
  }

  sendUpstream(bytes: Buffer): boolean {
    this.#wrote('upstream', bytes);
    return !(this.#options.blockUpstream?.() ?? false);
  }

  sendClient(bytes: Buffer): boolean {
    this.#wrote('client', bytes);
    return !(this.#options.blockClient?.() ?? false);
  }

  readClient(on: boolean): void {
    this.actions.push(on ? 'resume client' : 'pause client');
  }

  readUpstream(on: boolean): void {
    this.actions.push(on ? 'resume upstream' : 'pause upstream');
  }

  releaseUpstream(idleMs: number | undefined): void {
    this.actions.push(idleMs === undefined ? 'release upstream' : `release upstream for ${idleMs} ms`);
  }

  destroyUpstream(): void {
    this.actions.push('destroy upstream');
  }

  endClient(): void {
    this.actions.push('end client');
  }

  abortClient(_cut: Cut, graceful: boolean): void {
    this.actions.push(graceful ? 'abort client' : 'reset client');
  }

  splice(fromClient: Buffer | undefined, fromUpstream: Buffer | undefined): void {
    this.actions.push(
      `splice ${fromClient?.toString('latin1') ?? ''}|${fromUpstream?.toString('latin1') ?? ''}`,
    );
  }

  renew(): void {
    this.actions.push('renew');
  }

  failed(failure: Failure): (shape: { readonly close: boolean; readonly body: boolean }) => Buffer {
    return ({ close }) => Buffer.from(`<${failure.kind}${close ? ', close' : ''}>`);
  }

  #wrote(side: 'client' | 'upstream', bytes: Buffer): void {
    const prefix = `→${side} `;
    const last = this.actions.length - 1;
    const text = bytes.toString('latin1');
    if (this.actions[last]?.startsWith(prefix) === true) this.actions[last] += text;
    else this.actions.push(prefix + text);
  }
}

function targetOf(request: RequestHead): ForwardTarget {
  const question = request.target.indexOf('?');
  const path = question === -1 ? request.target : request.target.slice(0, question);
  return {
    method: request.method,
    path,
    query: question === -1 ? '' : request.target.slice(question),
    host: request.host ?? 'a.test',
  };
}
