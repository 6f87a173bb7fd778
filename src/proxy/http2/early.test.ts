import { constants } from 'node:http2';
import { describe, expect, it } from 'vitest';
import { cleanupsAfterEach } from '../testing/test-cleanups.ts';
import { apiHost, openFixture } from '../testing/test-fixture.ts';
import {
  Code,
  dialRaw,
  Flag,
  frame,
  getFields,
  headers,
  preface,
  serveFrames,
  Type,
  uint32,
} from '../testing/test-http2-frames.ts';
import { dialHttp2 } from '../testing/test-http2-upstream.ts';

const cleanups = cleanupsAfterEach();

const head = (stream: number, ...fields: readonly (readonly [string, string])[]) =>
  headers(stream, [[':status', '413'], ...fields], 0);
const data = (stream: number, text: string, flags = 0) => frame(Type.data, flags, stream, text);
const reset = (stream: number, code: number) => frame(Type.reset, 0, stream, uint32(code));
const trailers = (stream: number) => headers(stream, [['x-end', '1']]);

/** What a client gets whose upload is answered by these frames while most of it is still to come. */
async function upload(response: (stream: number) => readonly Buffer[]) {
  let isAnswered = false;
  const at = await serveFrames(cleanups, [], (one, _connection, send) => {
    if (one.type !== Type.data || isAnswered) return;
    isAnswered = true;
    send(...response(one.stream));
  });
  const fixture = await openFixture();
  fixture.ports.set(`${apiHost}:443`, at);
  cleanups.push(() => fixture.close());
  const stream = (await dialHttp2(cleanups, fixture)).request({ ':method': 'POST', ':path': '/v1' });
  let status: unknown;
  let body = '';
  let isEnded = false;
  stream.on('response', (fields) => {
    status = fields[':status'];
  });
  stream.setEncoding('utf8').on('data', (text: string) => {
    body += text;
  });
  stream.on('end', () => {
    isEnded = stream.rstCode === constants.NGHTTP2_NO_ERROR;
    // Some clients send all of it before they look at the response.
    stream.end(Buffer.alloc(3_000_000));
  });
  stream.on('error', () => {});
  const closed = new Promise<void>((resolve) => stream.once('close', resolve));
  stream.write('the first of many');
  await closed;
  return { fixture, status, body, code: stream.rstCode, isEnded };
}

describe('a response that is complete while the request is not', () => {
  const length = ['content-length', '5'] as const;
  it.each<readonly [string, (stream: number) => readonly Buffer[]]>([
    ['by its length', (s) => [head(s, length), data(s, 'large', Flag.endStream), reset(s, Code.none)]],
    [
      'by its length, and cancelled',
      (s) => [head(s, length), data(s, 'large', Flag.endStream), reset(s, Code.cancel)],
    ],
    ['by its trailers', (s) => [head(s), data(s, 'large'), trailers(s), reset(s, Code.none)]],
  ])('reaches the client, which may send the rest all the same: %s', async (_name, response) => {
    const { fixture, status, body, code, isEnded } = await upload(response);
    expect([status, body, code, isEnded]).toEqual([413, 'large', constants.NGHTTP2_NO_ERROR, true]);
    expect(fixture.failures).toEqual([]);
  });

  it('reaches the client without a body, too', async () => {
    const { status, code } = await upload((s) => [headers(s, [[':status', '413']]), reset(s, Code.none)]);
    expect([status, code]).toEqual([413, constants.NGHTTP2_NO_ERROR]);
  });
});

describe('a response that is cut off while the request is being sent', () => {
  it.each<readonly [string, (stream: number) => readonly Buffer[]]>([
    ['short of its length', (s) => [head(s, ['content-length', '9']), data(s, 'large'), reset(s, Code.none)]],
    ['with nothing that proves its end', (s) => [head(s), data(s, 'large'), reset(s, Code.cancel)]],
  ])('does not look complete: %s', async (_name, response) => {
    const { fixture, status, code } = await upload(response);
    expect(status).toBe(413);
    expect(code).not.toBe(constants.NGHTTP2_NO_ERROR);
    expect(fixture.failures).toHaveLength(1);
  });
});

it.each([
  ['an upstream that waits for nothing more', (s: number) => [head(s), data(s, 'large', Flag.endStream)]],
  [
    'one that resets the stream after it',
    (s: number) => [head(s), data(s, 'large'), trailers(s), reset(s, Code.none)],
  ],
])('a complete response ends a client’s stream without a reset: from %s', async (_name, response) => {
  const at = await serveFrames(cleanups, [], (one, _connection, send) => {
    if (one.type === Type.headers) send(...response(one.stream));
  });
  const fixture = await openFixture();
  fixture.ports.set(`${apiHost}:443`, at);
  cleanups.push(() => fixture.close());
  const client = await dialRaw(fixture);
  cleanups.push(() => client.close());
  client.send(preface, frame(Type.settings, 0, 0), headers(1, getFields));
  const ends = ({ stream, flags }: { stream: number; flags: number }) =>
    stream === 1 && (flags & Flag.endStream) !== 0;
  await client.until((frames) => frames.some(ends));
  client.send(frame(Type.ping, 0, 0, Buffer.alloc(8)));
  await client.until((frames) => frames.some(({ type }) => type === Type.ping));
  expect(client.frames.filter(({ stream }) => stream === 1).map(({ type }) => type)).not.toContain(
    Type.reset,
  );
});
