import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as grpc from '@grpc/grpc-js';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { root } from '../../support/fixture.ts';
import { apiKey, grpcHost, type Http2Fixture, newerHost, olderHost, openHttp2Fixture } from './service.ts';

let fixture: Http2Fixture;
let grpcServer: grpc.Server;
const grpcCalls: { readonly method: string; readonly authorization: string }[] = [];

beforeAll(async () => {
  fixture = await openHttp2Fixture(
    (stream, { headers, body }) => {
      stream.respond({ ':status': 200, 'content-type': 'text/plain' }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'x-bytes': String(body.length) }));
      stream.end(`${headers[':method']} ${headers[':path']} ${body.length}\n`);
    },
    async (pair) => {
      grpcServer = createGrpcServer();
      const credentials = grpc.ServerCredentials.createSsl(null, [
        { private_key: Buffer.from(pair.keyPem), cert_chain: Buffer.from(pair.certPem) },
      ]);
      return new Promise((resolve, reject) =>
        grpcServer.bindAsync('127.0.0.1:0', credentials, (error, port) =>
          error === null ? resolve(port) : reject(error),
        ),
      );
    },
  );
});
afterAll(async () => {
  await fixture.close();
  grpcServer.forceShutdown();
});

const earlierRuns = new Set<string>();
beforeEach(async () => {
  fixture.arrived.length = 0;
  grpcCalls.length = 0;
  for (const { run } of await decisions()) earlierRuns.add(run);
});

interface Decision {
  readonly event: string;
  readonly outcome: string;
  readonly run: string;
}

/** Those of the test's own run. */
async function decisions(): Promise<readonly Decision[]> {
  const { events } = await fixture.json(['log', '-n', '1000']);
  return events.filter(({ event, run }: Decision) => event === 'decision' && !earlierRuns.has(run));
}

/** Each request arrived once, with our credential and nobody else's, and each is once on record. */
async function expectInjected(count: number): Promise<void> {
  expect(fixture.arrived).toHaveLength(count);
  const credentials = new Set(fixture.arrived.map(({ headers }) => headers.authorization));
  expect([...credentials]).toEqual([`Bearer ${apiKey}`]);
  expect((await decisions()).map(({ outcome }) => outcome)).toEqual(
    Array.from({ length: count }, () => 'injected'),
  );
}

describe('nghttp, through a tunnel of the run', () => {
  it('gets its responses on one connection, with the credential in each request', async () => {
    const urls = Array.from({ length: 10 }, (_, index) => `https://localhost:${fixture.at}/n/${index}`);
    const outcome = await fixture.runThroughTunnel(
      'nghttp',
      '--no-dep',
      '-H',
      'authorization: Bearer phantom',
      ...urls,
    );
    expect(outcome.code, outcome.stderr).toBe(0);
    expect(outcome.stdout.split('\n').filter(Boolean).toSorted()).toEqual(
      urls.map((_, index) => `GET /n/${index} 0`),
    );
    await expectInjected(10);
    expect(outcome.stdout + outcome.stderr).not.toContain(apiKey);
  });

  it('sends a body with trailers, and gets trailers', async () => {
    const file = join(fixture.directory, 'body');
    writeFileSync(file, Buffer.alloc(300_000, 'b'));
    const args = [
      '--no-dep',
      '-v',
      '-d',
      file,
      '--trailer',
      'x-sum: 7',
      `https://localhost:${fixture.at}/upload`,
    ];
    const outcome = await fixture.runThroughTunnel('nghttp', ...args);
    expect(outcome.stdout).toContain('x-bytes: 300000');
    await expectInjected(1);
    expect(fixture.arrived[0]?.body.equals(Buffer.alloc(300_000, 'b'))).toBe(true);
  });
});

describe('h2load, through a tunnel of the run', () => {
  it.each([
    ['900 requests, 4 connections of 50 streams', 900, ['-c', '4', '-m', '50']],
    ['500 requests on one connection of 250 streams', 500, ['-c', '1', '-m', '250']],
    ['300 requests, one after another', 300, ['-c', '3', '-m', '1']],
  ] as const)('%s: all succeed, none is lost or doubled', async (_what, count, shape) => {
    const outcome = await fixture.runThroughTunnel(
      'h2load',
      '--npn-list=h2',
      '-n',
      String(count),
      ...shape,
      `https://localhost:${fixture.at}/load`,
    );
    expect(outcome.stdout).toContain(
      `${count} total, ${count} started, ${count} done, ${count} succeeded, 0 failed`,
    );
    expect(outcome.stdout).toContain(`status codes: ${count} 2xx`);
    await expectInjected(count);
  });

  it('with a body in each request', async () => {
    const file = join(fixture.directory, 'load-body');
    writeFileSync(file, Buffer.alloc(20_000, 'q'));
    const args = ['--npn-list=h2', '-n', '200', '-c', '2', '-m', '20', '-d', file];
    const outcome = await fixture.runThroughTunnel('h2load', ...args, `https://localhost:${fixture.at}/load`);
    expect(outcome.stdout).toContain('200 succeeded, 0 failed');
    await expectInjected(200);
    expect(new Set(fixture.arrived.map(({ body }) => body.length))).toEqual(new Set([20_000]));
  });
});

describe('curl', () => {
  it.each([
    ['HTTP/1.1', olderHost, '1.1'],
    ['HTTP/2', newerHost, '2'],
  ])(
    'that offers both protocols gets its response from an upstream that speaks %s only',
    async (_name, host, version) => {
      const answer = await fixture.authsome([
        'run',
        '--',
        'curl',
        '-sS',
        '--http2',
        '-w',
        '%{http_code} %{http_version}',
        '-H',
        'authorization: Bearer phantom',
        `https://${host}/curl`,
      ]);
      expect(answer).toMatchObject({ code: 0, stdout: `GET /curl 0\n200 ${version}` });
      await expectInjected(1);
    },
  );
});

describe('gRPC', () => {
  it('has unary calls and all kinds of streams, from a client that knows its environment only', async () => {
    const script = join(root, 'test/conformance/grpc-client.mjs');
    const command = `exec ${process.execPath} ${script} ${grpcHost}:443 "$SSL_CERT_FILE"`;
    const outcome = await fixture.authsome(['run', '--', 'sh', '-c', command]);
    expect(outcome.code, outcome.stderr).toBe(0);
    expect(JSON.parse(outcome.stdout)).toEqual({
      unary: Array.from({ length: 20 }, (_, index) => `got call ${index}`),
      failure: [grpc.status.NOT_FOUND, 'no such thing'],
      clientStream: Array.from({ length: 100 }, (_, index) => index).join('+'),
      serverStream: Array.from({ length: 50 }, (_, index) => `part ${index}`),
      both: [10, 'echo turn 9', grpc.status.OK],
    });
    expect(grpcCalls.map(({ method }) => method).toSorted()).toEqual([
      'both',
      'clientStream',
      'serverStream',
      ...Array.from({ length: 21 }, () => 'unary'),
    ]);
    expect(new Set(grpcCalls.map(({ authorization }) => authorization))).toEqual(
      new Set([`Bearer ${apiKey}`]),
    );
    expect(await decisions()).toHaveLength(grpcCalls.length);
  });
});

function createGrpcServer(): grpc.Server {
  const toText = (bytes: Buffer) => bytes.toString();
  const toBytes = (value: string) => Buffer.from(value);
  const method = (name: string, requestStream: boolean, responseStream: boolean) => ({
    path: `/test.Echo/${name}`,
    requestStream,
    responseStream,
    requestSerialize: toBytes,
    requestDeserialize: toText,
    responseSerialize: toBytes,
    responseDeserialize: toText,
  });
  const note = (name: string, { metadata }: { metadata: grpc.Metadata }) =>
    grpcCalls.push({ method: name, authorization: String(metadata.get('authorization')[0]) });
  const server = new grpc.Server();
  server.addService(
    {
      unary: method('unary', false, false),
      clientStream: method('clientStream', true, false),
      serverStream: method('serverStream', false, true),
      both: method('both', true, true),
    },
    {
      unary: (call: grpc.ServerUnaryCall<string, string>, done: grpc.sendUnaryData<string>) => {
        note('unary', call);
        if (call.request === 'fail') done({ code: grpc.status.NOT_FOUND, details: 'no such thing' });
        else done(null, `got ${call.request}`);
      },
      clientStream: (call: grpc.ServerReadableStream<string, string>, done: grpc.sendUnaryData<string>) => {
        note('clientStream', call);
        const parts: string[] = [];
        call.on('data', (part: string) => parts.push(part)).on('end', () => done(null, parts.join('+')));
      },
      serverStream: (call: grpc.ServerWritableStream<string, string>) => {
        note('serverStream', call);
        for (let index = 0; index < 50; index += 1) call.write(`${call.request} ${index}`);
        call.end();
      },
      both: (call: grpc.ServerDuplexStream<string, string>) => {
        note('both', call);
        call.on('data', (part: string) => call.write(`echo ${part}`)).on('end', () => call.end());
      },
    },
  );
  return server;
}
