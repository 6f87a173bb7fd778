import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { Placement } from '../../providers/index.ts';
import { cleanupsAfterEach } from '../testing/test-cleanups.ts';
import {
  apiHost,
  type Client,
  dialThrough,
  isComplete,
  openFixtureWithApi,
  openFixtureWithRaw,
  phantomOf,
  problemOf,
  routeTo,
  secret,
} from '../testing/test-fixture.ts';

const cleanups = cleanupsAfterEach();

const phantom = 'sk-live-Phantom0123456789abcdef';
const botPhantom = 'sk-live-Another0123456789abcde';
const json: readonly Placement[] = [{ kind: 'body', pointer: '/auth/token' }];
const form: readonly Placement[] = [{ kind: 'body', field: 'token' }];
const spec = { phantoms: [phantomOf(phantom), phantomOf(botPhantom, 'example/bot')] };
const routesWith = (placements: readonly Placement[]) => [
  routeTo(apiHost, { placements }),
  routeTo(apiHost, { placements, id: 'bot', connection: 'bot' }),
];

async function open(placements: readonly Placement[]) {
  const { fixture, seen } = await openFixtureWithApi(cleanups, { spec, routes: routesWith(placements) });
  fixture.credentials.set('example/bot', { version: 1, secret: 'sk-live-bot-secret' });
  return { fixture, seen, client: await dialThrough(fixture) };
}

function send(
  client: Client,
  type: string,
  body: string | Buffer,
  ...more: readonly string[]
): Promise<string> {
  const head = ['POST /send HTTP/1.1', `Host: ${apiHost}`, `Content-Type: ${type}`, ...more];
  client.send(`${[...head, `Content-Length: ${Buffer.byteLength(body)}`].join('\r\n')}\r\n\r\n`);
  client.send(Buffer.from(body));
  return client.until(isComplete);
}

describe('a body placement', () => {
  it.each([
    ['JSON', json, 'application/json', `{"a":1, "auth":{"token":"${phantom}"}}`],
    ['a form', form, 'application/x-www-form-urlencoded', `a=b+c&token=${phantom}&d`],
  ])(
    'puts the secret in the place of the phantom in %s, and the length is right',
    async (_, placements, type, body) => {
      const { fixture, seen, client } = await open(placements);
      expect(await send(client, type, body, 'Content-Digest: sha-256=:x:')).toContain('200 OK');
      const expected = body.replace(phantom, secret);
      expect(seen).toMatchObject([
        { body: expected, headers: { 'content-length': String(expected.length) } },
      ]);
      expect(seen[0]?.headers).not.toHaveProperty('content-digest');
      expect(seen[0]?.headers).not.toHaveProperty('authorization');
      expect(fixture.decisions).toMatchObject([{ action: 'injected', connection: 'default' }]);
      expect(JSON.stringify(fixture.decisions)).not.toContain(phantom);
      expect(await send(client, type, body)).toContain('200 OK');
    },
  );

  it('uses the connection whose phantom is there', async () => {
    const { fixture, seen, client } = await open(json);
    await send(client, 'application/json', `{"auth":{"token":"${botPhantom}"}}`);
    expect(seen[0]?.body).toBe('{"auth":{"token":"sk-live-bot-secret"}}');
    expect(fixture.decisions).toMatchObject([{ connection: 'bot' }]);
  });

  it('keeps chunked bodies chunked, with their trailers', async () => {
    const seen: Buffer[] = [];
    const fixture = await openFixtureWithRaw(
      cleanups,
      (tls) => {
        tls.on('data', (chunk: Buffer) => {
          seen.push(chunk);
          if (chunk.toString().endsWith('\r\n\r\n') && Buffer.concat(seen).includes('X-Sum'))
            tls.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
        });
      },
      { spec, routes: routesWith(form) },
    );
    const client = await dialThrough(fixture);
    client.send(
      `POST / HTTP/1.1\r\nHost: ${apiHost}\r\nContent-Type: application/x-www-form-urlencoded\r\nTransfer-Encoding: chunked\r\n\r\n`,
    );
    const body = `token=${phantom}&x=y`;
    for (const char of body) client.send(`1\r\n${char}\r\n`);
    client.send('0\r\nX-Sum: 1\r\n\r\n');
    expect(await client.until(isComplete)).toContain('200 OK');
    const filled = `token=${secret}&x=y`;
    const [, sent] = Buffer.concat(seen)
      .toString()
      .split(/\r\n\r\n(.*)/s);
    expect(sent).toBe(`${filled.length.toString(16)}\r\n${filled}\r\n0\r\nX-Sum: 1\r\n\r\n`);
  });

  it('asks a client that waits with its body for it', async () => {
    const { seen, client } = await open(form);
    const body = `token=${phantom}`;
    client.send(
      `POST / HTTP/1.1\r\nHost: ${apiHost}\r\nContent-Type: application/x-www-form-urlencoded\r\nExpect: 100-continue\r\nContent-Length: ${body.length}\r\n\r\n`,
    );
    expect(await client.until((text) => text.includes('\r\n\r\n'))).toBe('HTTP/1.1 100 Continue\r\n\r\n');
    client.send(body);
    const response = await client.until(isComplete);
    expect(response).toMatch(/^HTTP\/1\.1 200 OK/);
    expect(seen[0]?.body).toBe(`token=${secret}`);
    expect(seen[0]?.headers).not.toHaveProperty('expect');
  });

  it('is filled again with a newer credential after a 401', async () => {
    const bodies: string[] = [];
    const fixture = await openFixtureWithRaw(
      cleanups,
      (tls) => {
        tls.on('data', (chunk: Buffer) => {
          bodies.push(chunk.toString());
          const all = bodies.join('');
          const status = all.includes('sk-live-newer') ? '200 OK' : '401 Unauthorized';
          if (/token=sk-live-\w+/.test(chunk.toString()))
            tls.write(`HTTP/1.1 ${status}\r\nContent-Length: 0\r\n\r\n`);
        });
      },
      {
        routes: routesWith(form),
        spec: {
          ...spec,
          credentials: {
            peek: () => ({ version: 1, secret }),
            acquire: async () => ({ version: 1, secret }),
            renew: async () => ({ version: 2, secret: 'sk-live-newer' }),
          },
        },
      },
    );
    const client = await dialThrough(fixture);
    const answer = await send(client, 'application/x-www-form-urlencoded', `token=${phantom}`);
    expect(answer).toMatch(/^HTTP\/1\.1 200 OK/);
    const all = bodies.join('');
    expect(all).toContain(`token=${secret}`);
    expect(all).toContain('Content-Length: 19\r\n');
    expect(all.endsWith('token=sk-live-newer')).toBe(true);
  });

  it('lets pass what has no phantom: nothing is filled in, and nothing counts as injected', async () => {
    const { fixture, seen, client } = await open(json);
    for (const body of [
      '{"auth":{"token":"mine"}}',
      '{"auth":{}}',
      'no json',
      `{"big":"${'x'.repeat(1_100_000)}"}`,
    ]) {
      expect(await send(client, 'application/json', body)).toContain('200 OK');
      expect(seen.at(-1)?.body).toBe(body);
    }
    expect(fixture.decisions.map(({ action }) => action)).toEqual(Array(4).fill('passed'));
  });

  const tooLong = `{"auth":{"token":"${phantom}"},"x":"${'x'.repeat(1024 * 1024)}"}`;
  it.each([
    ['absent', 'application/json', `{"other":"${phantom}"}`, 'not in the place'],
    ['given twice', 'application/json', `{"auth":{"token":"${phantom}","token":"x"}}`, 'given twice'],
    [
      'a part of a value',
      'application/json',
      `{"auth":{"token":"Bearer ${phantom}"}}`,
      'not the phantom alone',
    ],
    ['invalid JSON', 'application/json', `{"auth":{"token":"${phantom}"}`, 'not valid JSON'],
    ['too long', 'application/json', tooLong, 'longer than 1 MiB'],
    ['a form', 'application/x-www-form-urlencoded', `token=${phantom}`, 'not declared to be JSON'],
    [
      'multipart',
      'multipart/form-data; boundary=x',
      `--x\r\n\r\n${phantom}\r\n--x--`,
      'not declared to be JSON',
    ],
    [
      'base64',
      'application/json',
      `{"auth":{"token":"${Buffer.from(phantom).toString('base64')}"}}`,
      'not the phantom',
    ],
  ])('refuses a phantom that is %s', async (_, type, body, why) => {
    const { fixture, seen, client } = await open(json);
    const problem = problemOf(await send(client, type, body));
    expect(problem).toMatchObject({ code: 'PhantomMisplaced', status: 403 });
    expect(problem.detail).toContain(why);
    expect(problem.hint).toContain('/auth/token');
    expect(JSON.stringify(problem)).not.toContain(phantom);
    expect(seen).toEqual([]);
    expect(fixture.decisions).toMatchObject([{ action: 'refused', outcome: 'PhantomMisplaced' }]);
  });

  it('refuses a phantom in a compressed body', async () => {
    const { seen, client } = await open(json);
    const body = gzipSync(`{"auth":{"token":"${phantom}"}}`);
    const answer = await send(client, 'application/json', body, 'Content-Encoding: gzip');
    expect(problemOf(answer).detail).toContain('compressed');
    expect(seen).toEqual([]);
    const other = gzipSync('{"auth":{"token":"mine"}}');
    const next = await dialThrough((await open(json)).fixture);
    expect(await send(next, 'application/json', other, 'Content-Encoding: gzip')).toContain('200 OK');
  });

  it('refuses two phantoms of different connections', async () => {
    const { seen, client } = await open([...json, { kind: 'body', pointer: '/second' }]);
    const body = `{"auth":{"token":"${phantom}"},"second":"${botPhantom}"}`;
    expect(problemOf(await send(client, 'application/json', body))).toMatchObject({
      code: 'PhantomMisplaced',
    });
    expect(seen).toEqual([]);
  });

  it('beside a header fills both, and fills all places of its list', async () => {
    const placements: readonly Placement[] = [
      { kind: 'header', name: 'X-Key', prefix: '' },
      ...json,
      { kind: 'body', pointer: '/second' },
    ];
    const { seen, client } = await open(placements);
    await send(client, 'application/json', `{"auth":{"token":"${phantom}"},"second":"${phantom}"}`);
    expect(seen[0]?.headers['x-key']).toBe(secret);
    expect(seen[0]?.body).toBe(`{"auth":{"token":"${secret}"},"second":"${secret}"}`);
  });
});
