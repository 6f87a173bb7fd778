import { createHash } from 'node:crypto';
import type { ClientHttp2Session, ServerHttp2Stream } from 'node:http2';
import type { Writable } from 'node:stream';
import { expect, it } from 'vitest';
import { cleanupsAfterEach } from '../testing/test-cleanups.ts';
import { secret } from '../testing/test-fixture.ts';
import { responseOn } from '../testing/test-http2-response.ts';
import { dialHttp2, openHttp2Fixture } from '../testing/test-http2-upstream.ts';

const cleanups = cleanupsAfterEach();

/** What the proxy allows a stream before it is read, and what both ends and their streams hold beside it. */
const windowBytes = 1024 * 1024;
const endsBytes = 512 * 1024;
const wholeBytes = 8 * 1024 * 1024;
const piece = Buffer.alloc(16 * 1024);

/** Writes all of it as fast as it is taken, and counts what has left. */
function pour(into: Writable, left: { bytes: number }): void {
  let poured = 0;
  const more = (): void => {
    while (poured < wholeBytes) {
      const chunk = Buffer.alloc(piece.length, poured / piece.length);
      poured += chunk.length;
      const flows = into.write(chunk, (error) => {
        if (error === undefined || error === null) left.bytes += chunk.length;
      });
      if (!flows) {
        into.once('drain', more);
        return;
      }
    }
    into.end();
  };
  more();
}

const expected = createHash('sha256');
for (let at = 0; at < wholeBytes; at += piece.length)
  expected.update(Buffer.alloc(piece.length, at / piece.length));
const wholeDigest = expected.digest('hex');

/** Asks on other streams of the session until nothing has moved on the stalled ones for many responses in a row. */
async function untilStalled(session: ClientHttp2Session, moved: () => number): Promise<void> {
  let before = -1;
  for (let still = 0; still < 30; ) {
    const response = await responseOn(session.request({ ':path': '/quick' }));
    expect(response).toMatchObject({ body: 'quick', headers: { ':status': 200 } });
    still = moved() === before ? still + 1 : 0;
    before = moved();
  }
}

/** An upstream with a quick response, a large one, and one that reads a large body when the test says so. */
async function openStreams() {
  const sent: { bytes: number }[] = [];
  const unread: ServerHttp2Stream[] = [];
  const fixture = await openHttp2Fixture(cleanups, (stream, headers) => {
    if (headers[':path'] === '/quick') {
      stream.respond({ ':status': 200 });
      stream.end('quick');
    } else if (headers[':path'] === '/large') {
      stream.respond({
        ':status': 200,
        'content-type': String(headers['x-type'] ?? 'application/octet-stream'),
      });
      const left = { bytes: 0 };
      sent.push(left);
      pour(stream, left);
    } else {
      unread.push(stream);
    }
  });
  return { fixture, session: await dialHttp2(cleanups, fixture), sent, unread };
}

async function digestOf(stream: AsyncIterable<Buffer>): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of stream) hash.update(chunk);
  return hash.digest('hex');
}

it.each([
  ['that passes as it is', 'application/octet-stream'],
  ['that is looked into for the secret', 'text/plain'],
])(
  'who does not read a response %s stops its upstream within the windows, and no other stream',
  async (_what, type) => {
    const { session, sent } = await openStreams();
    const stalled = Array.from({ length: 3 }, () => session.request({ ':path': '/large', 'x-type': type }));
    for (const stream of stalled) stream.pause();
    await Promise.all(stalled.map((stream) => new Promise((resolve) => stream.once('response', resolve))));
    await untilStalled(session, () => sent.reduce((sum, { bytes }) => sum + bytes, 0));
    expect(sent).toHaveLength(3);
    for (const { bytes } of sent) {
      expect(bytes).toBeGreaterThan(0);
      expect(bytes).toBeLessThanOrEqual(windowBytes + endsBytes);
    }
    // Then all of it comes, whole.
    expect(await Promise.all(stalled.map(digestOf))).toEqual(stalled.map(() => wholeDigest));
  },
);

it('an upstream that does not read a body stops the client within the windows, and no other stream', async () => {
  const { fixture, session, unread } = await openStreams();
  const left = Array.from({ length: 3 }, () => ({ bytes: 0 }));
  const uploads = left.map((count, index) => {
    const stream = session.request({ ':method': 'POST', ':path': `/upload/${index}` });
    pour(stream, count);
    return stream;
  });
  const responses = uploads.map(responseOn);
  await untilStalled(session, () => left.reduce((sum, { bytes }) => sum + bytes, 0));
  for (const { bytes } of left) {
    expect(bytes).toBeGreaterThan(0);
    expect(bytes).toBeLessThanOrEqual(windowBytes + endsBytes);
  }
  expect(unread).toHaveLength(3);
  for (const stream of unread) {
    void digestOf(stream).then((digest) => {
      stream.respond({ ':status': 200 });
      stream.end(digest);
    });
  }
  expect((await Promise.all(responses)).map(({ body }) => body)).toEqual(uploads.map(() => wholeDigest));
  expect(JSON.stringify(fixture.decisions)).not.toContain(secret);
});

it('a stalled stream that is reset frees its upstream at once', async () => {
  const { session, sent, unread } = await openStreams();
  const stalled = session.request({ ':path': '/large' });
  stalled.pause();
  await new Promise((resolve) => stalled.once('response', resolve));
  await untilStalled(session, () => sent[0]?.bytes ?? 0);
  const upload = session.request({ ':method': 'POST', ':path': '/upload' });
  upload.on('error', () => {});
  pour(upload, { bytes: 0 });
  await expect.poll(() => unread.length).toBe(1);
  stalled.close();
  upload.close();
  // Node keeps what has come until it is read, but the stream has ended.
  await expect.poll(() => unread[0]?.closed).toBe(true);
  await untilStalled(session, () => sent[0]?.bytes ?? 0);
  expect(sent[0]?.bytes).toBeLessThan(wholeBytes);
});
