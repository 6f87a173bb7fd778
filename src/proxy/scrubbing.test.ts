import { brotliCompressSync, gzipSync } from 'node:zlib';
import { afterEach, describe, expect, test } from 'vitest';
import {
  apiHost,
  type Client,
  dialThrough,
  isComplete,
  openWorld,
  routeTo,
  secret,
  serveRaw,
  type World,
  type WorldOptions,
} from './fixture.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const phantom = 'sk-phantom';

/** A world whose API answers every request with these bytes, piece by piece. */
async function openWithAnswer(
  pieces: readonly (string | Buffer)[],
  options: WorldOptions = {},
): Promise<{ readonly world: World; readonly client: Client; readonly asked: string[] }> {
  const asked: string[] = [];
  const upstream = await serveRaw((tls) => {
    tls.on('data', async (chunk: Buffer) => {
      asked.push(chunk.toString('latin1'));
      for (const piece of pieces) {
        tls.write(piece);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    });
  });
  const world = await openWorld({ ...options, spec: { phantomFor: () => phantom, ...options.spec } });
  world.ports.set(`${apiHost}:443`, upstream.at);
  cleanups.push(
    () => upstream.close(),
    () => world.close(),
  );
  return { world, client: await dialThrough(world), asked };
}

async function ask(client: Client, ...fields: readonly string[]): Promise<string> {
  client.send(`GET / HTTP/1.1\r\nHost: ${apiHost}\r\n${fields.map((field) => `${field}\r\n`).join('')}\r\n`);
  return client.until(isComplete);
}

/** The payload of an answer, whatever its framing. */
function payloadOf(answer: string): string {
  const end = answer.indexOf('\r\n\r\n') + 4;
  const body = answer.slice(end);
  if (!/transfer-encoding: chunked/i.test(answer.slice(0, end))) return body;
  let payload = '';
  for (let at = 0; ; ) {
    const line = body.indexOf('\r\n', at);
    const size = Number.parseInt(body.slice(at, line), 16);
    if (size === 0) return payload;
    payload += body.slice(line + 2, line + 2 + size);
    at = line + 2 + size + 2;
  }
}

const json = (body: string, ...fields: readonly string[]): string =>
  [
    'HTTP/1.1 200 OK',
    'Content-Type: application/json',
    ...fields,
    `Content-Length: ${body.length}`,
    '',
    body,
  ].join('\r\n');

describe('a secret that comes back', () => {
  test('in the body is the phantom, and the framing is right', async () => {
    const { client } = await openWithAnswer([json(`{"you":"${secret}"}`)]);
    const first = await ask(client);
    expect(payloadOf(first)).toBe(`{"you":"${phantom}"}`);
    expect(first).not.toMatch(/content-length/i);
    expect(payloadOf(await ask(client))).toBe(`{"you":"${phantom}"}`);
  });

  test('in the head is the phantom', async () => {
    const { client } = await openWithAnswer([json('{}', `X-Echo: Bearer ${secret}`)]);
    const answer = await ask(client);
    expect(answer).toContain(`X-Echo: Bearer ${phantom}`);
    expect(answer).not.toContain(secret);
  });

  test('cut by chunks and packets is the phantom', async () => {
    const half = secret.slice(0, 7);
    const rest = secret.slice(7);
    const head = 'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n';
    const { client } = await openWithAnswer([
      head,
      `7\r\n${half}\r\n`,
      `${rest.length.toString(16)}\r\n${rest.slice(0, 2)}`,
      `${rest.slice(2)}\r\n0\r\nX-Trailer: ${secret}\r\n\r\n`,
    ]);
    client.send(`GET / HTTP/1.1\r\nHost: ${apiHost}\r\n\r\n`);
    const answer = await client.until((text) => text.includes('X-Trailer'));
    expect(payloadOf(answer)).toBe(phantom);
    expect(answer).toContain(`X-Trailer: ${phantom}\r\n\r\n`);
  });

  test('cut by chunks that come in one packet is the phantom', async () => {
    const [half, rest] = [secret.slice(0, 7), secret.slice(7)];
    const chunks = [half, rest].map((text) => `${text.length.toString(16)}\r\n${text}\r\n`).join('');
    const head = 'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n';
    const { client } = await openWithAnswer([`${head}${chunks}0\r\n\r\n`]);
    expect(payloadOf(await ask(client))).toBe(phantom);
  });

  for (const [coding, compress] of [
    ['gzip', gzipSync],
    ['br', brotliCompressSync],
    ['gzip, br', (text: string) => brotliCompressSync(gzipSync(text))],
  ] as const) {
    test(`in ${coding} is the phantom, decoded`, async () => {
      const bytes = compress(`{"you":"${secret}"}`);
      const head = `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: ${coding}\r\nContent-Length: ${bytes.length}\r\n\r\n`;
      const { client, asked } = await openWithAnswer([head, bytes]);
      for (let round = 0; round < 2; round += 1) {
        const answer = await ask(client, 'Accept-Encoding: gzip, br, zstd');
        expect(payloadOf(answer)).toBe(`{"you":"${phantom}"}`);
        expect(answer).not.toMatch(/content-encoding/i);
      }
      expect(asked[0]).toContain('Accept-Encoding: gzip, br\r\n');
      expect(asked[0]).not.toContain('zstd');
    });
  }

  test.each([
    ['a coding that nobody asked for', '200 OK', 'zstd'],
    ['a part of a coded body', '206 Partial Content', 'gzip'],
  ])('in %s does not pass: the answer is refused', async (_, status, coding) => {
    const { client, world } = await openWithAnswer([
      `HTTP/1.1 ${status}\r\nContent-Type: text/plain\r\nContent-Encoding: ${coding}\r\nContent-Length: ${secret.length}\r\n\r\n${secret}`,
    ]);
    const answer = await ask(client);
    expect(answer).toMatch(/^HTTP\/1\.1 502 /);
    expect(answer).toContain('UpstreamMalformed');
    expect(answer).not.toContain(secret);
    expect(world.decisions).toHaveLength(1);
  });

  test('until close is the phantom', async () => {
    const upstream = await serveRaw((tls) => {
      tls.on('data', () => tls.end(`HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nit is ${secret}`));
    });
    const world = await openWorld({ spec: { phantomFor: () => phantom } });
    cleanups.push(
      () => upstream.close(),
      () => world.close(),
    );
    world.ports.set(`${apiHost}:443`, upstream.at);
    const client = await dialThrough(world);
    client.send(`GET / HTTP/1.1\r\nHost: ${apiHost}\r\n\r\n`);
    expect(payloadOf(await client.until(() => false))).toBe(`it is ${phantom}`);
  });

  test('is removed even where the run has no phantom for it', async () => {
    const { client } = await openWithAnswer([json(`"${secret}"`)], { spec: { phantomFor: () => undefined } });
    expect(await ask(client)).not.toContain(secret);
  });
});

describe('passes untouched', () => {
  test('an answer without the secret, byte for byte', async () => {
    const { client } = await openWithAnswer([json('{"ok":true}')]);
    expect(await ask(client)).toBe(json('{"ok":true}'));
  });

  test('a chunked answer without the secret, with its chunks, extensions and trailers', async () => {
    const answer =
      'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n2;a=b\r\nok\r\n1\r\n!\r\n0\r\nX: y\r\n\r\n';
    const { client } = await openWithAnswer([answer]);
    client.send(`GET / HTTP/1.1\r\nHost: ${apiHost}\r\n\r\n`);
    expect(await client.until((text) => text.endsWith('X: y\r\n\r\n'))).toBe(answer);
  });

  test('a binary type', async () => {
    const answer = `HTTP/1.1 200 OK\r\nContent-Type: image/png\r\nContent-Length: ${secret.length}\r\n\r\n${secret}`;
    const { client } = await openWithAnswer([answer]);
    expect(await ask(client)).toBe(answer);
  });

  test('a route that opted out', async () => {
    const { client } = await openWithAnswer([json(`"${secret}"`)], {
      routes: [routeTo(apiHost, { scrub: false })],
    });
    expect(await ask(client)).toBe(json(`"${secret}"`));
  });
});

test('server-sent events go on at once', async () => {
  const head = 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n';
  const { client } = await openWithAnswer([`${head}9\r\ndata: 1\n\n\r\n`]);
  client.send(`GET / HTTP/1.1\r\nHost: ${apiHost}\r\n\r\n`);
  expect(await client.until((text) => text.includes('data: 1\n\n'))).toContain('data: 1\n\n');
});

test('a broken coding cuts the client off instead of ending well', async () => {
  const { client } = await openWithAnswer([
    'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Encoding: gzip\r\nContent-Length: 10\r\n\r\n0123456789',
  ]);
  client.send(`GET / HTTP/1.1\r\nHost: ${apiHost}\r\n\r\n`);
  const answer = await client.until(() => false);
  expect(answer.endsWith('0\r\n\r\n')).toBe(false);
});
