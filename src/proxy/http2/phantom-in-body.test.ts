import type { ClientHttp2Session, ClientHttp2Stream, IncomingHttpHeaders } from 'node:http2';
import { describe, expect, it } from 'vitest';
import { cleanupsAfterEach } from '../testing/test-cleanups.ts';
import { apiHost, phantomOf, secret } from '../testing/test-fixture.ts';
import { dialHttp2, type Http2Listener, openHttp2Fixture } from '../testing/test-http2-upstream.ts';

const cleanups = cleanupsAfterEach();

const phantom = 'sk-live-Phantom0123456789abcdef';
const spec = { phantoms: [phantomOf(phantom)] };

/** An API that keeps what it gets, and answers once a body is complete. */
async function open(answer: Http2Listener = () => {}) {
  const seen: string[] = [];
  const heads: IncomingHttpHeaders[] = [];
  const fixture = await openHttp2Fixture(
    cleanups,
    (stream, headers, flags) => {
      heads.push(headers);
      answer(stream, headers, flags);
      const at = seen.push('') - 1;
      stream.on('data', (chunk: Buffer) => {
        seen[at] += chunk.toString('latin1');
      });
      stream.on('end', () => {
        if (!stream.headersSent && !stream.closed) stream.respond({ ':status': 200 }, { endStream: true });
      });
    },
    { spec },
  );
  return { fixture, session: await dialHttp2(cleanups, fixture), seen, heads };
}

function post(session: ClientHttp2Session, type: string | undefined): ClientHttp2Stream {
  const stream = session.request({
    ':method': 'POST',
    ':path': '/send',
    ':authority': apiHost,
    ...(type === undefined ? {} : { 'content-type': type }),
  });
  stream.on('error', () => {});
  return stream;
}

function responseTo(stream: ClientHttp2Stream): Promise<{ readonly status: unknown; readonly body: string }> {
  return new Promise((resolve) => {
    let status: unknown;
    let body = '';
    stream.on('response', (headers) => {
      status = headers[':status'];
    });
    stream.on('data', (chunk: Buffer) => {
      body += chunk.toString();
    });
    stream.on('close', () => resolve({ status, body }));
    stream.resume();
  });
}

describe('a phantom in the body of an HTTP/2 request', () => {
  it.each([
    ['application/json', `{"key":"${phantom}"}`],
    ['application/x-www-form-urlencoded', `key=${phantom.replaceAll('-', '%2d')}`],
    [undefined, Buffer.from(`user:${phantom}`).toString('base64')],
  ])('is refused in %s, and never completed', async (type, body) => {
    const { fixture, session, seen, heads } = await open();
    const stream = post(session, type);
    const response = responseTo(stream);
    stream.end(body);
    const { status, body: problem } = await response;
    expect(status).toBe(403);
    expect(JSON.parse(problem)).toMatchObject({ code: 'PhantomMisplaced' });
    expect(problem).not.toContain(phantom);
    expect(seen.join()).toBe('');
    expect(heads.length).toBeLessThan(2);
    expect(JSON.stringify([fixture.decisions, fixture.failures])).not.toContain(phantom);
    expect([...fixture.decisions, ...fixture.failures].map(({ outcome }) => outcome)).toContain(
      'PhantomMisplaced',
    );
  });

  it('that is cut in two by a frame ends the upload before the second half', async () => {
    const { session, seen, heads } = await open();
    const stream = post(session, 'text/plain');
    const response = responseTo(stream);
    stream.write(phantom.slice(0, 10));
    await expect.poll(() => seen.join()).toBe(phantom.slice(0, 10));
    stream.end(phantom.slice(10));
    expect((await response).status).toBe(403);
    expect(seen.join()).toBe(phantom.slice(0, 10));
    expect(heads[0]?.authorization).toBe(`Bearer ${secret}`);
  });

  it('after the response has begun ends it, so that it does not look complete', async () => {
    const { fixture, session, seen } = await open((stream) => {
      stream.respond({ ':status': 200 });
      stream.write('some');
    });
    const stream = post(session, 'text/plain');
    const response = responseTo(stream);
    stream.write('begin');
    await new Promise((resolve) => stream.once('data', resolve));
    stream.write(phantom);
    expect(await response).toMatchObject({ status: 200, body: 'some' });
    expect(stream.rstCode).not.toBe(0);
    expect(seen.join()).toBe('begin');
    expect(fixture.failures).toMatchObject([{ outcome: 'PhantomMisplaced' }]);
  });

  it('passes in a binary type, and the session goes on after a refusal', async () => {
    const { session, seen } = await open();
    const refused = post(session, 'text/plain');
    const refusal = responseTo(refused);
    refused.end(phantom);
    expect((await refusal).status).toBe(403);
    const passed = post(session, 'application/grpc+proto');
    const response = responseTo(passed);
    passed.end(phantom);
    expect((await response).status).toBe(200);
    expect(seen.at(-1)).toBe(phantom);
  });
});

describe('a phantom in the trailers of an HTTP/2 request', () => {
  it.each([
    ['text/plain', { 'x-sum': phantom }],
    ['application/grpc+proto', { 'x-sum': phantom }],
    ['text/plain', { 'x-sum': Buffer.from(`user:${phantom}`).toString('base64') }],
  ])('is refused after %s, and never arrives', async (type, trailers) => {
    const arrived: IncomingHttpHeaders[] = [];
    const { fixture, session } = await open((stream) => {
      stream.on('trailers', (fields) => arrived.push(fields));
    });
    const stream = session.request(
      { ':method': 'POST', ':path': '/send', ':authority': apiHost, 'content-type': type },
      { waitForTrailers: true },
    );
    stream.on('error', () => {});
    stream.on('wantTrailers', () => stream.sendTrailers(trailers));
    const response = responseTo(stream);
    stream.end('body');
    const { status, body: problem } = await response;
    expect(status).toBe(403);
    expect(JSON.parse(problem)).toMatchObject({ code: 'PhantomMisplaced' });
    expect(problem).not.toContain(phantom);
    expect(problem).toContain('a trailer field');
    expect(arrived).toEqual([]);
    expect([...fixture.decisions, ...fixture.failures].map(({ outcome }) => outcome)).toContain(
      'PhantomMisplaced',
    );
  });
});
