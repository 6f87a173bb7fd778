import fc from 'fast-check';
import { expect, it } from 'vitest';
import { rewriteRequestHead } from '../inject/index.ts';
import { type MachinePort, type Plan, type RequestHead, RequestResponseMachine } from './index.ts';

interface Exchange {
  readonly body: 'none' | 'length' | 'chunked';
  /** `last`: the upstream ends its connection with it. */
  readonly response: 'length' | 'chunked' | 'hint first' | 'last';
  /**
   * `stale`: 401 at first, and there is another credential. `refused` stays 401. `dropped`: the connection from the
   * pool turns out to be dead.
   */
  readonly fate: 'carried' | 'denied' | 'stale' | 'refused' | 'dropped';
}

/** A client that sends everything it has, an upstream that answers as soon as it can, and sockets as slow as chance wants. */
class Scene implements MachinePort {
  readonly machine = new RequestResponseMachine(this);
  /** What the client got, and what the upstream got for each request at last. */
  received = '';
  readonly arrived = new Map<number, string>();
  readonly authorized: number[] = [];
  finished = false;
  readonly #exchanges: readonly Exchange[];
  readonly #next: (limit: number) => number;
  #toSend: string;
  #pending: (() => void)[] = [];
  #readsClient = true;
  #readsUpstream = true;
  #upstreamBytes = '';
  #answering: string | undefined;
  #isLast = false;
  readonly #attempts = new Map<number, number>();

  constructor(exchanges: readonly Exchange[], next: (limit: number) => number) {
    this.#exchanges = exchanges;
    this.#next = next;
    this.#toSend = exchanges.map((_, index) => this.requestOf(index)).join('');
  }

  /** Lets things happen in an order of chance until nothing can any more. */
  play(): void {
    for (let events = this.#possible(); events.length > 0; events = this.#possible()) {
      events[this.#next(events.length)]?.();
    }
  }

  #possible(): (() => void)[] {
    const pending = this.#pending.map((event) => () => {
      this.#pending = this.#pending.filter((other) => other !== event);
      event();
    });
    if (this.#readsClient && this.#toSend !== '') {
      pending.push(() => {
        const [piece, rest] = this.#cut(this.#toSend);
        this.#toSend = rest;
        this.machine.clientBytes(Buffer.from(piece));
      });
    }
    if (this.#readsUpstream && (this.#answering ?? '') !== '') {
      pending.push(() => {
        const [piece, rest] = this.#cut(this.#answering as string);
        this.#answering = rest;
        this.machine.upstreamBytes(Buffer.from(piece));
      });
    }
    // It closes once it has the whole request, or else the client's connection would have to end as well.
    const index = this.authorized.at(-1);
    if (
      this.#answering === '' &&
      this.#isLast &&
      this.arrived.get(index ?? -1) === this.requestOf(index ?? 0)
    ) {
      pending.push(() => {
        this.#isLast = false;
        this.machine.upstreamEnd(true);
      });
    }
    return pending;
  }

  #cut(text: string): readonly [string, string] {
    const at = 1 + this.#next(text.length);
    return [text.slice(0, at), text.slice(at)];
  }

  requestOf(index: number): string {
    const { body } = this.#exchanges[index] as Exchange;
    const head = `${body === 'none' ? 'GET' : 'POST'} /${index} HTTP/1.1\r\nHost: a.test\r\n`;
    if (body === 'none') return `${head}\r\n`;
    if (body === 'length') return `${head}Content-Length: 9\r\n\r\nbody of ${index}`;
    return `${head}Transfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n5\r\n of ${index}\r\n0\r\n\r\n`;
  }

  /** What the client is to get for this request. */
  expected(index: number): string {
    const { fate } = this.#exchanges[index] as Exchange;
    if (fate === 'denied') return `denied ${index}.`;
    const attempts = this.#attempts.get(index) ?? 0;
    // A hint is passed on at once, before it is known whether the request has to go out again.
    const hints = fate === 'dropped' ? 0 : attempts - 1;
    return this.#hintFor(index).repeat(hints) + this.#answerTo(index, attempts);
  }

  #hintFor(index: number): string {
    const isFirst = this.#exchanges[index]?.response === 'hint first';
    return isFirst ? `HTTP/1.1 103 Early Hints\r\nLink: <${index}>\r\n\r\n` : '';
  }

  #answerTo(index: number, attempt: number): string {
    const { response, fate } = this.#exchanges[index] as Exchange;
    const isStale = fate === 'refused' || (fate === 'stale' && attempt === 1);
    const status = isStale ? '401 Unauthorized' : '200 OK';
    if (fate === 'dropped' && attempt === 1) return '';
    if (response !== 'chunked')
      return `${this.#hintFor(index)}HTTP/1.1 ${status}\r\nContent-Length: 6\r\n\r\nfor ${index}.`;
    return `HTTP/1.1 ${status}\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nfor ${index}.\r\n0\r\n\r\n`;
  }

  authorize(request: RequestHead): void {
    const index = Number(request.target.slice(1));
    this.authorized.push(index);
    const { fate } = this.#exchanges[index] as Exchange;
    const head = rewriteRequestHead(
      request,
      { method: request.method, path: request.target, query: '', host: 'a.test' },
      undefined,
    );
    const plan: Plan = { head, lineFor: undefined, renewable: fate !== 'carried', scrub: undefined };
    const decide = (): void => {
      if (fate === 'denied') this.machine.reply(() => Buffer.from(`denied ${index}.`));
      else this.machine.forward(plan);
    };
    this.#soonOrLater(decide);
  }

  connectUpstream(fresh: boolean): void {
    this.#upstreamBytes = '';
    this.#answering = undefined;
    this.#readsUpstream = true;
    this.#soonOrLater(() => this.machine.upstreamReady(!fresh));
  }

  #soonOrLater(event: () => void): void {
    if (this.#next(2) === 0) event();
    else this.#pending.push(event);
  }

  sendUpstream(bytes: Buffer): boolean {
    this.#upstreamBytes += bytes.toString();
    const index = Number(/^\w+ \/(\d+) /.exec(this.#upstreamBytes)?.[1]);
    this.arrived.set(index, this.#upstreamBytes);
    if (this.#answering === undefined) {
      const attempt = (this.#attempts.get(index) ?? 0) + 1;
      this.#attempts.set(index, attempt);
      const response = this.#answerTo(index, attempt);
      const isLast = this.#exchanges[index]?.response === 'last';
      this.#answering = isLast ? response.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n') : response;
      this.#isLast = isLast || response === '';
    }
    return this.#roomFor(() => this.machine.upstreamDrained());
  }

  sendClient(bytes: Buffer): boolean {
    this.received += bytes.toString();
    return this.#roomFor(() => this.machine.clientDrained());
  }

  #roomFor(drained: () => void): boolean {
    if (this.#next(3) > 0) return true;
    this.#pending.push(drained);
    return false;
  }

  renew(): void {
    const index = this.authorized.at(-1) as number;
    const { fate } = this.#exchanges[index] as Exchange;
    const head = this.requestOf(index).split('\r\n\r\n')[0] as string;
    this.#pending.push(() =>
      this.machine.renewed(fate === 'stale' ? Buffer.from(`${head}\r\n\r\n`) : undefined),
    );
  }

  readClient(on: boolean): void {
    this.#readsClient = on;
  }

  readUpstream(on: boolean): void {
    this.#readsUpstream = on;
  }

  releaseUpstream(): void {
    this.#answering = undefined;
  }

  destroyUpstream(): void {
    this.#answering = undefined;
  }

  endClient(): void {
    this.finished = true;
  }

  abortClient(): void {
    this.finished = true;
  }

  splice(): void {
    throw new Error('nobody asked for another protocol');
  }

  failed(): never {
    throw new Error('nothing is wrong with these requests');
  }
}

const exchange: fc.Arbitrary<Exchange> = fc
  .record({
    body: fc.constantFrom<Exchange['body']>('none', 'length', 'chunked'),
    response: fc.constantFrom<Exchange['response']>('length', 'chunked', 'hint first', 'last'),
    fate: fc.constantFrom<Exchange['fate']>('carried', 'carried', 'denied', 'stale', 'refused', 'dropped'),
  })
  // A refusal before a body closes the connection, and a request with a body is not sent again to be safe.
  .map((made) => (made.fate === 'denied' || made.fate === 'dropped' ? { ...made, body: 'none' } : made));

it('in any order of events, every request is relayed and answered in order, and none is left waiting', () => {
  fc.assert(
    fc.property(
      fc.array(exchange, { minLength: 1, maxLength: 6 }),
      fc.infiniteStream(fc.nat()),
      (exchanges, chance) => {
        const scene = new Scene(exchanges, (limit) => (chance.next().value as number) % limit);
        scene.play();
        const all = exchanges.map((_, index) => index);
        expect(scene.authorized).toEqual(all);
        expect(scene.received).toBe(all.map((index) => scene.expected(index)).join(''));
        const carried = all.filter((index) => exchanges[index]?.fate !== 'denied');
        expect([...scene.arrived.keys()]).toEqual(carried);
        for (const index of carried) expect(scene.arrived.get(index)).toBe(scene.requestOf(index));
        expect(scene.finished).toBe(false);
      },
    ),
    { numRuns: 3_000 },
  );
});
