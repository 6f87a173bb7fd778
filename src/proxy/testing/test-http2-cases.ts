import type { IncomingHttpHeaders } from 'node:http2';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DecisionEvent } from '../../audit/index.ts';
import type { FixtureOptions } from './test-fixture.ts';
import { secret } from './test-fixture.ts';
import {
  Code,
  dialRaw,
  type Frame,
  getFields,
  headers,
  preface,
  type RawClient,
  settings,
  Type,
} from './test-http2-frames.ts';
import { openHttp2Fixture } from './test-http2-upstream.ts';

/** What a client sends, and what becomes of it on all three sides. */
export interface Case {
  readonly name: string;
  readonly send: readonly Buffer[];
  /**
   * `goaway CODE`, `reset CODE` of stream 1, `status N` on stream 1, `closed` without a word, or `goes on`. Unless the
   * connection is over, a further request on it has to be answered.
   */
  readonly gets: string;
  /** The requests that reached the upstream, in its words; by default none. */
  readonly upstream?: readonly string[];
  /** The outcomes in the audit trail; by default none. */
  readonly audit?: readonly string[];
  /** Nothing is sent ahead of it: neither preface nor SETTINGS. */
  readonly bare?: boolean;
  /** Nothing may be sent after it. */
  readonly last?: boolean;
  /** The stream of the further request, where it is not the next. */
  readonly next?: number;
  /** What is otherwise since Node 22, whose nghttp2 is newer. */
  readonly newer?: Partial<Pick<Case, 'gets' | 'upstream' | 'audit' | 'last'>>;
}

const isNewer = Number(process.versions.node.split('.')[0]) >= 22;

function asHere({ newer, ...one }: Case): Case {
  return isNewer ? { ...one, ...newer } : one;
}

const usual = new Set([':method', ':scheme', ':authority', ':path', 'authorization']);
const further = 'GET /further';

/** `METHOD path {fields} "body" {trailers}`, and `cut` where the upstream did not get all of it. */
function summaryOf(received: IncomingHttpHeaders, body: string, trailers: object, complete: boolean): string {
  const fields = Object.entries(received).filter(([name]) => !usual.has(name));
  const parts = [`${received[':method']} ${received[':path']}`];
  if (fields.length > 0) parts.push(JSON.stringify(Object.fromEntries(fields)));
  if (body !== '') parts.push(JSON.stringify(body));
  if (Object.keys(trailers).length > 0) parts.push(JSON.stringify(trailers));
  if (!complete) parts.push('cut');
  return parts.join(' ');
}

/** Declares one test for each case, all in one fixture: an upstream that answers 200, but holds what asks for `/hold`. */
export function checkCases(title: string, cases: readonly Case[], options: FixtureOptions = {}): void {
  describe(title, () => {
    const cleanups: (() => unknown)[] = [];
    const seen: string[] = [];
    const authorizations: unknown[] = [];
    let fixture: Awaited<ReturnType<typeof openHttp2Fixture>>;
    beforeAll(async () => {
      fixture = await openHttp2Fixture(
        cleanups,
        (stream, received) => {
          let body = '';
          let trailers: object = {};
          let complete = false;
          authorizations.push(received.authorization);
          stream.setEncoding('latin1').on('data', (text: string) => {
            body += text;
          });
          stream.on('trailers', (fields: IncomingHttpHeaders) => {
            trailers = { ...fields };
          });
          stream.on('end', () => {
            complete = !stream.aborted && stream.rstCode === 0;
            if (!complete || received[':path'] === '/hold' || stream.destroyed) return;
            stream.respond({ ':status': 200 });
            stream.end();
          });
          stream.on('close', () => seen.push(summaryOf(received, body, trailers, complete)));
        },
        { ...options, timeouts: { headMs: 400, exchangeMs: 1_500, lingerMs: 40, ...options.timeouts } },
      );
    });
    afterAll(async () => {
      for (const cleanup of cleanups.reverse()) await cleanup();
    });

    it.each(cases.map(asHere))('$name: $gets', async (one) => {
      seen.length = 0;
      fixture.decisions.length = 0;
      const client = await dialRaw(fixture);
      const lead = one.bare === true ? [] : [preface, settings()];
      client.send(...lead, ...one.send);
      const outcome = (): string => outcomeOf(client, one.gets);
      await client.until(
        (frames) =>
          fits(outcome(), one.gets) || (one.last !== true && frames.some(({ type }) => type === Type.goaway)),
      );
      const isOver = one.gets.startsWith('goaway') || one.gets === 'closed' || one.last === true;
      if (!isOver) {
        const next = one.next ?? nextStreamAfter(one.send);
        client.send(
          headers(
            next,
            getFields.map(([name, value]) => [name, name === ':path' ? '/further' : value]),
          ),
        );
        await client.until((frames) =>
          frames.some(
            ({ stream, type }) => (stream === next && type === Type.headers) || type === Type.goaway,
          ),
        );
      }
      expect(outcome(), describeFrames(client.frames)).toSatisfy(
        (found: string) => fits(found, one.gets),
        one.gets,
      );
      client.close();
      const expected = { upstream: one.upstream ?? [], audit: one.audit ?? [] };
      const count = isOver ? 0 : 1;
      const isDone = (): boolean =>
        seen.length >= expected.upstream.length + count &&
        fixture.decisions.length >= expected.audit.length + count;
      for (let turn = 0; turn < 200 && !isDone(); turn += 1)
        await new Promise((resolve) => setTimeout(resolve, 10));
      for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
      expect(seen.filter((text) => text !== further).toSorted()).toEqual(expected.upstream.toSorted());
      const authorized = fixture.decisions.filter(({ request }) => request.path !== '/further');
      expect(
        (authorized.length > expected.audit.length ? withoutOneError(authorized) : authorized)
          .map(({ outcome }) => outcome)
          .toSorted(),
        JSON.stringify(fixture.decisions),
      ).toEqual(expected.audit.toSorted());
      if (!isOver) expect(seen).toContain(further);
      expect(JSON.stringify(fixture.decisions)).not.toContain(secret);
    });
  });
}

/** Newer Node tells of errors of a connection that Node 20 keeps to itself. */
function withoutOneError(decisions: readonly DecisionEvent[]): readonly DecisionEvent[] {
  const error = decisions.find(({ reason }) => reason.includes('HTTP/2 connection was in error'));
  return decisions.filter((decision) => decision !== error);
}

/** `goaway CODE | closed`: Node may close a connection that has streams before its GOAWAY is out. */
function fits(found: string, expected: string): boolean {
  return expected.split(' | ').includes(found);
}

const names = Object.entries(Code);

/** What the client knows so far, in the words of the expectation. */
function outcomeOf(client: RawClient, expected: string): string {
  const said: string[] = [];
  for (const { type, stream, payload } of client.frames) {
    if (type === Type.goaway) said.push(`goaway ${nameOf(payload.readUInt32BE(4))}`);
    else if (type === Type.reset && stream === 1) said.push(`reset ${nameOf(payload.readUInt32BE(0))}`);
    else if (type === Type.headers && stream === 1) said.push(`status ${statusIn(payload)}`);
  }
  const fitting = said.find((one) => fits(one, expected));
  if (fitting !== undefined) return fitting;
  if (said.length > 0) return said.join(', ');
  if (client.closed) return 'closed';
  return 'goes on';
}

function nameOf(code: number): string {
  return names.find(([, value]) => value === code)?.[0] ?? String(code);
}

const indexed: Readonly<Record<number, number>> = {
  8: 200,
  9: 204,
  10: 206,
  11: 304,
  12: 400,
  13: 404,
  14: 500,
};

/** RFC 7541: an indexed field of the static table, or a literal with a name from it and three plain digits. */
function statusIn(block: Buffer): number {
  const [first = 0] = block;
  // A table's new size comes first (RFC 7541 §6.3).
  if ((first & 0xe0) === 0x20) return statusIn(block.subarray(1));
  if ((first & 0x80) !== 0) return indexed[first & 0x7f] ?? 0;
  const huffman = ((block[1] ?? 0) & 0x80) !== 0;
  const length = (block[1] ?? 0) & 0x7f;
  const value = block.subarray(2, 2 + length);
  return Number(huffman ? digitsOf(value) : value.toString('latin1'));
}

/** RFC 7541 appendix B, as far as a status needs it. */
function digitsOf(value: Buffer): string {
  let bits = [...value].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  let digits = '';
  while (bits.length >= 5) {
    const short = Number.parseInt(bits.slice(0, 5), 2);
    const long = Number.parseInt(bits.slice(0, 6), 2);
    if (short <= 2) digits += short;
    else if (bits.length >= 6 && long >= 25 && long <= 31) digits += long - 22;
    else break;
    bits = bits.slice(short <= 2 ? 5 : 6);
  }
  return digits;
}

function nextStreamAfter(sent: readonly Buffer[]): number {
  let highest = -1;
  for (const bytes of sent) {
    const stream = bytes.readUInt32BE(5) & 0x7fffffff;
    if (bytes.readUInt8(3) === Type.headers && stream % 2 === 1) highest = Math.max(highest, stream);
  }
  return highest + 2;
}

function describeFrames(frames: readonly Frame[]): string {
  return frames
    .map(
      ({ type, flags, stream, payload }) =>
        `${type}/${flags}/${stream} ${payload.subarray(0, 60).toString('hex')}`,
    )
    .join('\n');
}
