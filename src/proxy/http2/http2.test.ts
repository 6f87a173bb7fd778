import { constants, type IncomingHttpHeaders } from 'node:http2';
import { gzipSync } from 'node:zlib';
import * as grpc from '@grpc/grpc-js';
import { describe, expect, it } from 'vitest';
import { cleanupsAfterEach } from '../testing/test-cleanups.ts';
import {
  apiHost,
  type Fixture,
  type FixtureOptions,
  openFixture,
  otherHost,
  phantomOf,
  proxyAuthorization,
  routeTo,
  secret,
  serveHttps,
  upstreamKeyPair,
} from '../testing/test-fixture.ts';
import { responseOn } from '../testing/test-http2-response.ts';
import {
  dialHttp2 as dialThroughProxy,
  type Http2Listener,
  openHttp2Fixture,
} from '../testing/test-http2-upstream.ts';

const cleanups = cleanupsAfterEach();

type Listener = Http2Listener;

const openWithHttp2 = (listener: Listener, options: FixtureOptions = {}) =>
  openHttp2Fixture(cleanups, listener, options);

const dialHttp2 = (fixture: Fixture, servername?: string) => dialThroughProxy(cleanups, fixture, servername);

const echo: Listener = (stream, headers) => {
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  stream.on('end', () => {
    stream.respond({ ':status': 200, 'x-from': 'api' });
    stream.end(JSON.stringify({ headers, body: Buffer.concat(chunks).toString() }));
  });
};

describe('a stream', () => {
  it('gets the credential, and what the agent put there is replaced', async () => {
    let upstreamSaw: IncomingHttpHeaders = {};
    const fixture = await openWithHttp2((stream, headers, flags) => {
      upstreamSaw = headers;
      echo(stream, headers, flags);
    });
    const session = await dialHttp2(fixture);
    const { headers, body } = await responseOn(
      session.request({
        ':path': '/v1?a=1',
        authorization: 'Bearer phantom',
        'proxy-authorization': 'x',
        te: 'trailers',
      }),
    );
    expect(headers[':status']).toBe(200);
    const seen = upstreamSaw;
    expect(seen).toMatchObject({
      ':path': '/v1?a=1',
      ':authority': apiHost,
      ':scheme': 'https',
      authorization: `Bearer ${secret}`,
      te: 'trailers',
    });
    expect(JSON.stringify(seen)).not.toContain('phantom');
    expect(body).not.toContain(secret);
    expect(seen['proxy-authorization']).toBeUndefined();
    expect(fixture.decisions).toHaveLength(1);
    expect(fixture.decisions[0]).toMatchObject({
      action: 'injected',
      request: { method: 'GET', path: '/v1' },
    });
  });

  it.each([
    ['x-http-method-override', 'DELETE'],
    ['x-method-override', 'patch, delete'],
    ['x-http_method', 'DELETE'],
  ])('asks policy also about the method that %s names', async (name, value) => {
    const asked: string[] = [];
    const fixture = await openWithHttp2(echo, {
      spec: {
        decide: ({ method }) => {
          asked.push(method);
          return { allowed: method !== 'DELETE', rule: undefined, reason: 'nobody deletes here' };
        },
      },
    });
    const session = await dialHttp2(fixture);
    const { body } = await responseOn(session.request({ ':method': 'POST', [name]: value }));
    expect(JSON.parse(body)).toMatchObject({ code: 'PolicyDenied' });
    expect(asked).toEqual(value === 'DELETE' ? ['POST', 'DELETE'] : ['POST', 'PATCH', 'DELETE']);
    expect(fixture.dials).toHaveLength(1);
  });

  it.each(['x-original-url', 'x_rewrite_url'])(
    'asks policy also about the path that %s names',
    async (name) => {
      const asked: string[] = [];
      const fixture = await openWithHttp2(echo, {
        spec: {
          decide: ({ path }) => {
            asked.push(path);
            return { allowed: path !== '/prod', rule: undefined, reason: 'not there' };
          },
        },
      });
      const session = await dialHttp2(fixture);
      const { body } = await responseOn(session.request({ ':path': '/test', [name]: '/prod?a' }));
      expect(JSON.parse(body)).toMatchObject({ code: 'PolicyDenied' });
      expect(asked).toEqual(['/test', '/prod']);
      expect(fixture.dials).toHaveLength(1);
    },
  );

  it('a hundred at once share one connection to the upstream, each with its own response', async () => {
    const fixture = await openWithHttp2(echo);
    const session = await dialHttp2(fixture);
    const responses = await Promise.all(
      Array.from({ length: 100 }, (_, index) => {
        const stream = session.request({ ':method': 'POST', ':path': `/${index}` });
        stream.end(`body ${index}`);
        return responseOn(stream);
      }),
    );
    expect(responses.map(({ body }) => JSON.parse(body).body)).toEqual(
      responses.map((_, index) => `body ${index}`),
    );
    expect(fixture.dials.length).toBeLessThanOrEqual(2);
    expect(fixture.decisions).toHaveLength(100);
  });

  it('carries large bodies both ways', async () => {
    const fixture = await openWithHttp2((stream) => {
      stream.respond({ ':status': 200 });
      stream.pipe(stream);
    });
    const session = await dialHttp2(fixture);
    const stream = session.request({ ':method': 'POST', ':path': '/' });
    const body = 'x'.repeat(5_000_000);
    stream.end(body);
    expect((await responseOn(stream)).body.length).toBe(body.length);
  });

  it('with a path beyond ASCII is refused, and says what to do about it', async () => {
    const fixture = await openWithHttp2((stream) => stream.respond({ ':status': 200 }, { endStream: true }));
    const response = await responseOn((await dialHttp2(fixture)).request({ ':path': '/?q=caf\u00e9' }));
    expect(response.headers[':status']).toBe(400);
    expect(JSON.parse(response.body).detail).toContain('has to be percent-encoded');
  });

  it('passes trailers both ways, and interim responses', async () => {
    let received: IncomingHttpHeaders = {};
    const fixture = await openWithHttp2((stream) => {
      stream.on('trailers', (trailers: IncomingHttpHeaders) => {
        received = trailers;
      });
      stream.resume().on('end', () => {
        stream.additionalHeaders({ ':status': 100, 'x-a': 'b' });
        stream.additionalHeaders({ ':status': 103, link: '</a>' });
        stream.respond({ ':status': 200 }, { waitForTrailers: true });
        stream.on('wantTrailers', () => stream.sendTrailers({ 'x-sum': '2' }));
        stream.end('body');
      });
    });
    const session = await dialHttp2(fixture);
    const stream = session.request({ ':method': 'POST', ':path': '/' }, { waitForTrailers: true });
    const interim: unknown[] = [];
    stream.on('headers', (headers) => interim.push(Object.entries(headers)));
    stream.on('wantTrailers', () => stream.sendTrailers({ 'x-sum': '1' }));
    stream.end('request');
    const response = await responseOn(stream);
    expect(response).toMatchObject({ body: 'body', trailers: { 'x-sum': '2' } });
    expect(received).toMatchObject({ 'x-sum': '1' });
    expect(interim).toEqual([
      [
        [':status', 100],
        ['x-a', 'b'],
      ],
      [
        [':status', 103],
        ['link', '</a>'],
      ],
    ]);
  });

  it('has no secret in an interim response', async () => {
    const fixture = await openWithHttp2((stream) => {
      stream.additionalHeaders({ ':status': 103, link: `</a?key=${secret}>` });
      stream.respond({ ':status': 200 }, { endStream: true });
    });
    const stream = (await dialHttp2(fixture)).request({ ':path': '/' });
    const links: unknown[] = [];
    stream.on('headers', (headers) => links.push(headers.link));
    await responseOn(stream);
    expect(links).toEqual([expect.stringMatching(/^<\/a\?key=.+>$/)]);
    expect(String(links)).not.toContain(secret);
  });

  it('a reset is relayed in both directions', async () => {
    const codes: number[] = [];
    const fixture = await openWithHttp2((stream, headers) => {
      if (headers[':path'] === '/reset') {
        stream.respond({ ':status': 200 }, { waitForTrailers: true });
        stream.on('wantTrailers', () => {});
        stream.write('half');
        setImmediate(() => stream.close(constants.NGHTTP2_ENHANCE_YOUR_CALM));
      } else {
        stream.on('close', () => codes.push(stream.rstCode ?? -1));
        stream.respond({ ':status': 200 });
        stream.write('endless');
      }
    });
    const session = await dialHttp2(fixture);
    expect((await responseOn(session.request({ ':path': '/reset' }))).code).toBe(
      constants.NGHTTP2_ENHANCE_YOUR_CALM,
    );
    const cancelled = session.request({ ':path': '/endless' });
    await new Promise((resolve) => cancelled.once('data', resolve));
    cancelled.close(constants.NGHTTP2_CANCEL);
    while (codes.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(codes).toEqual([constants.NGHTTP2_CANCEL]);
  });

  it('is not complete when the upstream’s connection breaks halfway', async () => {
    const fixture = await openWithHttp2((stream) => {
      stream.respond({ ':status': 200 });
      stream.write('half');
    });
    const session = await dialHttp2(fixture);
    const stream = session.request({ ':path': '/' });
    stream.once('data', () => fixture.breakUpstreams());
    const response = await responseOn(stream);
    expect(response.body).toBe('half');
    expect(response.code).not.toBe(0);
  });

  it('server-sent events pass as they arrive', async () => {
    let send: ((text: string) => void) | undefined;
    const fixture = await openWithHttp2((stream) => {
      stream.respond({ ':status': 200, 'content-type': 'text/event-stream' });
      send = (text) => stream.write(text);
    });
    const stream = (await dialHttp2(fixture)).request({ ':path': '/' });
    await new Promise((resolve) => stream.once('response', resolve));
    for (const text of ['data: 1\n\n', 'data: 2\n\n']) {
      const chunk = new Promise((resolve) => stream.once('data', resolve));
      send?.(text);
      expect(String(await chunk)).toBe(text);
    }
  });

  it('a 403 gains the decision and a hint', async () => {
    const fixture = await openWithHttp2(
      (stream) => {
        stream.respond({ ':status': 403, 'www-authenticate': 'Bearer scope="a"', 'authsome-hint': 'mine' });
        stream.end('no');
      },
      {
        spec: { advise: ({ status, field }) => `${status} ${field('www-authenticate')} ${field('x-none')}` },
      },
    );
    const response = await responseOn((await dialHttp2(fixture)).request({ ':path': '/' }));
    expect(response).toMatchObject({
      body: 'no',
      headers: {
        'authsome-decision': fixture.decisions[0]?.id,
        'authsome-hint': '403 Bearer scope="a" undefined',
      },
    });
  });
});

describe('refusals', () => {
  const refusals: readonly (readonly [
    name: string,
    headers: Record<string, string>,
    status: number,
    code: string,
  ])[] = [
    ['another :authority', { ':path': '/', ':authority': otherHost }, 421, 'TargetMismatch'],
    [
      'another host beside :authority',
      { ':path': '/', ':authority': apiHost, host: otherHost },
      421,
      'TargetMismatch',
    ],
    ['another port', { ':path': '/', ':authority': `${apiHost}:8443` }, 421, 'TargetMismatch'],
    ['plain http', { ':path': '/', ':scheme': 'http' }, 403, 'PlainHttpRefused'],
    ['a fragment in the path', { ':path': '/a#b' }, 400, 'MalformedRequest'],
    ['a path that may lead elsewhere', { ':path': '/a/../b' }, 421, 'TargetMismatch'],
    ['TRACE', { ':path': '/', ':method': 'TRACE' }, 403, 'OperationNotAllowed'],
  ];
  for (const [name, headers, status, code] of refusals) {
    it(`${name}, and the upstream sees no stream`, async () => {
      let streams = 0;
      const fixture = await openWithHttp2((stream) => {
        streams += 1;
        stream.respond({ ':status': 200 }, { endStream: true });
      });
      const response = await responseOn((await dialHttp2(fixture)).request(headers));
      expect(response.headers[':status']).toBe(status);
      expect(JSON.parse(response.body)).toMatchObject({ code, decision: fixture.decisions[0]?.id });
      expect(streams).toBe(0);
      expect(fixture.decisions).toHaveLength(1);
    });
  }

  for (const [path, user = ''] of [['/a b'], ['x'], ['/\u00e4'], ['/', 'u@']]) {
    it(`nothing is sent for ${user}host and ${JSON.stringify(path)}, which nobody may send`, async () => {
      let streams = 0;
      const fixture = await openWithHttp2(() => {
        streams += 1;
      });
      const session = await dialHttp2(fixture);
      const response = await responseOn(
        session.request({ ':path': path, ':authority': `${user}${apiHost}` }),
      );
      expect(Number(response.headers[':status'] ?? 400)).toBe(400);
      expect(
        Number(response.headers[':status']) === 400 || response.code === constants.NGHTTP2_PROTOCOL_ERROR,
      ).toBe(true);
      expect(streams).toBe(0);
    });
  }

  it('another server name than the tunnel’s', async () => {
    const fixture = await openWithHttp2(echo, { routes: [routeTo(apiHost), routeTo(otherHost)] });
    const response = await responseOn((await dialHttp2(fixture, otherHost)).request({ ':path': '/' }));
    expect(JSON.parse(response.body)).toMatchObject({ code: 'TargetMismatch' });
  });

  it('a client that supports only HTTP/2, where the upstream does not, is on record', async () => {
    const server = await serveHttps((_request, response) => response.end());
    const fixture = await openFixture();
    cleanups.push(
      () => server.close(),
      () => server.closeAllConnections(),
      () => fixture.close(),
    );
    fixture.ports.set(`${apiHost}:443`, server.at);
    const session = await dialHttp2(fixture);
    await new Promise((resolve) => session.once('close', resolve));
    expect(fixture.decisions).toHaveLength(1);
    expect(fixture.decisions[0]?.reason).toContain('supports only HTTP/2');
  });

  it('each stream learns that an upstream cannot be reached', async () => {
    const fixture = await openFixture();
    cleanups.push(() => fixture.close());
    const response = await responseOn((await dialHttp2(fixture)).request({ ':path': '/' }));
    expect(response.headers[':status']).toBe(403);
    expect(JSON.parse(response.body)).toMatchObject({ code: 'AddressForbidden' });
  });
});

it('a client that opens streams only to reset them is cut off', async () => {
  const fixture = await openWithHttp2(() => {});
  const session = await dialHttp2(fixture);
  for (let round = 0; round < 20 && !session.destroyed; round += 1) {
    const streams = Array.from({ length: 50 }, () => session.request({ ':path': '/' }).on('error', () => {}));
    // So that they arrive before they are reset.
    await new Promise((resolve) => setTimeout(resolve, 5));
    for (const stream of streams) stream.close(constants.NGHTTP2_CANCEL);
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(fixture.decisions.length).toBeLessThan(400);
});

it('a secret that comes back is the phantom, or the response refused where it cannot be read', async () => {
  const fixture = await openWithHttp2(
    (stream, headers) => {
      const coding = headers[':path']?.slice(1) ?? '';
      stream.respond({
        ':status': 200,
        'content-type': 'text/plain',
        'x-echo': secret,
        'content-encoding': coding,
        'content-digest': 'sha-256=:AA==:',
        etag: '"strong"',
      });
      if (coding !== 'identity') {
        stream.end(coding === 'gzip' ? gzipSync(`it is ${secret}`) : secret);
        return;
      }
      stream.write(`it is ${secret.slice(0, 5)}`);
      setImmediate(() => stream.end(secret.slice(5)));
    },
    { spec: { phantoms: [phantomOf('sk-phantom')] } },
  );
  const session = await dialHttp2(fixture);
  for (const path of ['/identity', '/gzip']) {
    const response = await responseOn(session.request({ ':path': path, 'accept-encoding': 'gzip, made-up' }));
    expect(response).toMatchObject({
      body: 'it is sk-phantom',
      headers: { 'x-echo': 'sk-phantom', etag: '"strong"' },
      code: 0,
    });
    expect(response.headers).not.toHaveProperty('content-digest');
  }
  const refused = await responseOn(session.request({ ':path': '/made-up' }));
  expect(refused.headers[':status']).toBe(502);
  expect(refused.body).toContain('UpstreamMalformed');
  expect(refused.body).not.toContain(secret);
});

it('revocation cuts the streams that carry the credential', async () => {
  const fixture = await openWithHttp2((stream) => {
    stream.respond({ ':status': 200 });
    stream.write('endless');
  });
  const stream = (await dialHttp2(fixture)).request({ ':path': '/' });
  const response = responseOn(stream);
  await new Promise((resolve) => stream.once('response', resolve));
  fixture.run.dropConnection('example/default');
  expect((await response).code).not.toBe(0);
});

it('a client that announced its last request still gets all of its responses', async () => {
  const fixture = await openWithHttp2(
    (stream) => {
      stream.respond({ ':status': 200 });
      // For longer than an exchange may stand still, in steps that are shorter.
      let said = 0;
      const saying = setInterval(() => {
        said += 1;
        stream.write(`${said} `);
        if (said < 20) return;
        clearInterval(saying);
        stream.end('whole');
      }, 20);
    },
    { timeouts: { exchangeMs: 100 } },
  );
  const session = await dialHttp2(fixture);
  const stream = session.request({ ':path': '/' });
  stream.once('response', () => session.close());
  const { body } = await responseOn(stream);
  expect(body).toMatch(/^1 2 .* 19 20 whole$/);
});

it('WebSocket by extended CONNECT gets the credential in its handshake, then bytes pass', async () => {
  const seen: IncomingHttpHeaders[] = [];
  const fixture = await openWithHttp2((stream, headers) => {
    seen.push(headers);
    stream.respond({ ':status': 200 });
    stream.pipe(stream);
  });
  const session = await dialHttp2(fixture);
  await new Promise((resolve) => session.once('remoteSettings', resolve));
  expect(session.remoteSettings.enableConnectProtocol).toBe(true);
  const stream = session.request({
    ':method': 'CONNECT',
    ':protocol': 'websocket',
    ':path': '/socket',
    ':scheme': 'https',
    ':authority': apiHost,
  });
  await new Promise((resolve) => stream.once('response', resolve));
  stream.write('frame');
  expect(String(await new Promise((resolve) => stream.once('data', resolve)))).toBe('frame');
  expect(seen[0]).toMatchObject({
    ':method': 'CONNECT',
    ':protocol': 'websocket',
    ':path': '/socket',
    authorization: `Bearer ${secret}`,
  });
});

describe('gRPC', () => {
  const service: grpc.ServiceDefinition = Object.fromEntries(
    (
      [
        ['unary', false, false],
        ['clientStream', true, false],
        ['serverStream', false, true],
        ['both', true, true],
      ] as const
    ).map(([name, requestStream, responseStream]) => [
      name,
      {
        path: `/test.Echo/${name}`,
        requestStream,
        responseStream,
        requestSerialize: (value: string) => Buffer.from(value),
        requestDeserialize: (bytes: Buffer) => bytes.toString(),
        responseSerialize: (value: string) => Buffer.from(value),
        responseDeserialize: (bytes: Buffer) => bytes.toString(),
      },
    ]),
  );

  async function openGrpc(): Promise<{ fixture: Fixture; client: grpc.Client; seen: string[] }> {
    const seen: string[] = [];
    const note = (call: { metadata: grpc.Metadata }) =>
      seen.push(String(call.metadata.get('authorization')[0]));
    const server = new grpc.Server();
    server.addService(service, {
      unary: (call: grpc.ServerUnaryCall<string, string>, done: grpc.sendUnaryData<string>) => {
        note(call);
        if (call.request === 'fail') done({ code: grpc.status.NOT_FOUND, details: 'no such thing' });
        else done(null, `got ${call.request}`);
      },
      clientStream: (call: grpc.ServerReadableStream<string, string>, done: grpc.sendUnaryData<string>) => {
        note(call);
        const parts: string[] = [];
        call.on('data', (part: string) => parts.push(part)).on('end', () => done(null, parts.join('+')));
      },
      serverStream: (call: grpc.ServerWritableStream<string, string>) => {
        note(call);
        for (let index = 0; index < 5; index += 1) call.write(`${call.request} ${index}`);
        call.end();
      },
      both: (call: grpc.ServerDuplexStream<string, string>) => {
        note(call);
        call.on('data', (part: string) => call.write(`echo ${part}`)).on('end', () => call.end());
      },
    });
    const { key, cert } = upstreamKeyPair(apiHost);
    const credentials = grpc.ServerCredentials.createSsl(null, [
      { private_key: Buffer.from(key), cert_chain: Buffer.from(cert) },
    ]);
    const at = await new Promise<number>((resolve, reject) =>
      server.bindAsync('127.0.0.1:0', credentials, (error, port) =>
        error === null ? resolve(port) : reject(error),
      ),
    );
    const fixture = await openFixture();
    fixture.ports.set(`${apiHost}:443`, at);
    const { hostname, port } = new URL(fixture.run.proxyUrl);
    const before = process.env.grpc_proxy;
    process.env.grpc_proxy = fixture.run.proxyUrl;
    const client = new grpc.Client(
      `${apiHost}:443`,
      grpc.credentials.createSsl(Buffer.from(fixture.run.caPem)),
    );
    await new Promise((resolve, reject) =>
      client.waitForReady(Date.now() + 5_000, (error) =>
        error === undefined ? resolve(undefined) : reject(error),
      ),
    );
    if (before === undefined) delete process.env.grpc_proxy;
    else process.env.grpc_proxy = before;
    expect([hostname, port]).toEqual(['127.0.0.1', String(fixture.proxy.port)]);
    cleanups.push(
      () => server.forceShutdown(),
      () => client.close(),
      () => fixture.close(),
    );
    return { fixture, client, seen };
  }

  const text = { write: (value: string) => Buffer.from(value), read: (bytes: Buffer) => bytes.toString() };

  it('unary calls, a status with details, and all streaming kinds', async () => {
    const { client, seen, fixture } = await openGrpc();
    const unary = (request: string) =>
      new Promise<unknown>((resolve) => {
        client.makeUnaryRequest('/test.Echo/unary', text.write, text.read, request, (error, value) =>
          resolve(error ?? value),
        );
      });
    expect(await unary('hello')).toBe('got hello');
    expect(await unary('fail')).toMatchObject({ code: grpc.status.NOT_FOUND, details: 'no such thing' });
    const joined = await new Promise((resolve, reject) => {
      const call = client.makeClientStreamRequest(
        '/test.Echo/clientStream',
        text.write,
        text.read,
        (error, value) => (error === null ? resolve(value) : reject(error)),
      );
      for (const part of ['a', 'b', 'c']) call.write(part);
      call.end();
    });
    expect(joined).toBe('a+b+c');
    const streamed: string[] = [];
    const call = client.makeServerStreamRequest('/test.Echo/serverStream', text.write, text.read, 'n');
    for await (const part of call) streamed.push(String(part));
    expect(streamed).toEqual(['n 0', 'n 1', 'n 2', 'n 3', 'n 4']);
    const both = client.makeBidiStreamRequest('/test.Echo/both', text.write, text.read);
    const next = () => new Promise((resolve) => both.once('data', resolve));
    for (const part of ['x', 'y']) {
      const echoed = next();
      both.write(part);
      expect(await echoed).toBe(`echo ${part}`);
    }
    both.end();
    await new Promise((resolve) => both.once('status', resolve));
    expect(seen).toEqual(Array.from({ length: 5 }, () => `Bearer ${secret}`));
    expect(fixture.decisions.map(({ action }) => action)).toEqual(
      Array.from({ length: 5 }, () => 'injected'),
    );
    expect(proxyAuthorization(fixture.run)).not.toContain(secret);
  });
});
