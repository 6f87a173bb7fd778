import type { ClientHttp2Session, ServerHttp2Stream } from 'node:http2';
import { describe, expect, it } from 'vitest';
import { compileRoutes } from '../../providers/index.ts';
import type { Credential, Run, RunSpec } from '../contract.ts';
import { cleanupsAfterEach } from '../testing/test-cleanups.ts';
import {
  apiHost,
  type Client,
  clientOn,
  dialThrough,
  type Fixture,
  openFixture,
  openFixtureWithRaw,
  routeTo,
  secret,
  serveHttps,
} from '../testing/test-fixture.ts';
import { dialHttp2, openHttp2Fixture } from '../testing/test-http2-upstream.ts';

const cleanups = cleanupsAfterEach();

/** A policy that may change: everything under these paths is denied by the rule `no-streams`. */
function changingPolicy() {
  const denied: string[] = [];
  const decide: RunSpec['decide'] = ({ path }) =>
    denied.some((prefix) => path.startsWith(prefix))
      ? { allowed: false, rule: 'no-streams', reason: 'the rule no-streams denies it' }
      : { allowed: true, rule: undefined, reason: 'nothing forbids it' };
  return { denied, decide };
}

const routes = compileRoutes([
  routeTo(apiHost, { pathPrefix: '/unchanged' }),
  routeTo(apiHost, { pathPrefix: '/removed' }),
]);

type Change = (run: Run, denied: string[]) => void;

/** What may happen to `/removed` while requests are under way, and what the next one there meets. */
const changes: readonly (readonly [name: string, change: Change, next: string])[] = [
  [
    'a rule that now denies it',
    (run, denied) => {
      denied.push('/removed');
      run.reauthorize();
    },
    'PolicyDenied',
  ],
  [
    'a route that is no more',
    (run) => run.replaceRoutes(compileRoutes([routeTo(apiHost, { pathPrefix: '/unchanged' })]), []),
    'passed',
  ],
  [
    'another connection that takes the route over',
    (run) =>
      run.replaceRoutes(
        compileRoutes([
          routeTo(apiHost, { pathPrefix: '/unchanged' }),
          routeTo(apiHost, { pathPrefix: '/removed', provider: 'other' }),
        ]),
        [],
      ),
    'CredentialExpired',
  ],
];

/** Something under way: how to make the other side say more, and what became of it. */
interface UnderWay {
  say(text: string): void;
  readonly received: () => string;
  readonly finished: () => boolean;
}

type Begin = (path: '/unchanged/1' | '/removed/1') => Promise<UnderWay>;

/** What is cut ends on both sides; the rest continues unaffected. */
async function expectChange(
  fixture: Fixture,
  begin: Begin,
  change: (run: Run) => void,
  outcome: string,
): Promise<void> {
  const unchanged = await begin('/unchanged/1');
  const removed = await begin('/removed/1');
  for (const one of [unchanged, removed]) {
    one.say('before');
    await expect.poll(one.received).toContain('before');
  }
  change(fixture.run);
  await expect.poll(removed.finished).toBe(true);
  unchanged.say('after');
  await expect.poll(unchanged.received).toContain('after');
  expect(unchanged.finished()).toBe(false);
  expect(removed.received()).not.toContain('after');
  // What it was cut for is on record, once.
  const decision = fixture.decisions.find(({ request }) => request.path === '/removed/1');
  expect(fixture.failures).toEqual([
    expect.objectContaining({ event: 'answer.failed', decision: decision?.id, outcome }),
  ]);
}

async function openHttp1() {
  const { denied, decide } = changingPolicy();
  const upstreams = new Map<string, Client>();
  const fixture = await openFixtureWithRaw(
    cleanups,
    (socket) => {
      const upstream = clientOn(socket);
      void upstream
        .until((text) => text.includes('\r\n\r\n'))
        .then((request) => {
          upstreams.set(request.split(' ')[1] ?? '', upstream);
          upstream.send(
            /^upgrade:/im.test(request)
              ? 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'
              : 'HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: 1000000\r\n\r\n',
          );
        });
    },
    { spec: { routes, decide } },
  );
  const begin =
    (...fields: readonly string[]): Begin =>
    async (path) => {
      const client = await dialThrough(fixture);
      client.send([`GET ${path} HTTP/1.1`, `Host: ${apiHost}`, ...fields, '', ''].join('\r\n'));
      await expect.poll(() => client.received).toContain('\r\n\r\n');
      const upstream = upstreams.get(path) as Client;
      return {
        say: (text) => upstream.send(text),
        received: () => client.received,
        finished: () => client.ended && upstream.ended,
      };
    };
  return { fixture, denied, begin };
}

async function openHttp2() {
  const { denied, decide } = changingPolicy();
  const upstreams = new Map<string, ServerHttp2Stream>();
  const fixture = await openHttp2Fixture(
    cleanups,
    (stream, headers) => {
      upstreams.set(String(headers[':path']), stream);
      stream.respond({ ':status': 200, 'content-type': 'application/octet-stream' });
    },
    { spec: { routes, decide } },
  );
  const session = await dialHttp2(cleanups, fixture);
  await new Promise((resolve) => session.once('remoteSettings', resolve));
  const begin =
    (headers: Readonly<Record<string, string>>): Begin =>
    async (path) => {
      const stream = session.request({ ':path': path, ...headers });
      let received = '';
      stream.on('error', () => {});
      stream.on('data', (chunk: Buffer) => {
        received += chunk.toString();
      });
      await new Promise((resolve) => stream.once('response', resolve));
      const upstream = upstreams.get(path) as ServerHttp2Stream;
      return {
        say: (text) => upstream.write(text),
        received: () => received,
        finished: () => stream.destroyed && stream.rstCode !== 0 && upstream.destroyed,
      };
    };
  return { fixture, denied, session, begin };
}

/** What a further request there comes to. */
async function nextOn(session: ClientHttp2Session, fixture: Fixture): Promise<string | undefined> {
  const stream = session.request({ ':path': '/removed/2' });
  stream.on('error', () => {});
  await new Promise((resolve) => stream.once('response', resolve));
  stream.close();
  return fixture.decisions.find(({ request }) => request.path === '/removed/2')?.outcome;
}

describe.each(changes)('%s', (_name, change, next) => {
  const outcome = next === 'PolicyDenied' ? next : 'OperationNotAllowed';

  it('cuts a response over HTTP/1.1 in progress there, and no other', async () => {
    const { fixture, denied, begin } = await openHttp1();
    await expectChange(fixture, begin(), (run) => change(run, denied), outcome);
  });

  it('cuts a WebSocket over HTTP/1.1 that is open there, and no other', async () => {
    const { fixture, denied, begin } = await openHttp1();
    const handshake = begin('Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13');
    await expectChange(fixture, handshake, (run) => change(run, denied), outcome);
  });

  it('cuts a stream over HTTP/2 in progress there, and no other of its session', async () => {
    const { fixture, denied, session, begin } = await openHttp2();
    await expectChange(fixture, begin({}), (run) => change(run, denied), outcome);
    expect(await nextOn(session, fixture)).toBe(next);
  });

  it('cuts a WebSocket over HTTP/2 that is open there, and no other of its session', async () => {
    const { fixture, denied, session, begin } = await openHttp2();
    const handshake = begin({ ':method': 'CONNECT', ':protocol': 'websocket', ':scheme': 'https' });
    await expectChange(fixture, handshake, (run) => change(run, denied), outcome);
    expect(await nextOn(session, fixture)).toBe(next);
  });
});

it('a response that ends with its connection does not look complete when it is cut', async () => {
  const fixture = await openFixtureWithRaw(cleanups, (socket) => {
    socket.once('data', () => socket.write('HTTP/1.1 200 OK\r\nContent-Type: image/png\r\n\r\nbegun'));
  });
  const client = await dialThrough(fixture);
  const events: string[] = [];
  client.socket.on('end', () => events.push('end'));
  client.socket.on('error', (error: NodeJS.ErrnoException) => events.push(error.code ?? ''));
  client.send(`GET / HTTP/1.1\r\nHost: ${apiHost}\r\n\r\n`);
  await client.until((received) => received.endsWith('begun'));
  fixture.run.dropConnection('example/default');
  await expect.poll(() => client.socket.closed).toBe(true);
  expect(events).toEqual(['ECONNRESET']);
  expect(fixture.failures).toMatchObject([{ outcome: 'CredentialMissing' }]);
});

it('a response that was complete before the change is no failure, though its client has not left yet', async () => {
  const fixture = await openFixtureWithRaw(cleanups, (socket) => {
    socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\nContent-Type: image/png\r\n\r\nall'));
  });
  const client = await dialThrough(fixture);
  client.send(`GET / HTTP/1.1\r\nHost: ${apiHost}\r\n\r\n`);
  expect(await client.until(() => client.ended)).toContain('all');
  fixture.run.dropConnection('example/default');
  expect(fixture.failures).toEqual([]);
  expect(fixture.decisions.map(({ outcome }) => outcome)).toEqual(['injected']);
});

it('a change without effect cuts nothing', async () => {
  const { fixture, begin } = await openHttp2();
  const one = await begin({})('/removed/1');
  fixture.run.replaceRoutes(compileRoutes([...routes.routes]), []);
  one.say('after');
  await expect.poll(one.received).toContain('after');
  expect(one.finished()).toBe(false);
});

it.each([
  ['something else changes', (run: Run) => run.reauthorize()],
  ['the connection that was used before is revoked', (run: Run) => run.dropConnection('example/default')],
])('a request that waits for its credential on a used connection continues when %s', async (_, change) => {
  const waiting: ((credential: Credential) => void)[] = [];
  const fields: (string | undefined)[] = [];
  const server = await serveHttps((request, response) => {
    fields.push(request.headers.authorization);
    response.end('answered');
  });
  const fixture = await openFixture({
    routes: [
      routeTo(apiHost, { pathPrefix: '/mail' }),
      routeTo(apiHost, { pathPrefix: '/files', provider: 'other' }),
    ],
    spec: {
      credentials: {
        peek: (connection) => (connection === 'example/default' ? { version: 1, secret } : undefined),
        acquire: () => new Promise((resolve) => waiting.push(resolve)),
        renew: async () => undefined,
      },
    },
  });
  fixture.ports.set(`${apiHost}:443`, server.at);
  cleanups.push(
    () => server.close(),
    () => fixture.close(),
  );
  const client = await dialThrough(fixture);
  client.send(`GET /mail HTTP/1.1\r\nHost: ${apiHost}\r\n\r\n`);
  await expect.poll(() => client.received).toContain('answered');
  client.send(`GET /files HTTP/1.1\r\nHost: ${apiHost}\r\n\r\n`);
  await expect.poll(() => waiting.length).toBe(1);
  change(fixture.run);
  waiting[0]?.({ version: 1, secret: 'the-other-secret' });
  await expect.poll(() => client.received.split('answered').length).toBe(3);
  expect(fields).toEqual([`Bearer ${secret}`, 'Bearer the-other-secret']);
});
