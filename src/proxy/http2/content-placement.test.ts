import type { ClientHttp2Session, IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http2';
import { describe, expect, it } from 'vitest';
import type { Placement } from '../../providers/index.ts';
import { cleanupsAfterEach } from '../testing/test-cleanups.ts';
import { apiHost, phantomOf, routeTo, secret } from '../testing/test-fixture.ts';
import { dialHttp2, openHttp2Fixture } from '../testing/test-http2-upstream.ts';

const cleanups = cleanupsAfterEach();

const phantom = 'sk-live-Phantom0123456789abcdef';

async function open(placements: readonly Placement[], statusOf: (body: string) => number = () => 200) {
  const seen: { headers: IncomingHttpHeaders; body: string; trailers: IncomingHttpHeaders | undefined }[] =
    [];
  const fixture = await openHttp2Fixture(
    cleanups,
    (stream, headers) => {
      let body = '';
      let trailers: IncomingHttpHeaders | undefined;
      stream.on('trailers', (fields) => {
        trailers = fields;
      });
      stream.on('data', (chunk: Buffer) => {
        body += chunk.toString('latin1');
        if (headers[':protocol'] !== undefined) seen[0] = { headers, body, trailers };
      });
      if (headers[':protocol'] !== undefined) {
        stream.respond({ ':status': 200 });
        return;
      }
      stream.on('end', () => {
        seen.push({ headers, body, trailers });
        stream.respond({ ':status': statusOf(body) }, { endStream: true });
      });
    },
    {
      routes: [routeTo(apiHost, { placements })],
      spec: {
        phantoms: [phantomOf(phantom)],
        credentials: {
          peek: () => ({ version: 1, secret }),
          acquire: async () => ({ version: 1, secret }),
          renew: async () => ({ version: 2, secret: 'sk-live-newer' }),
        },
      },
    },
  );
  return { fixture, session: await dialHttp2(cleanups, fixture), seen };
}

interface Answer {
  readonly statuses: readonly number[];
  readonly body: string;
}

function post(
  session: ClientHttp2Session,
  pieces: readonly string[],
  headers: OutgoingHttpHeaders = {},
): Promise<Answer> {
  const stream = session.request(
    {
      ':method': 'POST',
      ':path': '/',
      ':authority': apiHost,
      'content-type': 'application/json',
      ...headers,
    },
    { waitForTrailers: true },
  );
  const statuses: number[] = [];
  let body = '';
  stream.on('wantTrailers', () => stream.sendTrailers({ 'x-sum': '1' }));
  stream.on('headers', (interim) => statuses.push(Number(interim[':status'])));
  stream.on('response', (response) => statuses.push(Number(response[':status'])));
  stream.on('data', (chunk: Buffer) => {
    body += chunk.toString();
  });
  stream.on('error', () => {});
  for (const piece of pieces) stream.write(piece);
  stream.end();
  return new Promise((resolve) => stream.on('close', () => resolve({ statuses, body })));
}

describe('a body placement over HTTP/2', () => {
  const placements: readonly Placement[] = [{ kind: 'body', pointer: '/token' }];
  const body = `{"token":"${phantom}"}`;
  const filled = `{"token":"${secret}"}`;

  it('puts the secret in the place of the phantom, with the right length, and keeps trailers', async () => {
    const { fixture, session, seen } = await open(placements);
    const answer = await post(session, [body.slice(0, 20), body.slice(20)], {
      'content-length': body.length,
      'content-digest': 'sha-256=:x:',
      expect: '100-continue',
    });
    expect(answer.statuses).toEqual([100, 200]);
    expect(seen).toMatchObject([{ body: filled, trailers: { 'x-sum': '1' } }]);
    expect(seen[0]?.headers['content-length']).toBe(String(filled.length));
    for (const name of ['content-digest', 'expect', 'authorization'])
      expect(seen[0]?.headers).not.toHaveProperty(name);
    expect(fixture.decisions).toMatchObject([{ action: 'injected' }]);
  });

  it('is filled again with a newer credential after a 401', async () => {
    const statusOf = (text: string) => (text.includes('newer') ? 200 : 401);
    const { session, seen } = await open(placements, statusOf);
    const stream = session.request({
      ':method': 'POST',
      ':path': '/',
      ':authority': apiHost,
      'content-type': 'application/json',
    });
    const status = new Promise((resolve) => stream.on('response', (head) => resolve(head[':status'])));
    stream.end(body);
    expect(await status).toBe(200);
    expect(seen.map((each) => each.body)).toEqual([filled, '{"token":"sk-live-newer"}']);
  });

  it.each([
    ['in another member', `{"other":"${phantom}"}`],
    ['in a body that is too long', `{"token":"${phantom}","x":"${'x'.repeat(1024 * 1024)}"}`],
  ])('refuses a phantom %s, before anything goes out', async (_, text) => {
    const { fixture, session, seen } = await open(placements);
    const answer = await post(session, [text]);
    expect(answer.statuses).toEqual([403]);
    expect(JSON.parse(answer.body)).toMatchObject({ code: 'PhantomMisplaced' });
    expect(seen).toEqual([]);
    expect(fixture.decisions).toMatchObject([{ action: 'refused', outcome: 'PhantomMisplaced' }]);
  });

  it('lets a long body without a phantom through, to the last byte', async () => {
    const { session, seen } = await open(placements);
    const pieces = Array.from({ length: 40 }, (_, index) => String(index % 10).repeat(50_000));
    expect((await post(session, pieces)).statuses).toEqual([200]);
    expect(seen[0]?.body).toBe(pieces.join(''));
    expect(seen[0]?.trailers).toMatchObject({ 'x-sum': '1' });
  });
});

describe('a WebSocket placement over HTTP/2', () => {
  it('puts the secret in the place of the phantom', async () => {
    const { session, seen } = await open([{ kind: 'websocket', pointer: '/token' }]);
    await new Promise((resolve) => session.once('remoteSettings', resolve));
    const socket = session.request({
      ':method': 'CONNECT',
      ':protocol': 'websocket',
      ':path': '/socket',
      ':scheme': 'https',
      ':authority': apiHost,
    });
    await new Promise((resolve) => socket.once('response', resolve));
    const text = `{"token":"${phantom}"}`;
    const frame = (payload: string, first: number) =>
      Buffer.concat([Buffer.from([first, 0x80 | payload.length, 0, 0, 0, 0]), Buffer.from(payload)]);
    socket.write(frame(text.slice(0, 20), 0x01));
    socket.write(frame(text.slice(20), 0x80));
    const filled = frame(`{"token":"${secret}"}`, 0x81).toString('latin1');
    await expect.poll(() => seen[0]?.body).toBe(filled);
    expect(seen[0]?.headers).not.toHaveProperty('authorization');
    socket.close();
  });
});
