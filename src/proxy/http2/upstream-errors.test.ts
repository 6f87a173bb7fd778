import { constants } from 'node:http2';
import { afterEach, expect, it, vi } from 'vitest';
import type { Timeouts } from '../contract.ts';
import { type Live, LiveRun } from '../runs/index.ts';
import { cleanupsAfterEach } from '../testing/test-cleanups.ts';
import { apiHost, openFixture } from '../testing/test-fixture.ts';
import {
  Flag,
  type Frame,
  frame,
  headers,
  integer,
  literals,
  serveFrames,
  Type,
} from '../testing/test-http2-frames.ts';
import { responseOn } from '../testing/test-http2-response.ts';
import { dialHttp2 } from '../testing/test-http2-upstream.ts';
import type { UpstreamSession } from './sessions.ts';

const cleanups = cleanupsAfterEach();
afterEach(() => {
  vi.restoreAllMocks();
});

async function openWith(
  hello: Parameters<typeof serveFrames>[1],
  response: Parameters<typeof serveFrames>[2],
  timeouts: Partial<Timeouts> = {},
) {
  const at = await serveFrames(cleanups, hello, response);
  const fixture = await openFixture({ timeouts });
  fixture.ports.set(`${apiHost}:443`, at);
  cleanups.push(() => fixture.close());
  return fixture;
}

const isRequest = ({ type }: Frame): boolean => type === Type.headers;
const ok = (stream: number, flags: number) =>
  headers(
    stream,
    [
      [':status', '200'],
      ['content-type', 'application/octet-stream'],
    ],
    flags,
  );

/** DATA on a stream that nobody opened: nghttp2 gives the session up, and Node says nothing of it (RFC 9113 §5.1). */
const error = frame(Type.data, 0, 99, 'stray');

it('an upstream whose HTTP/2 is in error keeps no request waiting, and the next request gets another connection', async () => {
  const fixture = await openWith(
    [],
    (one, connection, send) => {
      if (!isRequest(one)) return;
      if (connection === 0) send(error);
      else send(ok(one.stream, Flag.endStream));
    },
    { headMs: 200 },
  );
  const session = await dialHttp2(cleanups, fixture);
  const first = await responseOn(session.request({ ':path': '/' }));
  expect(first.headers[':status']).toBe(502);
  expect(JSON.parse(first.body)).toMatchObject({ code: 'UpstreamUnreachable' });
  expect((await responseOn(session.request({ ':path': '/' }))).headers[':status']).toBe(200);
  expect(fixture.dials).toHaveLength(2);
  expect(fixture.decisions.map(({ outcome }) => outcome)).toEqual(['injected', 'injected']);
});

it('a response that an error of its upstream’s connection cuts off does not look complete', async () => {
  const fixture = await openWith(
    [],
    (one, _connection, send) => {
      if (isRequest(one)) send(ok(one.stream, 0), frame(Type.data, 0, one.stream, 'half'), error);
    },
    { headMs: 200 },
  );
  const response = await responseOn((await dialHttp2(cleanups, fixture)).request({ ':path': '/' }));
  expect(response).toMatchObject({ body: 'half', headers: { ':status': 200 } });
  expect(response.code).not.toBe(constants.NGHTTP2_NO_ERROR);
});

it.each([
  ['application/octet-stream'],
  // Looked into on its way.
  ['text/plain'],
])('a response of %s whose trailers concern the connection arrives complete, without them', async (type) => {
  const fixture = await openWith([], (one, _connection, send) => {
    if (!isRequest(one)) return;
    send(
      headers(
        one.stream,
        [
          [':status', '200'],
          ['content-type', type],
        ],
        0,
      ),
      frame(Type.data, 0, one.stream, 'body'),
      headers(
        one.stream,
        [
          ['http2-settings', 'AAMAAABk'],
          ['x-sum', '1'],
        ],
        Flag.endStream,
      ),
    );
  });
  const response = await responseOn((await dialHttp2(cleanups, fixture)).request({ ':path': '/' }));
  expect(response).toMatchObject({
    body: 'body',
    code: constants.NGHTTP2_NO_ERROR,
    trailers: { 'x-sum': '1' },
  });
  expect(response.trailers).not.toHaveProperty('http2-settings');
});

it('a response of 200 fields arrives complete', async () => {
  const fields = Array.from({ length: 200 }, (_, index): [string, string] => [`x-${index}`, String(index)]);
  const fixture = await openWith([], (one, _connection, send) => {
    if (isRequest(one)) send(headers(one.stream, [[':status', '200'], ...fields]));
  });
  const response = await responseOn((await dialHttp2(cleanups, fixture)).request({ ':path': '/' }));
  expect(response.headers).toMatchObject({ ':status': 200, ...Object.fromEntries(fields) });
});

it('a response whose fields decompress to more than can be relayed is refused, and costs its client no other response', async () => {
  // RFC 7541 appendix B: an `a` takes five bits, so that 100,000 of them fit what is taken in.
  const value = Buffer.alloc(62_500, Buffer.from('18c6318c63', 'hex'));
  const name = literals([
    [':status', '200'],
    ['x-large', ''],
  ]).subarray(0, -1);
  const block = Buffer.concat([name, integer(value.length, 7, 0x80), value]);
  const frames = (stream: number): readonly Buffer[] => {
    const parts: Buffer[] = [];
    for (let at = 0; at < block.length; at += 16_000) {
      const isLast = at + 16_000 >= block.length;
      const flags = (at === 0 ? Flag.endStream : 0) | (isLast ? Flag.endHeaders : 0);
      const type = at === 0 ? Type.headers : Type.continuation;
      parts.push(frame(type, flags, stream, block.subarray(at, at + 16_000)));
    }
    return parts;
  };
  let asked = 0;
  const fixture = await openWith([], (one, _connection, send) => {
    if (!isRequest(one)) return;
    asked += 1;
    if (asked === 1) send(...frames(one.stream));
    else send(ok(one.stream, Flag.endStream));
  });
  const session = await dialHttp2(cleanups, fixture);
  expect((await responseOn(session.request({ ':path': '/' }))).headers[':status']).toBe(502);
  expect((await responseOn(session.request({ ':path': '/' }))).headers[':status']).toBe(200);
});

it('an upstream that is only slow acknowledges its probe, and is not cut', async () => {
  const signs: number[] = [];
  let reply: (() => void) | undefined;
  const at = await serveFrames(cleanups, [], (one, _connection, send) => {
    if (isRequest(one)) reply = () => send(ok(one.stream, Flag.endStream));
  });
  const request = vi.spyOn(LiveRun.prototype, 'add');
  const fixture = await openFixture({ timeouts: { headMs: 40 } });
  fixture.ports.set(`${apiHost}:443`, at);
  cleanups.push(() => fixture.close());
  const response = responseOn((await dialHttp2(cleanups, fixture)).request({ ':path': '/' }));
  const upstream = await upstreamIn(request);
  upstream.session.on('localSettings', () => signs.push(signs.length));
  await expect.poll(() => signs.length).toBeGreaterThan(3);
  reply?.();
  expect((await response).headers[':status']).toBe(200);
  expect(fixture.dials).toHaveLength(1);
});

it('streams that wait for an upstream to allow them are dropped with their client', async () => {
  const arrived: number[] = [];
  const added = vi.spyOn(LiveRun.prototype, 'add');
  // SETTINGS_MAX_CONCURRENT_STREAMS of 0.
  const fixture = await openWith([[3, 0]], (one) => {
    if (isRequest(one)) arrived.push(one.stream);
  });
  const session = await dialHttp2(cleanups, fixture);
  const stream = session.request({ ':path': '/' });
  const response = responseOn(stream);
  const upstream = await upstreamIn(added);
  await expect.poll(() => upstream.active).toBe(1);
  stream.close(constants.NGHTTP2_CANCEL);
  await response;
  await expect.poll(() => upstream.active).toBe(0);
  expect(arrived).toEqual([]);
});

/** The connection to the upstream that was added to a run. */
async function upstreamIn(added: {
  readonly mock: { readonly calls: readonly (readonly [Live])[] };
}): Promise<UpstreamSession> {
  const found = () => added.mock.calls.map(([live]) => live).find((live) => 'active' in live);
  await expect.poll(found).toBeDefined();
  return found() as UpstreamSession;
}

it('a response that is refused and complete at once, while its request is still being sent, harms no other request', async () => {
  const fixture = await openWith([], (one, _connection, send) => {
    if (one.type !== Type.data) return;
    const fields = [
      [':status', '200'],
      ['content-type', 'text/plain'],
      ['content-encoding', 'unheard-of'],
    ] as const;
    const trailers = headers(one.stream, [['x-sum', '1']], Flag.endStream);
    send(headers(one.stream, fields, 0), frame(Type.data, 0, one.stream, 'all'), trailers);
  });
  const session = await dialHttp2(cleanups, fixture);
  for (const path of ['/', '/again']) {
    const stream = session.request({ ':method': 'POST', ':path': path });
    const response = responseOn(stream);
    stream.write('a part of the body');
    expect((await response).headers[':status']).toBe(502);
  }
  expect(fixture.decisions.map(({ outcome }) => outcome)).toEqual(['injected', 'injected']);
});
