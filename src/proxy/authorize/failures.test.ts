import { constants } from 'node:http2';
import { gzipSync } from 'node:zlib';
import { expect, it, vi } from 'vitest';
import { cleanupsAfterEach } from '../testing/test-cleanups.ts';
import {
  apiHost,
  dialThrough,
  type Fixture,
  isComplete,
  openFixture,
  openFixtureWithRaw,
  secret,
} from '../testing/test-fixture.ts';
import { responseOn } from '../testing/test-http2-response.ts';
import { dialHttp2, openHttp2Fixture } from '../testing/test-http2-upstream.ts';

/** What happened to requests that were allowed: the decision stands, and a second event says how they ended. */

const cleanups = cleanupsAfterEach();

const get = `GET /v1 HTTP/1.1\r\nHost: ${apiHost}\r\n\r\n`;
const ok = (...fields: readonly string[]) => ['HTTP/1.1 200 OK', ...fields, '', ''].join('\r\n');
const torn = gzipSync(JSON.stringify({ echo: secret })).fill(0xff, 20);

/** An API that sends this to each request, and then closes its connection. */
async function openWithResponse(sent: string | Buffer): Promise<Fixture> {
  const fixture = await openFixtureWithRaw(cleanups, (socket) => {
    socket.once('data', () => {
      socket.end(typeof sent === 'string' ? Buffer.from(sent, 'latin1') : sent);
    });
  });
  return fixture;
}

function expectOneFailure(fixture: Fixture, outcome: string, detail: string): void {
  expect(fixture.decisions).toHaveLength(1);
  const [decision] = fixture.decisions;
  expect(decision).toMatchObject({ action: 'injected', outcome: 'injected' });
  expect(fixture.failures).toEqual([
    {
      event: 'answer.failed',
      decision: decision?.id,
      provider: 'example',
      connection: 'default',
      identity: 'tester',
      run: 'run_test',
      outcome,
      detail: expect.stringContaining(detail),
    },
  ]);
}

it.each([
  ['nothing', '', 'UpstreamUnreachable', 'without a response'],
  ['garbage', 'SSH-2.0-x\r\n\r\n', 'UpstreamMalformed', 'status line'],
  [
    'two lengths',
    `${ok('Content-Length: 1', 'Content-Length: 2')}ab`,
    'UpstreamMalformed',
    'Content-Length is given more than once',
  ],
])(
  'an upstream that answers with %s is recorded, and the client gets a problem',
  async (_, sent, code, detail) => {
    const fixture = await openWithResponse(sent);
    const client = await dialThrough(fixture);
    client.send(get);
    const response = await client.until(isComplete);
    expect(response).toContain(`"code":"${code}"`);
    expect(response).toContain(`Authsome-Decision: ${fixture.decisions[0]?.id}`);
    expectOneFailure(fixture, code, detail);
  },
);

it.each([
  ['stops', `${ok('Content-Length: 9')}hello`, 'UpstreamUnreachable', 'before it was complete'],
  ['breaks its chunks', `${ok('Transfer-Encoding: chunked')}zz\r\n`, 'UpstreamMalformed', 'chunk'],
  [
    'is not in its coding',
    Buffer.concat([
      Buffer.from(ok('Content-Type: text/plain', 'Content-Encoding: gzip', `Content-Length: ${torn.length}`)),
      torn,
    ]),
    'UpstreamMalformed',
    'coding',
  ],
])('a response that %s is recorded, and does not look complete', async (_, sent, code, detail) => {
  const fixture = await openWithResponse(sent);
  const client = await dialThrough(fixture);
  client.send(get);
  expect(await client.until(() => false)).not.toContain('problem+json');
  expectOneFailure(fixture, code, detail);
});

it('an HTTP/2 stream whose upstream disconnects during its response is recorded', async () => {
  const fixture = await openHttp2Fixture(cleanups, (stream) => {
    stream.respond({ ':status': 200, 'content-type': 'image/png' });
    stream.write('begun');
  });
  const stream = (await dialHttp2(cleanups, fixture)).request({ ':path': '/v1' });
  stream.once('data', () => fixture.breakUpstreams());
  const { body, code } = await responseOn(stream);
  expect(body).toBe('begun');
  expect(code).not.toBe(constants.NGHTTP2_NO_ERROR);
  expectOneFailure(fixture, 'UpstreamUnreachable', 'before it was complete');
});

it('a client that leaves during a response is no failure of the upstream', async () => {
  const fixture = await openFixtureWithRaw(cleanups, (socket) => {
    socket.once('data', () => socket.write(`${ok('Content-Type: image/png', 'Content-Length: 9')}hello`));
  });
  const client = await dialThrough(fixture);
  client.send(get);
  await client.until((received) => received.endsWith('hello'));
  client.socket.destroy();
  await vi.waitFor(() => expect(client.ended).toBe(true));
  expect(fixture.decisions).toHaveLength(1);
  expect(fixture.failures).toEqual([]);
});

it('a refusal is one event', async () => {
  const fixture = await openFixture({
    spec: { decide: () => ({ allowed: false, rule: 'nothing', reason: 'nothing is allowed' }) },
  });
  cleanups.push(() => fixture.close());
  const client = await dialThrough(fixture);
  client.send(get);
  expect(await client.until(isComplete)).toContain('PolicyDenied');
  expect(fixture.decisions).toHaveLength(1);
  expect(fixture.failures).toEqual([]);
});
