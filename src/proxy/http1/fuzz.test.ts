import { createHash } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { cleanupsAfterEach } from '../testing/test-cleanups.ts';
import { apiHost, type Client, dialThrough, openFixtureWithRaw, secret } from '../testing/test-fixture.ts';
import { Transcript } from '../testing/test-transcript.ts';
import type { Cut, Plan, RequestHead } from './index.ts';

const cleanups = cleanupsAfterEach();

const clientPieces = [
  'GET /1 HTTP/1.1\r\nHost: a.test\r\n\r\n',
  'HEAD /2 HTTP/1.1\r\nHost: a.test\r\n\r\n',
  'POST /3 HTTP/1.1\r\nHost: a.test\r\nContent-Length: 3\r\n\r\n',
  'POST /4 HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n',
  'POST /5 HTTP/1.1\r\nHost: a.test\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n',
  'GET /6 HTTP/1.1\r\nHost: a.test\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n',
  'GET /7 HTTP/1.0\r\nHost: a.test\r\n\r\n',
  '1\r\na\r\n',
  '0\r\n\r\n',
  'abc',
  '\r\n',
  '\0',
  'GET ',
];
const upstreamPieces = [
  'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n',
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n',
  'HTTP/1.1 200 OK\r\n\r\n',
  'HTTP/1.1 204 No Content\r\n\r\n',
  'HTTP/1.1 100 Continue\r\n\r\n',
  'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n',
  'HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n',
  'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 3\r\n\r\n',
  'HTTP/1.0 200 OK\r\n\r\n',
  '1\r\na\r\n',
  '0\r\n\r\n',
  'abc',
  '\n',
  'HTTP/1.',
];

type Step =
  | { readonly side: 'client' | 'upstream'; readonly text: string }
  | {
      readonly event:
        | 'client ends'
        | 'client goes'
        | 'upstream ends'
        | 'upstream breaks'
        | 'silence'
        | 'drained'
        | 'renewed'
        | 'not renewed';
    };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ side: fc.constant('client' as const), text: fc.constantFrom(...clientPieces) }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      side: fc.constant('upstream' as const),
      text: fc.constantFrom(...upstreamPieces),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      event: fc.constantFrom(
        'client ends',
        'client goes',
        'upstream ends',
        'upstream breaks',
        'silence',
        'drained',
        'renewed',
        'not renewed',
      ),
    }) as fc.Arbitrary<Step>,
  },
);

/** A machine under both peers at once, with a port that keeps to the rules of sockets and checks the machine's. */
class Ring extends Transcript {
  open = 0;
  ended = false;
  /** How often each authorized request's head went out. */
  readonly heads = new Map<Buffer, number>();

  override planFor(request: RequestHead): Plan {
    const plan = super.planFor(request);
    this.heads.set(plan.head, 0);
    return plan;
  }

  override connectUpstream(fresh: boolean): void {
    this.open += 1;
    super.connectUpstream(fresh);
  }

  override sendUpstream(bytes: Buffer): boolean {
    expect(this.open).toBe(1);
    const times = this.heads.get(bytes);
    if (times !== undefined) this.heads.set(bytes, times + 1);
    return super.sendUpstream(bytes);
  }

  override sendClient(bytes: Buffer): boolean {
    expect(this.ended).toBe(false);
    return super.sendClient(bytes);
  }

  override releaseUpstream(idleMs: number | undefined): void {
    this.open -= 1;
    super.releaseUpstream(idleMs);
  }

  override destroyUpstream(): void {
    this.open -= 1;
    super.destroyUpstream();
  }

  override endClient(): void {
    this.ended = true;
    super.endClient();
  }

  override abortClient(cut: Cut, graceful: boolean): void {
    this.ended = true;
    super.abortClient(cut, graceful);
  }

  override splice(fromClient: Buffer | undefined, fromUpstream: Buffer | undefined): void {
    this.open -= 1;
    this.ended = true;
    super.splice(fromClient, fromUpstream);
  }

  play(next: Step): void {
    const { machine } = this;
    if ('side' in next) {
      if (next.side === 'client') this.client(next.text);
      else if (this.open > 0) this.upstream(next.text);
      return;
    }
    switch (next.event) {
      case 'client ends':
        machine.clientEnd();
        break;
      case 'client goes':
        machine.clientClosed();
        break;
      case 'upstream ends':
        machine.upstreamEnd(true);
        break;
      case 'upstream breaks':
        machine.upstreamEnd(false);
        break;
      case 'silence':
        machine.idleTimeout();
        break;
      case 'drained':
        machine.clientDrained();
        machine.upstreamDrained();
        break;
      case 'renewed':
        machine.renewed(Buffer.from('GET /again HTTP/1.1\r\nHost: a.test\r\n\r\n'));
        break;
      case 'not renewed':
        machine.renewed(undefined);
        break;
    }
  }
}

it('whatever both peers do in any order, one request is on the wire at a time and everything is freed', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), fc.boolean(), fc.boolean(), (steps, renewable, reused) => {
      const ring = new Ring({ plan: { renewable } });
      ring.reused = reused;
      for (const next of steps) {
        ring.play(next);
        expect(ring.open).toBeGreaterThanOrEqual(0);
        expect(ring.open).toBeLessThanOrEqual(1);
      }
      ring.machine.clientClosed();
      expect(ring.open).toBe(0);
      // A head is sent once, and once more where a stale connection allows it.
      for (const times of ring.heads.values()) expect(times).toBeLessThanOrEqual(reused ? 2 : 1);
    }),
    { numRuns: 3_000 },
  );
});

/** An API that misbehaves at random, yet answers each request with that request's own nonce when it answers. */
function misbehave(tls: TLSSocket, random: () => number): void {
  let pending = '';
  tls.on('error', () => {});
  tls.on('data', (chunk: Buffer) => {
    pending += chunk.toString('latin1');
    for (;;) {
      const end = pending.indexOf('\r\n\r\n');
      if (end === -1) return;
      const head = pending.slice(0, end);
      const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
      if (pending.length < end + 4 + length) return;
      const body = pending.slice(end + 4, end + 4 + length);
      pending = pending.slice(end + 4 + length);
      const nonce = /nonce=([0-9a-f]+)/.exec(head)?.[1] ?? '';
      const response = JSON.stringify({
        nonce,
        digest: createHash('sha1').update(body, 'latin1').digest('hex'),
        filler: 'f'.repeat(Math.floor(random() * 40_000)),
      });
      const fate = random();
      if (fate < 0.04) {
        tls.destroy();
      } else if (fate < 0.08) {
        tls.write(
          `HTTP/1.1 200 OK\r\nContent-Length: ${response.length}\r\n\r\n${response.slice(0, response.length / 2)}`,
          () => tls.destroy(),
        );
      } else if (fate < 0.5) {
        tls.write(
          `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${response.length}\r\n\r\n${response}`,
        );
      } else if (fate < 0.9) {
        const cut = Math.floor(random() * response.length);
        tls.write(
          'HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n',
        );
        for (const part of [response.slice(0, cut), response.slice(cut)]) {
          if (part !== '') tls.write(`${part.length.toString(16)}\r\n${part}\r\n`);
        }
        tls.write('0\r\n\r\n');
      } else {
        tls.end(
          `HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: ${response.length}\r\n\r\n${response}`,
        );
      }
    }
  });
}

/** A generator of its own, so that a failure can be played again. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 4_294_967_296;
    return state / 4_294_967_296;
  };
}

interface Whole {
  readonly nonce: string;
  readonly digest: string;
}

/** The JSON of a response, or `undefined` when the connection broke before it was complete. */
async function readResponse(client: Client): Promise<Whole | undefined> {
  const payload = (text: string): string | undefined => {
    const start = text.lastIndexOf('HTTP/1.1 200');
    const end = start === -1 ? -1 : text.indexOf('\r\n\r\n', start);
    if (end === -1) return undefined;
    const body = text.slice(end + 4);
    const length = /content-length: (\d+)/i.exec(text.slice(start, end))?.[1];
    if (length !== undefined)
      return body.length >= Number(length) ? body.slice(0, Number(length)) : undefined;
    let out = '';
    for (let at = 0; ; ) {
      const line = body.indexOf('\r\n', at);
      if (line === -1) return undefined;
      const size = Number.parseInt(body.slice(at, line), 16);
      if (body.length < line + 2 + size + 2) return undefined;
      if (size === 0) return out;
      out += body.slice(line + 2, line + 2 + size);
      at = line + 2 + size + 2;
    }
  };
  const text = await client.until(
    (received) => payload(received) !== undefined || /^HTTP\/1\.1 502/.test(received),
  );
  const complete = payload(text);
  return complete === undefined ? undefined : (JSON.parse(complete) as Whole);
}

it('mixed load with resets, truncations and reuse mixes up no response and leaks nothing', {
  timeout: 30_000,
}, async () => {
  const random = seeded(7);
  const fixture = await openFixtureWithRaw(cleanups, (tls) => misbehave(tls, random));
  let complete = 0;
  let broken = 0;
  let count = 0;
  const worker = async (id: number): Promise<void> => {
    let client = await dialThrough(fixture);
    for (let round = 0; round < 60; round += 1) {
      const nonce = `${id.toString(16)}a${round.toString(16)}`;
      const body = 'b'.repeat(Math.floor(random() * 20_000));
      count += 1;
      client.send(
        `POST /x?nonce=${nonce} HTTP/1.1\r\nHost: ${apiHost}\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      );
      const response = await readResponse(client);
      if (response === undefined) {
        broken += 1;
        client.socket.destroy();
        client = await dialThrough(fixture);
        continue;
      }
      expect(response.nonce).toBe(nonce);
      expect(response.digest).toBe(createHash('sha1').update(body).digest('hex'));
      complete += 1;
    }
    client.socket.destroy();
  };
  await Promise.all(Array.from({ length: 12 }, (_, id) => worker(id)));
  expect(complete + broken).toBe(count);
  expect(complete).toBeGreaterThan(count / 2);
  expect(fixture.decisions).toHaveLength(count);
  expect(JSON.stringify(fixture.decisions)).not.toContain(secret);
});
