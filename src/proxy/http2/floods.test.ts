import { expect, it } from 'vitest';
import { cleanupsAfterEach } from '../testing/test-cleanups.ts';
import { secret } from '../testing/test-fixture.ts';
import {
  Code,
  dialRaw,
  type Fields,
  Flag,
  type Frame,
  frame,
  getFields,
  headers,
  integer,
  literals,
  preface,
  type RawClient,
  settings,
  Type,
  uint32,
} from '../testing/test-http2-frames.ts';
import { openHttp2Fixture } from '../testing/test-http2-upstream.ts';

const cleanups = cleanupsAfterEach();

const heldFields: Fields = getFields.map(([name, value]) => [name, name === ':path' ? '/hold' : value]);
const postFields: Fields = getFields.map(([name, value]) => [name, name === ':method' ? 'POST' : value]);

/** An upstream that answers nothing that asks for `/hold`, and a client that has said hello. */
async function openFlooded(more: readonly Buffer[] = []) {
  const arrived: { readonly path: string; bytes: number; open: boolean }[] = [];
  const fixture = await openHttp2Fixture(
    cleanups,
    (stream, received) => {
      const request = { path: String(received[':path']), bytes: 0, open: true };
      arrived.push(request);
      stream.on('data', (chunk: Buffer) => {
        request.bytes += chunk.length;
      });
      stream.on('close', () => {
        request.open = false;
      });
      if (request.path === '/hold') return;
      stream.on('end', () => {
        if (stream.destroyed) return;
        stream.respond({ ':status': 200 }, { endStream: true });
      });
    },
    { timeouts: { headMs: 400, lingerMs: 40 } },
  );
  const client = await dialRaw(fixture);
  cleanups.push(() => client.close());
  client.send(preface, settings(), ...more);
  return { fixture, client, arrived };
}

/** Sends the frames of each round until the connection is over; fails where a hundred rounds were borne. */
async function flood(client: RawClient, round: (number: number) => readonly Buffer[]): Promise<number> {
  for (let number = 0; number < 100; number += 1) {
    if (client.closed) return number;
    client.send(...round(number));
    // So that the proxy has read the round, and may have closed the connection, before the next.
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return client.closed ? 100 : Number.POSITIVE_INFINITY;
}

/** The error code of the GOAWAY, or `undefined` where the connection just ended. */
function goawayOf(client: RawClient): number | undefined {
  return client.frames.find(({ type }) => type === Type.goaway)?.payload.readUInt32BE(4);
}

const answered = (client: RawClient, stream: number) =>
  client.until((frames) => frames.some((one) => one.stream === stream && (one.flags & Flag.endStream) !== 0));

it('streams that are opened only to be reset: the upstream gets few of them, and the client is cut off', async () => {
  const { fixture, client, arrived } = await openFlooded();
  let stream = 1;
  const rounds = await flood(client, () =>
    Array.from({ length: 20 }, () => {
      const pair = [headers(stream, heldFields), frame(Type.reset, 0, stream, uint32(Code.cancel))];
      stream += 2;
      return Buffer.concat(pair);
    }),
  );
  expect(rounds).toBeLessThan(100);
  expect([Code.calm, undefined]).toContain(goawayOf(client));
  expect(arrived.length).toBeLessThan(400);
  await expect.poll(() => arrived.filter(({ open }) => open)).toEqual([]);
  await expect
    .poll(() => fixture.decisions.map(({ reason }) => reason).join())
    .toContain('reset too many streams');
});

it('CONTINUATION frames without end', async () => {
  const { fixture, client, arrived } = await openFlooded();
  client.send(frame(Type.headers, Flag.endStream, 1, literals(getFields)));
  const part = literals([['x-a', 'b']]);
  expect(
    await flood(client, () => Array.from({ length: 50 }, () => frame(Type.continuation, 0, 1, part))),
  ).toBeLessThan(3);
  expect(arrived).toEqual([]);
  await expect.poll(() => fixture.decisions.length).toBe(2);
  expect(fixture.decisions.map(({ outcome }) => outcome)).toEqual(['MalformedRequest', 'MalformedRequest']);
});

it('empty CONTINUATION frames', async () => {
  const { client, arrived } = await openFlooded();
  client.send(frame(Type.headers, Flag.endStream, 1, literals(getFields)));
  expect(
    await flood(client, () => Array.from({ length: 50 }, () => frame(Type.continuation, 0, 1))),
  ).toBeLessThan(3);
  expect(arrived).toEqual([]);
});

/** One field of four kilobytes in the table, then references to it of one byte each (RFC 7541 §7.3). */
it('a header block that decompresses to a thousand times its size reaches no upstream', async () => {
  const { fixture, client, arrived } = await openFlooded();
  const value = Buffer.alloc(3_900, 'v');
  const entry = Buffer.concat([
    Buffer.from([0x40]),
    integer(3, 7),
    Buffer.from('x-a'),
    integer(value.length, 7),
    value,
  ]);
  const block = Buffer.concat([literals(getFields), entry, Buffer.alloc(8_000, 0xbe)]);
  client.send(frame(Type.headers, Flag.endStream | Flag.endHeaders, 1, block));
  await client.until((frames) => frames.some(({ stream, type }) => stream === 1 && type === Type.reset));
  expect(arrived).toEqual([]);
  client.send(headers(3, getFields));
  await answered(client, 3);
  client.close();
  await expect
    .poll(() => fixture.decisions.map(({ outcome }) => outcome).toSorted())
    .toEqual(['MalformedRequest', 'injected']);
});

it.each([
  [
    64,
    'KiB',
    'HeadersTooLarge',
    Array.from({ length: 70 }, (_, index) => [`x-${index}`, 'v'.repeat(1_000)] as const),
  ],
  [
    256,
    'fields',
    'MalformedRequest',
    Array.from({ length: 300 }, (_, index) => [`x-${index}`, 'v'] as const),
  ],
])(
  'a head of more than %d %s reaches no upstream, and is recorded',
  async (_limit, _what, outcome, fields) => {
    const { fixture, client, arrived } = await openFlooded();
    const block = literals([...getFields, ...fields]);
    const parts: Buffer[] = [];
    for (let at = 0; at < block.length; at += 16_000) parts.push(block.subarray(at, at + 16_000));
    client.send(
      ...parts.map((part, index) => {
        const end = index === parts.length - 1 ? Flag.endHeaders : 0;
        return index === 0
          ? frame(Type.headers, Flag.endStream | end, 1, part)
          : frame(Type.continuation, end, 1, part);
      }),
    );
    await client.until((frames) => frames.some(({ stream }) => stream === 1));
    client.close();
    await expect.poll(() => fixture.decisions.map((decision) => decision.outcome)).toEqual([outcome]);
    expect(arrived).toEqual([]);
  },
);

it('malformed requests without end: each is counted, and the client is cut off', async () => {
  const { fixture, client, arrived } = await openFlooded();
  let stream = -1;
  await flood(client, () =>
    Array.from({ length: 20 }, () => {
      stream += 2;
      return headers(stream, [...getFields, ['X-Capital', secret]]);
    }),
  );
  expect(client.closed).toBe(true);
  expect(arrived).toEqual([]);
  const counted = () =>
    fixture.decisions
      .map(({ reason }) => Number(/^(\d+) requests? (?:was|were) rejected unread/.exec(reason)?.[1] ?? 0))
      .reduce((sum, count) => sum + count, 0);
  await expect.poll(counted).toBeGreaterThan(100);
  expect(counted()).toBeLessThanOrEqual((stream + 1) / 2);
  expect(JSON.stringify(fixture.decisions)).not.toContain(secret);
});

it('empty DATA frames: the client is cut off, and the upstream gets no end of a request', async () => {
  const { client, arrived } = await openFlooded();
  client.send(headers(1, postFields, 0));
  expect(await flood(client, () => Array.from({ length: 50 }, () => frame(Type.data, 0, 1)))).toBeLessThan(
    100,
  );
  await expect
    .poll(() => arrived.map(({ bytes, open }) => ({ bytes, open })))
    .toEqual([{ bytes: 0, open: false }]);
});

it.each([
  ['PING', frame(Type.ping, 0, 0, '12345678')],
  ['SETTINGS', settings([4, 70_000])],
  ['PRIORITY', frame(Type.priority, 0, 77, Buffer.concat([uint32(0), Buffer.from([1])]))],
  ['WINDOW_UPDATE', frame(Type.windowUpdate, 0, 0, uint32(1))],
  ['unknown', frame(0x42, 0, 0, 'unknown')],
])(
  '%s frames by the thousands reach no upstream, and other connections are still served',
  async (_what, one) => {
    const { fixture, client, arrived } = await openFlooded();
    const other = await dialRaw(fixture);
    cleanups.push(() => other.close());
    other.send(preface, settings());
    const round = Buffer.concat(Array.from({ length: 500 }, () => one));
    for (let number = 0; number < 10; number += 1) {
      client.send(round);
      other.send(headers(1 + 2 * number, getFields));
      await answered(other, 1 + 2 * number);
    }
    expect(arrived.map(({ path }) => path)).toEqual(Array.from({ length: 10 }, () => '/'));
  },
);

it('a client that reads nothing cannot make replies to PING and SETTINGS pile up', async () => {
  const { client, arrived } = await openFlooded();
  client.pause();
  const round = Buffer.concat(
    Array.from({ length: 5_000 }, () => Buffer.concat([frame(Type.ping, 0, 0, '12345678'), settings()])),
  );
  for (let number = 0; number < 40 && !client.closed; number += 1) {
    client.send(round);
    // The same.
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  client.resume();
  await client.until(() => false);
  expect(client.closed).toBe(true);
  expect(arrived).toEqual([]);
});

it('more streams at once than allowed: the surplus is refused, and the upstream never has more', async () => {
  const { client, arrived } = await openFlooded();
  await client.until((frames) => frames.some(({ type }) => type === Type.settings));
  const all = Array.from({ length: 300 }, (_, index) => headers(1 + 2 * index, heldFields));
  client.send(...all);
  await client.until((frames) => frames.some(({ type }) => type === Type.reset || type === Type.goaway));
  expect(arrived.length).toBeLessThanOrEqual(256);
});

it('a client whose connection is in error while it acknowledges keeps no stream of the upstream', async () => {
  const arrived: { open: boolean }[] = [];
  const fixture = await openHttp2Fixture(
    cleanups,
    (stream) => {
      const request = { open: true };
      arrived.push(request);
      stream.on('close', () => {
        request.open = false;
      });
    },
    { timeouts: { exchangeMs: 100 } },
  );
  const client = await dialRaw(fixture);
  cleanups.push(() => client.close());
  client.send(preface, settings(), headers(1, heldFields));
  const isPing = ({ type, flags }: Frame): boolean => type === Type.ping && flags === 0;
  await client.until((frames) => frames.some(isPing));
  const ping = client.frames.find(isPing)?.payload ?? Buffer.alloc(8);
  // An index that no table has: nghttp2 gives the session up, and Node says nothing of it.
  const error = frame(Type.headers, Flag.endStream | Flag.endHeaders, 3, Buffer.from([0xff, 0x21]));
  client.send(Buffer.concat([frame(Type.ping, Flag.ack, 0, ping), error]));
  await client.until((frames) => frames.some(({ type }) => type === Type.goaway));
  expect(arrived).toHaveLength(1);
  await expect.poll(() => arrived, { timeout: 5_000 }).toEqual([{ open: false }]);
});
