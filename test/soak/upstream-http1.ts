import type { Socket } from 'node:net';
import { answerFields, echoBytes, eventOf, eventsIn, isBodyless } from './answer.ts';
import type { Attempt, Entry, Fate, Plan } from './ledger.ts';
import { Content, pause } from './payload.ts';
import type { UpstreamContext } from './upstream.ts';
import { chunkOf, framingOf, type Head, Malformed, valuesOf, type Wire } from './wire.ts';

const blockBytes = 48 * 1024;

/** One connection of the upstream: reads strictly, counts what arrives, and misbehaves where the plan says so. */
export class Http1Upstream {
  readonly #wire: Wire;
  /** Below the TLS: the only one that can be reset. */
  readonly #raw: Socket;
  readonly #context: UpstreamContext;
  #carried = 0;

  constructor(wire: Wire, raw: Socket, context: UpstreamContext) {
    this.#wire = wire;
    this.#raw = raw;
    this.#context = context;
  }

  async serve(): Promise<void> {
    try {
      for (;;) {
        const head = await this.#wire.head();
        if (head === undefined) break;
        if (!(await this.#meet(head))) break;
        this.#carried += 1;
      }
      this.#wire.socket.end();
    } catch (error) {
      if (error instanceof Malformed) this.#context.ledger.violation(`at the upstream: ${error.message}`);
      this.#raw.destroy();
    }
  }

  /** Whether the connection can carry another request. */
  async #meet(head: Head): Promise<boolean> {
    const { ledger, keyring } = this.#context;
    const match = /^([A-Z]+) \/soak\/([\w-]+) HTTP\/1\.1$/.exec(head.line);
    const [host = ''] = valuesOf(head.fields, 'host');
    if (match === null || valuesOf(head.fields, 'host').length !== 1) {
      ledger.violation(
        `the upstream got a head that nobody sent: ${JSON.stringify(head.text.slice(0, 300))}`,
      );
      this.#raw.destroy();
      return false;
    }
    const [, method, nonce = ''] = match;
    const credential = valuesOf(head.fields, keyring.fieldFor(host));
    if (valuesOf(head.fields, 'proxy-authorization').length > 0) {
      ledger.violation(`${nonce} carried the proxy's credentials on`);
    }
    if (keyring.foreignTo(host).some((secret) => head.text.includes(secret))) {
      ledger.violation(`${nonce} carried a secret of another host to ${host}`);
    }
    const arrival = ledger.arrived(nonce, host, credential, this.#carried);
    if (arrival === undefined) {
      this.#raw.destroy();
      return false;
    }
    const { entry, attempt } = arrival;
    if (method !== entry.plan.method)
      ledger.violation(`${nonce} was ${entry.plan.method} and arrived as ${method}`);
    try {
      return await this.#act(head, entry, attempt, credential[0] ?? '');
    } finally {
      ledger.left(nonce, attempt, 'lost');
    }
  }

  async #act(head: Head, entry: Entry, attempt: Attempt, credential: string): Promise<boolean> {
    const { ledger, isStale } = this.#context;
    const { plan } = entry;
    const host = plan.host;
    // What harms once lets the repetition through.
    const fate: Fate = entry.seen.some(({ end }) => end === 'harmed') ? 'answer' : plan.fate;
    if (isStale(host, credential)) {
      if (plan.expectsContinue) await this.#wire.write('HTTP/1.1 100 Continue\r\n\r\n');
      await this.#readBody(head, plan);
      ledger.left(plan.nonce, attempt, 'unauthorized');
      const text = JSON.stringify({ nonce: plan.nonce, error: 'a stale token' });
      const body = plan.method === 'HEAD' ? '' : text;
      await this.#wire.write(
        `HTTP/1.1 401 Unauthorized\r\nX-Nonce: ${plan.nonce}\r\nWWW-Authenticate: Bearer error="invalid_token"\r\nContent-Length: ${text.length}\r\n\r\n${body}`,
      );
      return true;
    }
    if (fate === 'reset at the head') return await this.#harm(attempt);
    if (fate === 'answer early') {
      await this.#answer(plan, fate, attempt, credential);
      ledger.left(plan.nonce, attempt, 'answered');
      await this.#readBody(head, plan);
      return plan.responseFraming !== 'close';
    }
    if (plan.expectsContinue) await this.#wire.write('HTTP/1.1 100 Continue\r\n\r\n');
    await this.#readBody(head, plan);
    if (plan.kind === 'upgrade') return await this.#switch(plan, fate, attempt);
    if (entry.intercepted && this.#wire.surplus > 0)
      ledger.violation(`bytes came after ${plan.nonce}, before its answer`);
    if (fate === 'stall') await pause(20 + (plan.responseBytes % 400));
    if (fate === 'reset before the answer') return await this.#harm(attempt);
    if (fate === 'hint first') {
      await this.#wire.write(`HTTP/1.1 103 Early Hints\r\nLink: </${plan.nonce}>; rel=preload\r\n\r\n`);
    }
    if (!(await this.#answer(plan, fate, attempt, credential))) return false;
    ledger.left(plan.nonce, attempt, 'answered');
    if (fate === 'close in silence') await pause(plan.responseBytes % 25);
    return fate !== 'announce close' && fate !== 'close in silence' && plan.responseFraming !== 'close';
  }

  async #readBody(head: Head, plan: Plan): Promise<void> {
    const content = new Content(`${plan.nonce} request`);
    await this.#wire.body(framingOf(head.fields, 'none'), (bytes) => {
      if (!content.matches(bytes))
        this.#context.ledger.violation(`the body of ${plan.nonce} arrived changed`);
    });
    if (plan.kind !== 'upgrade' && content.position !== plan.requestBytes) {
      this.#context.ledger.violation(
        `the body of ${plan.nonce} looked complete with ${content.position} of ${plan.requestBytes} bytes`,
      );
    }
  }

  async #harm(attempt: Attempt): Promise<false> {
    attempt.end = 'harmed';
    // What was written is to arrive before the reset does, now and then.
    await pause(2);
    // Not a reset below TLS: Node 20 corrupts its memory now and then, and this process is to last.
    this.#raw.destroy();
    return false;
  }

  /** False when it broke off. */
  async #answer(plan: Plan, fate: Fate, attempt: Attempt, credential: string): Promise<boolean> {
    const whole = plan.echoes ? echoBytes(plan, credential) : undefined;
    const length = whole?.length ?? plan.responseBytes;
    const head = [
      `HTTP/1.1 ${plan.status} Whatever`,
      ...answerFields(plan).map(([name, value]) => `${name}: ${value}`),
      ...(fate === 'announce close' || plan.responseFraming === 'close' ? ['connection: close'] : []),
    ];
    const { responseFraming } = plan;
    if (plan.status !== 204) {
      if (responseFraming === 'length') head.push(`content-length: ${length}`);
      if (responseFraming === 'chunked') head.push('transfer-encoding: chunked', 'trailer: x-end');
    }
    const text = `${head.join('\r\n')}\r\n\r\n`;
    if (fate === 'reset in the head') {
      await this.#wire.write(text.slice(0, 1 + (plan.responseBytes % (text.length - 1))));
      return await this.#harm(attempt);
    }
    await this.#wire.write(text);
    if (isBodyless(plan)) return true;
    const send = (bytes: Buffer): Promise<void> =>
      this.#wire.write(responseFraming === 'chunked' ? chunkOf(bytes) : bytes);
    if (plan.kind === 'events') {
      for (let index = 0; index < eventsIn(plan); index += 1) {
        await send(Buffer.from(eventOf(plan, index)));
        if (index % 3 === 0) await pause(plan.responseBytes % 7);
      }
    } else {
      const breaks = fate === 'reset in the body' || fate === 'end in the body';
      const stop = breaks ? (plan.responseBytes * 7) % Math.max(1, length) : length;
      const content = new Content(`${plan.nonce} answer`);
      const step = fate === 'dribble' ? Math.max(1, Math.ceil(length / 12)) : blockBytes;
      for (let at = 0; at < stop; at += step) {
        const size = Math.min(step, stop - at);
        await send(whole?.subarray(at, at + size) ?? content.next(size));
        if (fate === 'dribble') await pause(3);
      }
      if (breaks) {
        if (fate === 'reset in the body') return await this.#harm(attempt);
        attempt.end = 'harmed';
        return false;
      }
    }
    if (responseFraming === 'chunked') await this.#wire.write(`0\r\nx-end: ${plan.nonce}\r\n\r\n`);
    return true;
  }

  /** 101, then the bytes of both sides cross. */
  async #switch(plan: Plan, fate: Fate, attempt: Attempt): Promise<false> {
    if (fate === 'reset before the answer' || fate === 'reset in the head') return await this.#harm(attempt);
    await this.#wire.write(
      `HTTP/1.1 101 Switching Protocols\r\nX-Nonce: ${plan.nonce}\r\nConnection: Upgrade\r\nUpgrade: soak\r\n\r\n`,
    );
    const expected = new Content(`${plan.nonce} request`);
    const content = new Content(`${plan.nonce} answer`);
    const cut =
      fate === 'reset in the body' ? (plan.responseBytes * 7) % Math.max(1, plan.responseBytes) : undefined;
    const writing = async (): Promise<void> => {
      while (content.position < (cut ?? plan.responseBytes)) {
        await this.#wire.write(content.next(Math.min(8_000, (cut ?? plan.responseBytes) - content.position)));
      }
    };
    const reading = async (): Promise<void> => {
      while (expected.position < plan.requestBytes) {
        const bytes = await this.#wire.chunk();
        if (bytes === undefined) return;
        if (!expected.matches(bytes))
          this.#context.ledger.violation(`the stream of ${plan.nonce} arrived changed`);
      }
    };
    await Promise.all([writing(), reading()]);
    if (cut !== undefined) return await this.#harm(attempt);
    this.#context.ledger.left(plan.nonce, attempt, 'answered');
    return false;
  }
}
