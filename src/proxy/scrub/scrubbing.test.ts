import * as zlib from 'node:zlib';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { compileRoutes } from '../../providers/index.ts';
import { zstd } from '../coding/zstd.ts';
import { cleanupsAfterEach } from '../testing/test-cleanups.ts';
import {
  apiHost,
  type Client,
  dialThrough,
  type Fixture,
  type FixtureOptions,
  isComplete,
  openFixtureWithRaw,
  phantomOf,
  routeTo,
  secret,
} from '../testing/test-fixture.ts';

const cleanups = cleanupsAfterEach();
const routes = [routeTo(apiHost)];

const phantom = 'sk-phantom';
const { zstdCompressSync } = zlib as unknown as { readonly zstdCompressSync: (text: string) => Buffer };

/** A fixture whose API answers every request with these bytes, piece by piece. */
async function openWithAnswer(
  pieces: readonly (string | Buffer)[],
  options: FixtureOptions = {},
): Promise<{ readonly fixture: Fixture; readonly client: Client; readonly asked: string[] }> {
  const asked: string[] = [];
  const fixture = await openFixtureWithRaw(
    cleanups,
    (tls) => {
      tls.on('data', async (chunk: Buffer) => {
        asked.push(chunk.toString('latin1'));
        for (const piece of pieces) {
          tls.write(piece);
          await new Promise((resolve) => setImmediate(resolve));
        }
      });
    },
    { ...options, spec: { phantoms: [phantomOf(phantom)], ...options.spec } },
  );
  return { fixture, client: await dialThrough(fixture), asked };
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

const coders: readonly (readonly [coding: string, compress: (text: string) => Buffer])[] = [
  ['gzip', gzipSync],
  ['deflate', deflateSync],
  ['br', brotliCompressSync],
  ['gzip, br', (text: string) => brotliCompressSync(gzipSync(text))],
  ...(zstd === undefined ? [] : [['zstd', zstdCompressSync] as const]),
];

/** An answer in this coding, in one piece. */
function coded(coding: string, bytes: Buffer, chunked: boolean): Buffer {
  const head = `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: ${coding}\r\n`;
  return chunked
    ? Buffer.concat([
        Buffer.from(`${head}Transfer-Encoding: chunked\r\n\r\n${bytes.length.toString(16)}\r\n`),
        bytes,
        Buffer.from('\r\n0\r\n\r\n'),
      ])
    : Buffer.concat([Buffer.from(`${head}Content-Length: ${bytes.length}\r\n\r\n`), bytes]);
}

describe('a secret that comes back', () => {
  it('in the body is the phantom, and the framing is right', async () => {
    const { client } = await openWithAnswer([json(`{"you":"${secret}"}`)]);
    const first = await ask(client);
    expect(payloadOf(first)).toBe(`{"you":"${phantom}"}`);
    expect(first).not.toMatch(/content-length/i);
    expect(payloadOf(await ask(client))).toBe(`{"you":"${phantom}"}`);
  });

  it('in the head is the phantom', async () => {
    const { client } = await openWithAnswer([json('{}', `X-Echo: Bearer ${secret}`)]);
    const answer = await ask(client);
    expect(answer).toContain(`X-Echo: Bearer ${phantom}`);
    expect(answer).not.toContain(secret);
  });

  it('cut by chunks and packets is the phantom', async () => {
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

  it.each(['image/png', 'application/octet-stream'])(
    'in the trailers of %s is the phantom, and the body is untouched',
    async (type) => {
      const chunk = (text: string) => `${text.length.toString(16)}\r\n${text}\r\n`;
      const head = `HTTP/1.1 200 OK\r\nContent-Type: ${type}\r\nContent-Digest: sha-256=:AA==:\r\nTransfer-Encoding: chunked\r\n\r\n`;
      const body = `${chunk('\0\x01')}${chunk(secret)}`;
      const end = `0\r\nX-Trailer: Bearer ${secret}\r\nContent-Digest: sha-256=:BB==:\r\n\r\n`;
      for (const pieces of [[head + body + end], [head, body, end]]) {
        const { client } = await openWithAnswer(pieces);
        client.send(`GET / HTTP/1.1\r\nHost: ${apiHost}\r\n\r\n`);
        const answer = await client.until((text) => text.endsWith('=:BB==:\r\n\r\n'));
        expect(payloadOf(answer)).toBe(`\0\x01${secret}`);
        expect(answer).toContain(`X-Trailer: Bearer ${phantom}\r\n`);
        // It is about bytes that are unchanged.
        expect(answer).toContain('Content-Digest: sha-256=:AA==:\r\n');
      }
    },
  );

  it('in a type that no list names, and in a part of a multipart, is the phantom', async () => {
    for (const type of [
      'application/vnd.github.raw; charset=utf-8',
      'application/x-made-up',
      'multipart/related; boundary=b',
    ]) {
      const body = `--b\r\nContent-Type: image/png\r\n\r\n${secret}\r\n--b--`;
      const { client } = await openWithAnswer([json(body).replace('application/json', type)]);
      expect(payloadOf(await ask(client))).toBe(body.replace(secret, phantom));
    }
  });

  it('in a charset that is not searched does not pass: the response is refused', async () => {
    const { client } = await openWithAnswer([
      json(secret).replace('application/json', 'text/plain; charset=utf-7'),
    ]);
    const answer = await ask(client);
    expect(answer).toMatch(/^HTTP\/1\.1 502 /);
    expect(answer).toContain('charset');
    expect(answer).not.toContain(secret);
  });

  it('in chunks that come in one packet is the phantom, in one of them or cut', async () => {
    const chunk = (text: string) => `${text.length.toString(16)}\r\n${text}\r\n`;
    for (const chunks of [chunk(secret), chunk(secret.slice(0, 7)) + chunk(secret.slice(7))]) {
      const head = 'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n';
      const { client } = await openWithAnswer([`${head}${chunks}0\r\n\r\n`]);
      expect(payloadOf(await ask(client))).toBe(phantom);
    }
  });

  it.each(coders)('in %s is the phantom, decoded', async (coding, compress) => {
    const bytes = compress(`{"you":"${secret}"}`);
    const whole = coded(coding, bytes, false);
    for (const pieces of [[whole], [whole.subarray(0, -bytes.length), bytes], [coded(coding, bytes, true)]]) {
      const { client, asked } = await openWithAnswer(pieces);
      for (let round = 0; round < 2; round += 1) {
        const answer = await ask(client, 'Accept-Encoding: gzip, br, made-up');
        expect(payloadOf(answer)).toBe(`{"you":"${phantom}"}`);
        expect(answer).not.toMatch(/content-encoding/i);
      }
      expect(asked[0]).toContain('Accept-Encoding: gzip, br\r\n');
      expect(asked[0]).not.toContain('made-up');
    }
  });

  it('in a coding that this Node cannot undo is not asked for', async () => {
    const { client, asked } = await openWithAnswer([json('{}')]);
    await ask(client, 'Accept-Encoding: zstd, gzip');
    expect(asked[0]).toContain(`Accept-Encoding: ${zstd === undefined ? 'gzip' : 'zstd, gzip'}\r\n`);
  });

  it('behind a small coded body, where clients do not look, is not let through', async () => {
    const bytes = Buffer.concat([gzipSync('{"ok":true}'), Buffer.from(secret)]);
    const { client } = await openWithAnswer([coded('gzip', bytes, false)]);
    expect(await ask(client)).not.toContain(secret);
  });

  it.each([
    ['a coding that nobody asked for', '200 OK', 'made-up'],
    ['a part of a coded body', '206 Partial Content', 'gzip'],
  ])('in %s does not pass: the response is refused', async (_, status, coding) => {
    const { client, fixture } = await openWithAnswer([
      `HTTP/1.1 ${status}\r\nContent-Type: text/plain\r\nContent-Encoding: ${coding}\r\nContent-Length: ${secret.length}\r\n\r\n${secret}`,
    ]);
    const answer = await ask(client);
    expect(answer).toMatch(/^HTTP\/1\.1 502 /);
    expect(answer).toContain('UpstreamMalformed');
    expect(answer).not.toContain(secret);
    expect(fixture.decisions).toHaveLength(1);
  });

  it('until close is the phantom', async () => {
    const fixture = await openFixtureWithRaw(
      cleanups,
      (tls) => {
        tls.on('data', () => tls.end(`HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nit is ${secret}`));
      },
      { spec: { phantoms: [phantomOf(phantom)] } },
    );
    const client = await dialThrough(fixture);
    client.send(`GET / HTTP/1.1\r\nHost: ${apiHost}\r\n\r\n`);
    expect(payloadOf(await client.until(() => false))).toBe(`it is ${phantom}`);
  });

  it('is the first phantom of its connection, and of new ones from then on', async () => {
    const { fixture, client } = await openWithAnswer([json(`"${secret}"`)], {
      routes,
      spec: { phantoms: [phantomOf('sk-other', 'other/default'), phantomOf(phantom), phantomOf('sk-older')] },
    });
    expect(payloadOf(await ask(client))).toBe(`"${phantom}"`);
    fixture.run.replaceRoutes(compileRoutes(routes), [phantomOf('sk-newer'), phantomOf(phantom)]);
    expect(payloadOf(await ask(client))).toBe('"sk-newer"');
  });

  it('is removed even where the run has no phantom for it', async () => {
    const { client } = await openWithAnswer([json(`"${secret}"`)], { spec: { phantoms: [] } });
    expect(await ask(client)).not.toContain(secret);
  });
});

describe('passes untouched', () => {
  it('a response without the secret, byte for byte', async () => {
    const { client } = await openWithAnswer([json('{"ok":true}')]);
    expect(await ask(client)).toBe(json('{"ok":true}'));
  });

  it('a chunked response without the secret, with its chunks, extensions and trailers', async () => {
    const answer =
      'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n2;a=b\r\nok\r\n1\r\n!\r\n0\r\nX: y\r\n\r\n';
    const { client } = await openWithAnswer([answer]);
    client.send(`GET / HTTP/1.1\r\nHost: ${apiHost}\r\n\r\n`);
    expect(await client.until((text) => text.endsWith('X: y\r\n\r\n'))).toBe(answer);
  });

  it('a binary type in chunks, with its trailers', async () => {
    const answer =
      'HTTP/1.1 200 OK\r\nContent-Type: image/png\r\nTransfer-Encoding: chunked\r\n\r\n2;a=b\r\nok\r\n0\r\nX: y\r\n\r\n';
    const { client } = await openWithAnswer([answer]);
    client.send(`GET / HTTP/1.1\r\nHost: ${apiHost}\r\n\r\n`);
    expect(await client.until((text) => text.endsWith('X: y\r\n\r\n'))).toBe(answer);
  });

  it('a binary type', async () => {
    const answer = `HTTP/1.1 200 OK\r\nContent-Type: image/png\r\nContent-Length: ${secret.length}\r\n\r\n${secret}`;
    const { client } = await openWithAnswer([answer]);
    expect(await ask(client)).toBe(answer);
  });

  it('a route that opted out', async () => {
    const { client } = await openWithAnswer([json(`"${secret}"`)], {
      routes: [routeTo(apiHost, { scrub: false })],
    });
    expect(await ask(client)).toBe(json(`"${secret}"`));
  });

  it('what a route that opted out asks for', async () => {
    const { client, asked } = await openWithAnswer([json('{}')], {
      routes: [routeTo(apiHost, { scrub: false })],
    });
    await ask(client, 'Accept-Encoding: gzip, made-up');
    expect(asked[0]).toContain('Accept-Encoding: gzip, made-up\r\n');
  });

  it.each(coders)('a small response in %s without the secret, byte for byte', async (coding, compress) => {
    for (const chunked of [false, true]) {
      const answer = coded(coding, compress('{"ok":true}'), chunked);
      const { client } = await openWithAnswer([answer]);
      client.send(`GET / HTTP/1.1\r\nHost: ${apiHost}\r\n\r\n`);
      expect(await client.until((text) => text.length >= answer.length)).toBe(answer.toString('latin1'));
    }
  });
});

describe('what a response says about its bytes', () => {
  const said = [
    'Content-Digest: sha-256=:AA==:',
    'Content-MD5: AA==',
    'ETag: "strong"',
    'Accept-Ranges: bytes',
  ];

  it('is left out of one that is searched in passing; ETag stays for If-Match', async () => {
    const whole = json(`"${secret}"`, 'Digest: sha-256=AA==', 'Repr-Digest: sha-256=:AA==:', ...said);
    for (const pieces of [[whole], [json('"innocent"', ...said).slice(0, -3), 'nt"']]) {
      const { client } = await openWithAnswer(pieces);
      const answer = await ask(client);
      expect(answer).not.toMatch(/digest|md5|accept-ranges/i);
      expect(answer).toContain('ETag: "strong"\r\n');
    }
  });

  it('is left out of its trailers too', async () => {
    const { client } = await openWithAnswer([
      'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n',
      '2\r\nok\r\n0\r\nContent-Digest: sha-256=:AA==:\r\nX-Cost: 1\r\n\r\n',
    ]);
    client.send(`GET / HTTP/1.1\r\nHost: ${apiHost}\r\n\r\n`);
    const answer = await client.until((text) => text.endsWith('X-Cost: 1\r\n\r\n'));
    expect(answer).not.toMatch(/digest/i);
  });

  it('stays where its body is relayed unmodified', async () => {
    const image = json('"innocent"', ...said).replace('application/json', 'image/svg');
    for (const untouched of [json('"innocent"', ...said), image]) {
      const { client } = await openWithAnswer([untouched]);
      expect(await ask(client)).toBe(untouched);
    }
  });
});

it('server-sent events are passed on at once', async () => {
  const head = 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n';
  const { client } = await openWithAnswer([`${head}9\r\ndata: 1\n\n\r\n`]);
  client.send(`GET / HTTP/1.1\r\nHost: ${apiHost}\r\n\r\n`);
  expect(await client.until((text) => text.includes('data: 1\n\n'))).toContain('data: 1\n\n');
});

it('a broken coding cuts the client off instead of ending well', async () => {
  const { client } = await openWithAnswer([
    'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Encoding: gzip\r\nContent-Length: 10\r\n\r\n0123456789',
  ]);
  client.send(`GET / HTTP/1.1\r\nHost: ${apiHost}\r\n\r\n`);
  const answer = await client.until(() => false);
  expect(answer.endsWith('0\r\n\r\n')).toBe(false);
});
