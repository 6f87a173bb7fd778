import {
  type Content,
  type Failure,
  type LocalReply,
  type MachinePort,
  type Plan,
  type RequestHead,
  RequestResponseMachine,
} from '../../src/proxy/http1/index.ts';
import { compileInjection, rewriteRequestHead } from '../../src/proxy/inject/index.ts';
import { ContentSearch } from '../../src/proxy/outgoing/index.ts';
import { PhantomFinder, phantomsInHead } from '../../src/proxy/phantoms/index.ts';
import { chunksIn, type ReferenceRequest, readRequests } from './reference.ts';

export type Happening =
  | 'client ends'
  | 'client goes'
  | 'upstream ends'
  | 'upstream breaks'
  | 'silence'
  | 'drained'
  | 'renewed'
  | 'not renewed'
  | 'refused'
  | 'allowed'
  | 'connected';

export type Step =
  | { readonly side: 'client' | 'upstream'; readonly text: string }
  | { readonly event: Happening };

export interface Input {
  /** Decisions and connections come at once, or when a step says so. */
  readonly patient: boolean;
  readonly reused: boolean;
  readonly renewable: boolean;
  /** Whether a body is searched for the phantom in passing, or collected before the decision; usually neither. */
  readonly reads?: 'in passing' | 'before' | undefined;
  readonly steps: readonly Step[];
}

const secret = 'the-secret-of-the-fuzzer';
const injection = compileInjection([{ kind: 'header', name: 'Authorization', prefix: 'Bearer ' }], secret);
const marker = Buffer.from(`Authorization: Bearer ${secret}\r\n`);

export const phantom = 'phantom-of-the-fuzzer';
const refused = 'HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n';
const finder = new PhantomFinder([{ value: phantom, connection: 'example/default', isInRun: true }]);
/** Of a body that is collected. */
const maxCollectedBytes = 48;

/** A broken rule. */
export class Violation extends Error {}

function must(holds: boolean, rule: string): void {
  if (!holds) throw new Violation(rule);
}

/** A machine between two peers that do what an input says, with the checks that must hold throughout. */
class Ring implements MachinePort {
  readonly machine = new RequestResponseMachine(this);
  readonly #input: Input;
  #fromClient = '';
  /** Requests that were authorized, in order, each with what went out for it since its last head. */
  readonly #authorized: { readonly request: RequestHead; heads: number; body: string }[] = [];
  readonly #heads = new Map<Buffer, number>();
  #current = -1;
  #open = 0;
  #ended = false;
  /** The client has ended its side. */
  #silent = false;
  #undecided: RequestHead | undefined;
  #connecting: { readonly fresh: boolean } | undefined;
  #renewing = false;
  #finalAnswers = 0;

  constructor(input: Input) {
    this.#input = input;
  }

  play(step: Step): void {
    const { machine } = this;
    if ('side' in step) {
      if (step.side === 'client') {
        if (this.#ended || this.#silent) return;
        this.#fromClient += step.text;
        machine.clientBytes(Buffer.from(step.text, 'latin1'));
      } else if (this.#open > 0) machine.upstreamBytes(Buffer.from(step.text, 'latin1'));
      return;
    }
    switch (step.event) {
      case 'client ends':
        this.#silent = true;
        machine.clientEnd();
        break;
      case 'client goes':
        machine.clientClosed();
        this.#ended = true;
        break;
      case 'upstream ends':
      case 'upstream breaks':
        machine.upstreamEnd(step.event === 'upstream ends');
        break;
      case 'silence':
        machine.idleTimeout();
        break;
      case 'drained':
        machine.clientDrained();
        machine.upstreamDrained();
        break;
      case 'renewed':
      case 'not renewed':
        this.#renew(step.event === 'renewed');
        break;
      case 'allowed':
      case 'refused':
        this.#decide(step.event === 'allowed');
        break;
      case 'connected':
        this.#connect();
        break;
    }
  }

  finish(): void {
    this.machine.clientClosed();
    must(this.#open === 0, 'a connection to the upstream is left');
    for (const { heads } of this.#authorized) {
      must(heads <= 3, `a request went out ${heads} times`);
    }
  }

  authorize(request: RequestHead): void {
    const index = this.#authorized.length;
    const expected = readRequests(this.#fromClient)[index];
    must(expected !== undefined, 'a request is authorized that was not received whole, or is none');
    must(
      expected?.method === request.method && expected.target === request.target,
      'another request is authorized than was sent',
    );
    const before = readRequests(this.#fromClient).slice(0, index);
    must(
      before.every(({ complete }) => complete),
      'a request is authorized before the one before it was complete',
    );
    this.#authorized.push({ request, heads: 0, body: '' });
    const found = phantomsInHead(finder, request);
    const written = request.bytes.toString('latin1', request.start, request.fieldsEnd);
    must(found !== undefined || !written.includes(phantom), 'a phantom in a head goes unseen');
    for (const { place } of found ?? [])
      if (place.kind === 'query')
        must(request.target.includes('?'), 'a phantom in a query that is not there');
    if (found !== undefined) this.machine.reply(() => Buffer.from(refused));
    else if (this.#input.reads !== 'before' || request.framing.kind === 'none') this.#ask(request);
    else this.machine.collect(maxCollectedBytes, (content) => this.#collected(request, content));
  }

  #collected(request: RequestHead, { bytes, isWhole }: Content): void {
    const { content } = readRequests(this.#fromClient)[this.#authorized.length - 1] as ReferenceRequest;
    must(
      bytes.equals(Buffer.from(content.slice(0, maxCollectedBytes), 'latin1')),
      'other content is collected',
    );
    must(
      isWhole === content.length <= maxCollectedBytes,
      'content counts as whole, or as too long, and is not',
    );
    const isFound = finder.find(bytes, 0, bytes.length).length > 0;
    if (isFound) this.machine.reply(() => Buffer.from(refused));
    else this.#ask(request);
  }

  #ask(request: RequestHead): void {
    this.#undecided = request;
    if (!this.#input.patient) this.#decide(true);
  }

  #decide(allowed: boolean): void {
    const request = this.#undecided;
    if (request === undefined) return;
    this.#undecided = undefined;
    if (!allowed) {
      this.machine.reply(() => Buffer.from('HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n'));
      return;
    }
    const plan: Plan = {
      head: this.#headFor(request, this.#authorized.length - 1),
      lineFor: undefined,
      renewable: this.#input.renewable,
      scrub: undefined,
      search: this.#input.reads === 'in passing' ? new ContentSearch(finder) : undefined,
    };
    this.machine.forward(plan);
  }

  #headFor(request: RequestHead, index: number): Buffer {
    const target = { method: request.method, path: request.target, query: '', host: 'a.test' };
    const head = rewriteRequestHead(request, target, injection);
    must(head.includes(marker), 'a head without the credential');
    must(head.indexOf('\r\n\r\n') === head.length - 4, 'a head that holds two');
    this.#heads.set(head, index);
    return head;
  }

  connectUpstream(fresh: boolean): void {
    must(this.#open === 0 && this.#connecting === undefined, 'two connections for one client');
    this.#connecting = { fresh };
    if (!this.#input.patient) this.#connect();
  }

  #connect(): void {
    const connecting = this.#connecting;
    if (connecting === undefined) return;
    this.#connecting = undefined;
    this.#open += 1;
    this.machine.upstreamReady(connecting.fresh ? false : this.#input.reused);
  }

  sendUpstream(bytes: Buffer): boolean {
    must(this.#open === 1, 'bytes go out on no connection');
    const index = this.#heads.get(bytes);
    if (index !== undefined) {
      must(index === this.#authorized.length - 1, 'an old head is sent');
      this.#current = index;
      const own = this.#authorized[index];
      if (own !== undefined) {
        own.heads += 1;
        own.body = '';
      }
      return true;
    }
    const own = this.#authorized[this.#current];
    must(own !== undefined, 'a body is sent before any head');
    must(!bytes.includes(marker), 'a credential is sent in a body');
    if (own === undefined) return true;
    own.body += bytes.toString('latin1');
    const expected = readRequests(this.#fromClient)[this.#current];
    must(
      expected?.body.startsWith(own.body) === true,
      'bytes go out that do not belong to the request before them',
    );
    if (this.#input.reads !== undefined) {
      const { framing } = own.request;
      const content = framing.kind === 'chunked' ? chunksIn(own.body) : own.body;
      const searched = this.#input.reads === 'before' ? content.slice(0, maxCollectedBytes) : content;
      must(!searched.includes(phantom), 'a phantom goes out in a body that was searched');
    }
    return this.#authorized.length % 3 !== 0;
  }

  sendClient(bytes: Buffer): boolean {
    must(!this.#ended, 'bytes for a client that was let go');
    must(!bytes.includes(marker), 'the client is told the credential');
    return bytes.length % 3 !== 0;
  }

  readClient(): void {}

  readUpstream(): void {}

  releaseUpstream(): void {
    this.#leave();
    const own = this.#authorized[this.#current];
    const expected = readRequests(this.#fromClient)[this.#current];
    must(
      own?.body === expected?.body && expected?.complete === true,
      'a connection is kept during a request',
    );
    this.#finalAnswers += 1;
    must(this.#finalAnswers <= this.#authorized.length, 'more answers than requests');
  }

  destroyUpstream(): void {
    this.#leave();
  }

  #leave(): void {
    this.#open -= 1;
    must(this.#open === 0, 'a connection is freed twice');
  }

  endClient(): void {
    // Once more when a client that is drained ends its own side: no harm.
    this.#ended = true;
  }

  abortClient(): void {
    this.#ended = true;
  }

  splice(): void {
    must(this.#authorized.at(-1)?.request.upgrade !== undefined, 'spliced although nobody asked for it');
    this.#leave();
    this.#ended = true;
  }

  renew(): void {
    this.#renewing = true;
  }

  #renew(works: boolean): void {
    if (!this.#renewing) return;
    this.#renewing = false;
    const index = this.#authorized.length - 1;
    const request = this.#authorized[index]?.request;
    this.machine.renewed(works && request !== undefined ? this.#headFor(request, index) : undefined);
  }

  failed(failure: Failure): LocalReply {
    return ({ close }) =>
      Buffer.from(
        `HTTP/1.1 502 ${failure.kind}\r\n${close ? 'Connection: close\r\n' : ''}Content-Length: 0\r\n\r\n`,
      );
  }
}

/** Throws where a rule is broken, or where the machine does. */
export function play(input: Input): void {
  const ring = new Ring(input);
  for (const step of input.steps) ring.play(step);
  ring.finish();
}
