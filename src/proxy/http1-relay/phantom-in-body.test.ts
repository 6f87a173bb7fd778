import { describe, expect, it } from 'vitest';
import { cleanupsAfterEach } from '../testing/test-cleanups.ts';
import {
  apiHost,
  ask,
  dialThrough,
  type Fixture,
  isComplete,
  openFixtureWithApi,
  openFixtureWithRaw,
  problemOf,
  routeTo,
  secret,
} from '../testing/test-fixture.ts';

const cleanups = cleanupsAfterEach();

const phantom = 'sk-live-Phantom0123456789abcdef';
const spec = { phantoms: [{ value: phantom, connection: 'example/default', isInRun: true }] };

const openWithApi = () => openFixtureWithApi(cleanups, { spec });

const post = (type: string, ...more: readonly string[]) => [
  'POST /send HTTP/1.1',
  `Host: ${apiHost}`,
  `Content-Type: ${type}`,
  ...more,
];

/** A raw upstream that keeps what it gets and answers once it has this text. */
async function openWithRaw(until: string, answer: string) {
  const seen: Buffer[] = [];
  const fixture = await openFixtureWithRaw(
    cleanups,
    (tls) => {
      tls.on('data', (chunk: Buffer) => {
        seen.push(chunk);
        if (Buffer.concat(seen).includes(until)) tls.write(answer);
      });
    },
    { spec },
  );
  return { fixture, seen: () => Buffer.concat(seen).toString('latin1') };
}

async function refusedWith(fixture: Fixture, response: string): Promise<void> {
  const problem = problemOf(response);
  expect(problem).toMatchObject({ code: 'PhantomMisplaced', status: 403 });
  expect(JSON.stringify(problem)).not.toContain(phantom);
  expect(JSON.stringify(problem)).toContain('example/default');
  expect(JSON.stringify([fixture.decisions, fixture.failures])).not.toContain(phantom);
}

describe('a phantom in the body of a request', () => {
  it.each([
    ['application/json', `{"key":"${phantom}"}`],
    ['application/x-www-form-urlencoded', `a=b&key=${phantom}`],
    ['application/x-www-form-urlencoded', `a=b&key=${phantom.replace('-', '%2D')}`],
    ['text/plain', Buffer.from(`user:${phantom}`).toString('base64')],
    ['multipart/form-data; boundary=x', `--x\r\n\r\n${phantom}\r\n--x--\r\n`],
    ['nothing at all', phantom],
  ])('is refused in %s, before anything goes out', async (type, body) => {
    const { fixture, seen } = await openWithApi();
    const client = await dialThrough(fixture);
    const head = [...post(type), `Content-Length: ${body.length}`].join('\r\n');
    client.send(`${head}\r\n\r\n${body}`);
    await refusedWith(fixture, await client.until(isComplete));
    expect(fixture.dials.filter((dial) => dial.startsWith('tls'))).toEqual([]);
    expect(seen).toEqual([]);
    expect(fixture.decisions).toMatchObject([{ action: 'refused', outcome: 'PhantomMisplaced' }]);
    expect(fixture.failures).toEqual([]);
  });

  it('is refused where no route covers the path, too', async () => {
    const routes = [routeTo(apiHost, { pathPrefix: '/elsewhere' })];
    const { fixture, seen } = await openFixtureWithApi(cleanups, { spec, routes });
    const client = await dialThrough(fixture);
    client.send(
      `${[...post('text/plain'), `Content-Length: ${phantom.length}`].join('\r\n')}\r\n\r\n${phantom}`,
    );
    await refusedWith(fixture, await client.until(isComplete));
    expect(seen).toEqual([]);
  });

  it('that is cut in two by a chunk ends the upload before the second half', async () => {
    const { fixture, seen } = await openWithRaw('sk-live-Ph', '');
    const client = await dialThrough(fixture);
    client.send(`${[...post('text/plain'), 'Transfer-Encoding: chunked'].join('\r\n')}\r\n\r\n`);
    const [first, second] = [phantom.slice(0, 10), phantom.slice(10)];
    client.send(`${first.length.toString(16)}\r\n${first}\r\n`);
    await expect.poll(seen).toContain(first);
    client.send(`${second.length.toString(16)}\r\n${second}\r\n0\r\n\r\n`);
    await refusedWith(fixture, await client.until(isComplete));
    expect(seen()).toContain(`Bearer ${secret}`);
    expect(seen()).not.toContain(second);
    expect(fixture.failures).toMatchObject([{ outcome: 'PhantomMisplaced' }]);
  });

  it('after the response has begun cuts both sides', async () => {
    const early = 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nsome';
    const { fixture, seen } = await openWithRaw('begin', early);
    const client = await dialThrough(fixture);
    client.send(`${[...post('text/plain'), 'Content-Length: 1000'].join('\r\n')}\r\n\r\nbegin`);
    await client.until((text) => text.includes('some'));
    client.send(phantom);
    await client.until(() => false);
    expect(client.ended).toBe(true);
    expect(seen()).not.toContain(phantom);
    expect(fixture.failures).toMatchObject([{ outcome: 'PhantomMisplaced' }]);
  });

  it('passes in a binary type, and beyond the first MiB', async () => {
    const { fixture, seen } = await openWithApi();
    const client = await dialThrough(fixture);
    const far = `${'x'.repeat(1024 * 1024)}${phantom}`;
    for (const [type, body] of [
      ['application/octet-stream', phantom],
      ['text/plain', far],
    ] as const) {
      client.send(`${[...post(type), `Content-Length: ${body.length}`].join('\r\n')}\r\n\r\n${body}`);
      expect(await client.until(isComplete)).toContain('200 OK');
    }
    expect(seen.map(({ body }) => body.length)).toEqual([phantom.length, far.length]);
  });

  it('that nearly is one passes, and the connection stays', async () => {
    const { fixture, seen } = await openWithApi();
    const client = await dialThrough(fixture);
    const body = phantom.slice(0, -1);
    client.send(`${[...post('text/plain'), `Content-Length: ${body.length}`].join('\r\n')}\r\n\r\n${body}`);
    expect(await client.until(isComplete)).toContain('200 OK');
    await ask(client, 'GET /next HTTP/1.1', `Host: ${apiHost}`);
    expect(seen.map(({ line }) => line)).toEqual(['POST /send', 'GET /next']);
    expect(seen[0]?.body).toBe(body);
  });
});

describe('a phantom in the trailers of a chunked request', () => {
  const chunked = (type: string) =>
    `${[...post(type), 'Transfer-Encoding: chunked'].join('\r\n')}\r\n\r\n4\r\nbody\r\n0\r\n`;

  it.each([
    ['text/plain', `X-Sum: ${phantom}`],
    ['application/octet-stream', `X-Sum: ${phantom}`],
    ['text/plain', `X-Sum: ${Buffer.from(`user:${phantom}`).toString('base64')}`],
    ['text/plain', `${phantom}: 1`],
  ])('is refused after %s, before anything goes out: %s', async (type, line) => {
    const { fixture, seen } = await openWithApi();
    const client = await dialThrough(fixture);
    client.send(`${chunked(type)}${line}\r\n\r\n`);
    await refusedWith(fixture, await client.until(isComplete));
    expect(seen).toEqual([]);
    expect(fixture.decisions).toMatchObject([{ action: 'refused', outcome: 'PhantomMisplaced' }]);
  });

  it('that comes in two pieces never arrives whole', async () => {
    const { fixture, seen } = await openWithRaw('X-Sum: sk-live-Ph', '');
    const client = await dialThrough(fixture);
    client.send(`${chunked('application/octet-stream')}X-Sum: ${phantom.slice(0, 10)}`);
    await expect.poll(seen).toContain(phantom.slice(0, 10));
    client.send(`${phantom.slice(10)}\r\n\r\n`);
    await refusedWith(fixture, await client.until(isComplete));
    expect(seen()).not.toContain(phantom.slice(10));
  });

  it('is refused where the body was read before the decision', async () => {
    const placements = [{ kind: 'body', pointer: '/token' }] as const;
    const routes = [routeTo(apiHost, { placements })];
    const { fixture, seen } = await openFixtureWithApi(cleanups, { spec, routes });
    const client = await dialThrough(fixture);
    client.send(`${chunked('application/json')}X-Sum: ${phantom}\r\n\r\n`);
    await refusedWith(fixture, await client.until(isComplete));
    expect(seen).toEqual([]);
  });

  it('that nearly is one passes', async () => {
    const { fixture, seen } = await openWithApi();
    const client = await dialThrough(fixture);
    client.send(`${chunked('text/plain')}X-Sum: ${phantom.slice(0, -1)}\r\n\r\n`);
    expect(await client.until(isComplete)).toContain('200 OK');
    expect(seen).toMatchObject([{ line: 'POST /send', body: 'body' }]);
  });
});
