import { constants, gunzipSync } from 'node:zlib';
import { echoOf, eventOf, eventsIn, isBodyless } from './answer.ts';
import { phantomField } from './keyring.ts';
import type { Entry, Plan } from './ledger.ts';
import { type Chance, Content, pause } from './payload.ts';
import { planHttp1, soakHosts } from './plan.ts';
import { dialProxy, type Environs, leave, openTunnel, type Tunnel } from './tunnel.ts';
import { Broken, chunkOf, framingOf, type Head, Malformed, valuesOf, Wire } from './wire.ts';

type Fault =
  | 'none'
  | 'reset in the request'
  | 'reset in the answer'
  | 'reads slowly'
  | 'writes slowly'
  | 'half-closes';

const faults: readonly Fault[] = [
  'reset in the request',
  'reset in the answer',
  'reads slowly',
  'writes slowly',
  'half-closes',
];

/** One client after another, each with some requests on one connection: in a row, or pipelined. */
export async function runHttp1(environs: Environs, chance: Chance, host: string): Promise<void> {
  const tunnel = await openTunnel(environs, host, 'http/1.1');
  await new Http1Client(environs, chance, host, new Wire(tunnel.tls), tunnel, tunnel.intercepted).run();
}

/** Requests in absolute form, over plain HTTP. */
export async function runPlain(environs: Environs, chance: Chance): Promise<void> {
  const raw = await dialProxy(environs);
  const client = new Http1Client(environs, chance, soakHosts.plain, new Wire(raw), undefined, true, raw);
  await client.run();
}

class Http1Client {
  readonly #environs: Environs;
  readonly #chance: Chance;
  readonly #host: string;
  readonly #wire: Wire;
  readonly #intercepted: boolean;
  readonly #destroy: (hard: boolean) => void;
  readonly #isPlain: boolean;
  #over = false;
  /** What this connection has been used for, to be reported with what goes wrong on it. */
  readonly #past: string[] = [];

  constructor(
    environs: Environs,
    chance: Chance,
    host: string,
    wire: Wire,
    tunnel: Tunnel | undefined,
    intercepted: boolean,
    plain?: Tunnel['raw'],
  ) {
    this.#environs = environs;
    this.#chance = chance;
    this.#host = host;
    this.#wire = wire;
    this.#intercepted = intercepted;
    this.#isPlain = plain !== undefined;
    this.#destroy = (hard) => {
      // A reset below a TLS socket of Node 20's makes the process crash now and then: there it is a mere end.
      if (hard && tunnel === undefined) plain?.resetAndDestroy();
      if (tunnel === undefined) plain?.destroy();
      else leave(tunnel);
    };
  }

  async run(): Promise<void> {
    const chance = this.#chance;
    try {
      for (let rest = 1 + chance.below(12); rest > 0 && !this.#over; rest -= 1) {
        await this.#environs.begin();
        if (chance.happens(0.1)) await this.#pipeline(2 + chance.below(6));
        else await this.#single();
      }
    } finally {
      this.#destroy(false);
    }
  }

  async #single(): Promise<void> {
    const chance = this.#chance;
    const plan = planHttp1(chance, this.#host, this.#environs.nextNonce());
    const entry = this.#environs.ledger.begin(plan, this.#intercepted);
    const fault = chance.happens(0.25) ? chance.pick(faults) : 'none';
    this.#past.push(`${plan.nonce} ${plan.fate}, ${fault}`);
    let finalSeen = (): void => {};
    let continued = (): void => {};
    const mayGoOn = new Promise<boolean>((resolve) => {
      continued = () => resolve(true);
      finalSeen = () => resolve(false);
    });
    const writing = this.#write(plan, entry, fault, mayGoOn).catch((error: unknown) => {
      if (!(error instanceof Broken)) throw error;
      this.#over = true;
    });
    await this.#settling(entry, () => this.#read(plan, entry, fault, continued, finalSeen));
    finalSeen();
    if (plan.kind === 'upgrade') this.#over = true;
    if (this.#over) this.#destroy(false);
    await writing;
  }

  async #pipeline(count: number): Promise<void> {
    const entries: Entry[] = [];
    let text = '';
    for (let index = 0; index < count; index += 1) {
      const plan = planHttp1(this.#chance, this.#host, this.#environs.nextNonce(), true);
      entries.push(this.#environs.ledger.begin(plan, this.#intercepted));
      this.#past.push(`${plan.nonce} ${plan.fate}, pipelined`);
      text += this.#headOf(plan);
    }
    await this.#wire.write(text).catch(() => {});
    for (const entry of entries) {
      if (this.#over) entry.spoilt = true;
      await this.#settling(entry, () => {
        if (this.#over) throw new Broken('an answer before this one ended the connection');
        return this.#read(
          entry.plan,
          entry,
          'none',
          () => {},
          () => {},
        );
      });
    }
  }

  /** Puts down how the reading of an answer ended. */
  async #settling(entry: Entry, read: () => Promise<'whole' | 'problem'>): Promise<void> {
    const { ledger } = this.#environs;
    try {
      ledger.finish(entry, await read());
    } catch (error) {
      this.#over = true;
      if (error instanceof Malformed)
        ledger.violation(`${entry.plan.nonce} got an odd answer: ${error.message} ${JSON.stringify(entry)}`);
      else if (!(error instanceof Broken)) throw error;
      const past = this.#past.join('; ');
      ledger.finish(entry, 'broken', `${error instanceof Error ? error.message : ''} after [${past}]`);
    }
  }

  #headOf(plan: Plan): string {
    const { keyring, proxyAuthorization } = this.#environs;
    const target = `/soak/${plan.nonce}`;
    const lines = [
      `${plan.method} ${this.#isPlain ? `http://${plan.host}${target}` : target} HTTP/1.1`,
      `Host: ${plan.host}`,
      `${keyring.fieldFor(plan.host)}: ${phantomField}`,
    ];
    if (this.#isPlain) lines.push(`Proxy-Authorization: ${proxyAuthorization}`);
    if (plan.kind === 'upgrade') lines.push('Connection: Upgrade', 'Upgrade: soak');
    if (plan.requestFraming === 'length') lines.push(`Content-Length: ${plan.requestBytes}`);
    if (plan.requestFraming === 'chunked') lines.push('Transfer-Encoding: chunked');
    if (plan.expectsContinue) lines.push('Expect: 100-continue');
    return `${lines.join('\r\n')}\r\n\r\n`;
  }

  async #write(plan: Plan, entry: Entry, fault: Fault, mayGoOn: Promise<boolean>): Promise<void> {
    const chance = this.#chance;
    const head = this.#headOf(plan);
    const breaksAt =
      fault === 'reset in the request' ? chance.below(head.length + plan.requestBytes) : undefined;
    if (breaksAt !== undefined && breaksAt < head.length) {
      this.#leaveAmid(entry);
      this.#environs.ledger.halfHeads += 1;
      if (breaksAt > 0) await this.#wire.write(head.slice(0, breaksAt));
      this.#destroy(chance.happens(0.5));
      return;
    }
    if (fault === 'writes slowly') {
      // Node 20 stalls after an empty write to a TLS socket.
      const middle = 1 + chance.below(head.length - 1);
      await this.#wire.write(head.slice(0, middle));
      await pause(5);
      await this.#wire.write(head.slice(middle));
    } else {
      await this.#wire.write(head);
    }
    if (plan.expectsContinue && !(await mayGoOn)) {
      this.#over = true;
      return;
    }
    const content = new Content(`${plan.nonce} request`);
    while (plan.requestFraming !== 'none' && content.position < plan.requestBytes) {
      const size = Math.min(1 + chance.below(64_000), plan.requestBytes - content.position);
      if (breaksAt !== undefined && head.length + content.position + size > breaksAt) {
        this.#leaveAmid(entry);
        this.#destroy(chance.happens(0.5));
        return;
      }
      const bytes = content.next(size);
      await this.#wire.write(plan.requestFraming === 'chunked' ? chunkOf(bytes) : bytes);
      if (fault === 'writes slowly' && chance.happens(0.2)) await pause(10);
    }
    if (plan.requestFraming === 'chunked')
      await this.#wire.write(chance.happens(0.3) ? '0;last\r\nX-Sum: 1\r\n\r\n' : '0\r\n\r\n');
    if (fault === 'half-closes' && plan.kind !== 'upgrade') {
      this.#over = true;
      this.#wire.socket.end();
    }
  }

  /** Nothing more can be asked on the connection, though an early answer to this request may have been whole. */
  #leaveAmid(entry: Entry): void {
    entry.spoilt = true;
    this.#over = true;
  }

  async #read(
    plan: Plan,
    entry: Entry,
    fault: Fault,
    continued: () => void,
    finalSeen: () => void,
  ): Promise<'whole' | 'problem'> {
    const { ledger } = this.#environs;
    const head = await this.#finalHead(plan, entry, continued);
    finalSeen();
    const status = Number(head.line.split(' ')[1]);
    if (valuesOf(head.fields, 'connection').some((value) => value.toLowerCase() === 'close'))
      this.#over = true;
    const nonce = valuesOf(head.fields, 'x-nonce');
    if (nonce.length === 0) return await this.#problem(entry, status, head);
    if (nonce.length > 1 || nonce[0] !== plan.nonce)
      ledger.violation(`${plan.nonce} got the answer to ${nonce}`);
    if (status === 101) return await this.#cross(plan, fault, entry);
    if (status === 401 && plan.host === soakHosts.refreshed) {
      ledger.count('401 that stood');
      if (entry.seen.at(-1)?.end !== 'unauthorized')
        ledger.violation(`${plan.nonce} got a 401 that was not given`);
      if (valuesOf(head.fields, 'authsome-decision').length !== 1)
        ledger.violation(`${plan.nonce} got a bare 401`);
      await this.#wire.body(
        plan.method === 'HEAD' ? { kind: 'none' } : framingOf(head.fields, 'close'),
        () => {},
      );
      return 'whole';
    }
    if (status !== plan.status) ledger.violation(`${plan.nonce} got ${status} instead of ${plan.status}`);
    if (isBodyless(plan)) return 'whole';
    const framing = framingOf(head.fields, 'close');
    if (framing.kind === 'close') this.#over = true;
    if (plan.echoes) {
      await this.#readEcho(plan, entry, head);
      return 'whole';
    }
    const breaksAt = fault === 'reset in the answer' ? this.#chance.below(plan.responseBytes + 1) : undefined;
    let text = '';
    const content = new Content(`${plan.nonce} answer`);
    const trailers = await this.#wire.body(framing, async (bytes) => {
      if (plan.kind === 'events') text += bytes.toString('latin1');
      else if (!content.matches(bytes))
        throw new Malformed(`the body changed before byte ${content.position}`);
      if (breaksAt !== undefined && content.position >= breaksAt) {
        entry.spoilt = true;
        this.#destroy(this.#chance.happens(0.5));
        throw new Broken('left');
      }
      if (fault === 'reads slowly' && this.#chance.happens(0.3)) await pause(this.#chance.below(40));
    });
    if (plan.kind === 'events') {
      const expected = Array.from({ length: eventsIn(plan) }, (_, index) => eventOf(plan, index)).join('');
      if (text !== expected) throw new Malformed(`events came as ${JSON.stringify(text.slice(0, 200))}`);
    } else if (content.position !== plan.responseBytes) {
      // Node does not tell a TLS connection that was cut from one that was closed (RFC 9112 §9.8).
      if (framing.kind === 'close' && entry.seen.at(-1)?.end === 'harmed') throw new Broken('cut off');
      throw new Malformed(
        `the answer looked complete with ${content.position} of ${plan.responseBytes} bytes`,
      );
    }
    if (framing.kind === 'chunked' && plan.responseFraming === 'chunked' && trailers[0]?.[1] !== plan.nonce) {
      throw new Malformed('the trailer is missing');
    }
    return 'whole';
  }

  async #finalHead(plan: Plan, entry: Entry, continued: () => void): Promise<Head> {
    for (;;) {
      const head = await this.#wire.head();
      if (head === undefined) throw new Broken('the connection ended without an answer');
      const status = head.line.split(' ')[1];
      if (!/^HTTP\/1\.1 \d{3} /.test(head.line)) throw new Malformed(head.line);
      if (status === '103' && !head.text.includes(plan.nonce))
        throw new Malformed('the hint for another request');
      if (status === '100' && !plan.expectsContinue)
        throw new Malformed(`100 that nobody waits for ${entry.seen.length}`);
      if (status === '100') continued();
      else if (status !== '103') return head;
    }
  }

  /** An answer of the proxy's own. */
  async #problem(entry: Entry, status: number, head: Head): Promise<'problem'> {
    const { plan } = entry;
    let text = '';
    await this.#wire.body(
      plan.method === 'HEAD' ? { kind: 'none' } : framingOf(head.fields, 'close'),
      (bytes) => {
        text += bytes.toString();
      },
    );
    if (!head.text.includes('application/problem+json')) {
      throw new Malformed(`an answer to nobody: ${JSON.stringify(head.text)}`);
    }
    const code = plan.method === 'HEAD' ? String(status) : (JSON.parse(text) as { code: string }).code;
    this.#environs.ledger.refused(entry, code);
    return 'problem';
  }

  async #readEcho(plan: Plan, entry: Entry, head: Head): Promise<void> {
    const parts: Buffer[] = [];
    await this.#wire.body(framingOf(head.fields, 'close'), (bytes) => {
      parts.push(bytes);
    });
    const coding = valuesOf(head.fields, 'content-encoding')[0];
    const raw = Buffer.concat(parts);
    // What is cut off is read as far as it goes.
    const text = (
      coding === 'gzip' ? gunzipSync(raw, { finishFlush: constants.Z_SYNC_FLUSH }) : raw
    ).toString();
    checkEcho(this.#environs, plan, entry, text);
  }

  /** After 101: both sides send at once. */
  async #cross(plan: Plan, fault: Fault, entry: Entry): Promise<'whole'> {
    const chance = this.#chance;
    const content = new Content(`${plan.nonce} request`);
    const breaksAt = fault.startsWith('reset') ? chance.below(plan.requestBytes + 1) : undefined;
    const writing = async (): Promise<void> => {
      while (content.position < plan.requestBytes) {
        if (breaksAt !== undefined && content.position >= breaksAt) {
          entry.spoilt = true;
          this.#destroy(chance.happens(0.5));
        }
        await this.#wire.write(
          content.next(Math.min(1 + chance.below(9_000), plan.requestBytes - content.position)),
        );
      }
    };
    const expected = new Content(`${plan.nonce} answer`);
    const reading = async (): Promise<void> => {
      while (expected.position < plan.responseBytes) {
        const bytes = await this.#wire.chunk();
        if (bytes === undefined) throw new Broken('the stream ended early');
        if (!expected.matches(bytes)) throw new Malformed('the stream changed');
        if (fault === 'reads slowly' && chance.happens(0.3)) await pause(chance.below(40));
      }
    };
    await Promise.all([writing(), reading()]);
    // Nobody ends before the upstream has all of it.
    while (entry.seen.at(-1)?.end === 'open') await pause(2);
    return 'whole';
  }
}

/** The credential never comes back: the run's phantom does. */
export function checkEcho(
  { ledger, phantoms, keyring }: Environs,
  plan: Plan,
  entry: Entry,
  text: string,
): void {
  const injected = entry.seen.at(-1)?.injected === true;
  const prefix = keyring.fieldFor(plan.host) === 'authorization' ? 'Bearer ' : '';
  // A connection that is made again after a revocation has another phantom.
  const later = plan.host === soakHosts.revoked ? /sk_soak_[0-9a-f]{36,}/.exec(text)?.[0] : undefined;
  const credential = injected ? prefix + (later ?? phantoms.get(plan.host)) : phantomField;
  const expected = echoOf(plan, credential);
  if (isCutShort(plan, entry, text, expected, keyring.secrets)) throw new Broken('cut off');
  if (text !== expected) {
    let at = 0;
    while (text[at] === expected[at]) at += 1;
    ledger.violation(
      `the echo of ${plan.nonce} changed at ${at} of ${text.length} (${expected.length}): ${JSON.stringify(text.slice(0, 100))} … ${JSON.stringify(text.slice(at, at + 60))} ${JSON.stringify(entry)}`,
    );
  }
  if (keyring.secrets.some((secret) => text.includes(secret)))
    ledger.violation(`${plan.nonce} let a secret out`);
  ledger.count('echo');
}

/**
 * Whether the upstream broke off where only its connection's end could tell, and what came is the beginning of what was
 * due. It may stop inside a secret, which nobody can tell from text then.
 */
function isCutShort(
  { isHttp2, responseFraming }: Plan,
  entry: Entry,
  text: string,
  expected: string,
  secrets: readonly string[],
): boolean {
  if (!(isHttp2 || responseFraming === 'close') || entry.seen.at(-1)?.end !== 'harmed') return false;
  if (text !== expected && expected.startsWith(text)) return true;
  let same = 0;
  while (same < text.length && text[same] === expected[same]) same += 1;
  return secrets.some((secret) => {
    for (let from = same; from >= Math.max(0, same - secret.length); from -= 1) {
      const rest = text.slice(from);
      if (rest.length < secret.length && secret.startsWith(rest)) return true;
    }
    return false;
  });
}
