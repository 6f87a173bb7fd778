import { constants } from 'node:http2';
import { describe, expect, it } from 'vitest';
import { cleanupsAfterEach } from '../testing/test-cleanups.ts';
import { apiHost, type FixtureOptions, openFixture, secret } from '../testing/test-fixture.ts';
import { Code, Flag, frame, headers, serveFrames, Type, uint32 } from '../testing/test-http2-frames.ts';
import { responseOn } from '../testing/test-http2-response.ts';
import { dialHttp2, openHttp2Fixture } from '../testing/test-http2-upstream.ts';

const cleanups = cleanupsAfterEach();

const reset = (stream: number, code: number) => frame(Type.reset, 0, stream, uint32(code));
const goaway = (last: number) => frame(Type.goaway, 0, 0, Buffer.concat([uint32(last), uint32(Code.none)]));
const response = (stream: number, status: string, flags: number = Flag.endStream) =>
  headers(stream, [[':status', status]], flags);

/** What the upstream says to the requests of each connection: `seen` counts them; where nothing is said, it answers 200. */
async function openRefusing(
  refusals: readonly ((stream: number) => readonly Buffer[])[],
  options: FixtureOptions = {},
  onRequest: () => void = () => {},
) {
  const seen: { readonly connection: number }[] = [];
  const at = await serveFrames(cleanups, [], (one, connection, send) => {
    if (one.type !== Type.headers) return;
    seen.push({ connection });
    onRequest();
    send(...(refusals[connection]?.(one.stream) ?? [response(one.stream, '200')]));
  });
  const fixture = await openFixture(options);
  fixture.ports.set(`${apiHost}:443`, at);
  cleanups.push(() => fixture.close());
  const session = await dialHttp2(cleanups, fixture);
  const ask = async (method = 'GET', body?: string) => {
    const stream = session.request({ ':method': method, ':path': '/v1' }, { endStream: body === undefined });
    if (body !== undefined) stream.end(body);
    return responseOn(stream);
  };
  return { fixture, seen, ask, outcomes: () => fixture.decisions.map(({ outcome }) => outcome) };
}

const byReset = (stream: number) => [reset(stream, Code.refused)];
const byGoaway = () => [goaway(0)];

describe.each([
  ['REFUSED_STREAM', byReset],
  ['a GOAWAY that leaves it out', byGoaway],
])('a request that the upstream did not process, by %s', (_name, refusal) => {
  it.each(['GET', 'HEAD', 'DELETE', 'PUT'])(
    'is sent once more, over another connection: %s',
    async (method) => {
      const { fixture, seen, ask, outcomes } = await openRefusing([refusal]);
      expect((await ask(method)).headers[':status']).toBe(200);
      expect(seen.map(({ connection }) => connection)).toEqual([0, 1]);
      expect(fixture.dials).toHaveLength(2);
      expect(outcomes()).toEqual(['injected']);
    },
  );

  it('is not sent a third time', async () => {
    const { seen, ask, outcomes } = await openRefusing([refusal, refusal]);
    const { headers: head, body } = await ask();
    expect(head[':status']).toBe(502);
    expect(JSON.parse(body)).toMatchObject({
      code: 'UpstreamUnreachable',
      hint: expect.stringContaining('Safe to retry'),
    });
    expect(seen.map(({ connection }) => connection)).toEqual([0, 1]);
    expect(outcomes()).toEqual(['injected']);
  });

  it.each([
    ['POST', undefined],
    ['POST', 'body'],
    ['PUT', 'body'],
    ['get', undefined],
  ])('is not sent again if repeating it may do harm: %s with %s', async (method, body) => {
    const { seen, ask, outcomes } = await openRefusing([refusal]);
    expect((await ask(method, body)).headers[':status']).toBe(502);
    expect(seen).toHaveLength(1);
    expect(outcomes()).toEqual(['injected']);
  });

  it('is authorized again: a rule that was added since denies it', async () => {
    let denied = false;
    const { seen, ask, outcomes } = await openRefusing(
      [refusal],
      {
        spec: {
          decide: () => ({ allowed: !denied, rule: denied ? 'late' : undefined, reason: 'as the test says' }),
        },
      },
      () => {
        denied = true;
      },
    );
    const { headers: head, body } = await ask();
    expect(head[':status']).toBe(403);
    expect(JSON.parse(body)).toMatchObject({ code: 'PolicyDenied' });
    expect(seen).toHaveLength(1);
    expect(outcomes()).toEqual(['injected']);
  });
});

it('a request that is sent again carries the current credential', async () => {
  const seen: unknown[] = [];
  const fixture = await openHttp2Fixture(cleanups, (stream, { authorization }) => {
    seen.push(authorization);
    fixture.credentials.set('example/default', { version: 2, secret: 'newer' });
    if (seen.length === 1) stream.close(constants.NGHTTP2_REFUSED_STREAM);
    else stream.respond({ ':status': 200 }, { endStream: true });
  });
  const stream = (await dialHttp2(cleanups, fixture)).request({ ':path': '/' });
  expect((await responseOn(stream)).headers[':status']).toBe(200);
  expect(seen).toEqual([`Bearer ${secret}`, 'Bearer newer']);
});

describe('a request that the upstream processed, or may have processed', () => {
  it.each([
    [
      'an interim response',
      (stream: number) => [response(stream, '103', 0), reset(stream, Code.refused)],
      502,
    ],
    ['another code', (stream: number) => [reset(stream, Code.internal)], 502],
    ['a cancellation', (stream: number) => [reset(stream, Code.cancel)], 502],
    ['a GOAWAY that takes it in', (stream: number) => [goaway(stream), reset(stream, Code.internal)], 502],
  ])('is not sent again: %s', async (_name, refusal, status) => {
    const { seen, ask } = await openRefusing([refusal]);
    expect((await ask()).headers[':status']).toBe(status);
    expect(seen).toHaveLength(1);
  });

  it('is not sent again once its response has begun: the client gets the reset', async () => {
    const { seen, ask } = await openRefusing([
      (stream) => [
        response(stream, '200', 0),
        frame(Type.data, 0, stream, 'half'),
        reset(stream, Code.refused),
      ],
    ]);
    const { code, headers: head } = await ask();
    expect(head[':status']).toBe(200);
    expect(code).toBe(constants.NGHTTP2_REFUSED_STREAM);
    expect(seen).toHaveLength(1);
  });

  it('is answered, beside one that a GOAWAY excludes and that is sent again', async () => {
    const streams: number[] = [];
    const { fixture, seen, ask, outcomes } = await openRefusing([
      (stream) => {
        streams.push(stream);
        const [first = 0] = streams;
        return streams.length === 2 ? [goaway(first), response(first, '204')] : [];
      },
    ]);
    const statuses = (await Promise.all([ask(), ask()])).map(({ headers: head }) => head[':status']);
    expect(statuses.toSorted()).toEqual([200, 204]);
    expect(seen.map(({ connection }) => connection)).toEqual([0, 0, 1]);
    expect(fixture.dials).toHaveLength(2);
    expect(outcomes()).toEqual(['injected', 'injected']);
  });
});
