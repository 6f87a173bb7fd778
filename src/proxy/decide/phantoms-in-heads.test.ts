import type { IncomingHttpHeaders } from 'node:http2';
import { describe, expect, it } from 'vitest';
import type { DecisionEvent } from '../../audit/index.ts';
import { compileRoutes, type Route } from '../../providers/index.ts';
import type { Credential, RunPhantom } from '../contract.ts';
import { cleanupsAfterEach } from '../testing/test-cleanups.ts';
import {
  apiHost,
  ask,
  dialProxy,
  dialThrough,
  type Fixture,
  openFixtureWithApi,
  otherHost,
  phantomOf,
  problemOf,
  proxyAuthorization,
  routeTo,
  secret,
} from '../testing/test-fixture.ts';
import { responseOn } from '../testing/test-http2-response.ts';
import { dialHttp2, openHttp2Fixture } from '../testing/test-http2-upstream.ts';

const cleanups = cleanupsAfterEach();

const own = phantomOf('sk-own-Phantom0123456789ab');
const bot = phantomOf('sk-bot-Phantom9876543210zy', 'example/bot');
const other = phantomOf('tok_other_Phantom55555555', 'other/default');
const absent = { ...phantomOf('sk-absent-Phantom77777777', 'example/absent'), isInRun: false };
const retired = { ...phantomOf('sk-retired-Phantom8888888', 'example/default'), isInRun: false };
const phantoms = [own, bot, other, absent, retired];
const botSecret = 'sk-live-of-the-bot-21';
const otherSecret = 'sk-live-of-the-other-22';

const header = (name: string) => ({ kind: 'header', name, prefix: 'Bearer ' }) as const;
const placements: Route['placements'] = [header('Authorization'), { kind: 'query', name: 'key' }];
const routes = [
  routeTo(apiHost, { pathPrefix: '/v1', placements }),
  routeTo(apiHost, { pathPrefix: '/v1', placements, connection: 'bot', id: 'example/bot:v1' }),
  routeTo(otherHost, { provider: 'other', id: 'other' }),
];
const secrets = new Map([
  ['example/default', secret],
  ['example/bot', botSecret],
  ['other/default', otherSecret],
]);
const credentialOf = (connection: string): Credential => ({
  version: 1,
  secret: secrets.get(connection) as string,
});
const spec = {
  phantoms,
  credentials: {
    peek: credentialOf,
    acquire: async (connection: string) => credentialOf(connection),
    renew: async () => undefined,
  },
};

interface Sent {
  readonly path: string;
  readonly fields?: Readonly<Record<string, string>>;
}

/** An API behind the proxy, and how to ask it. */
interface Opened {
  readonly fixture: Fixture;
  /** The target and the fields that arrived, of each request. */
  seen(): readonly { readonly path: string; readonly headers: IncomingHttpHeaders }[];
  /** The refusal; `undefined` where it passed. */
  ask(request: Sent): Promise<Record<string, unknown> | undefined>;
}

async function openHttp1(): Promise<Opened> {
  const { fixture, seen } = await openFixtureWithApi(cleanups, { routes, spec });
  const client = await dialThrough(fixture);
  return {
    fixture,
    seen: () =>
      seen.map(({ line, headers }) => ({
        path: line.slice(4),
        headers: headers as IncomingHttpHeaders,
      })),
    async ask({ path, fields = {} }) {
      const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}`);
      const response = await ask(client, `GET ${path} HTTP/1.1`, `Host: ${apiHost}`, ...lines);
      if (response.startsWith('HTTP/1.1 200')) return undefined;
      const problem = problemOf(response);
      expect(response).toContain(`\r\nAuthsome-Decision: ${problem.decision}\r\n`);
      return problem;
    },
  };
}

async function openHttp2(): Promise<Opened> {
  const seen: { path: string; headers: IncomingHttpHeaders }[] = [];
  const fixture = await openHttp2Fixture(
    cleanups,
    (stream, headers) => {
      seen.push({ path: String(headers[':path']), headers });
      stream.respond({ ':status': 200 }, { endStream: true });
    },
    { routes, spec },
  );
  const session = await dialHttp2(cleanups, fixture);
  return {
    fixture,
    seen: () => seen,
    async ask({ path, fields = {} }) {
      const lower = Object.fromEntries(
        Object.entries(fields).map(([name, value]) => [name.toLowerCase(), value]),
      );
      const { headers, body } = await responseOn(session.request({ ':path': path, ...lower }));
      if (Number(headers[':status']) === 200) return undefined;
      const problem = JSON.parse(body) as Record<string, unknown>;
      expect(headers['authsome-decision']).toBe(problem.decision);
      return problem;
    },
  };
}

const bearer = ({ value }: RunPhantom) => ({ authorization: `Bearer ${value}` });
const percent = (text: string): string =>
  [...text].map((char) => `%${char.charCodeAt(0).toString(16)}`).join('');
const base64 = (text: string): string => Buffer.from(text).toString('base64');

describe.each([
  ['HTTP/1.1', openHttp1],
  ['HTTP/2', openHttp2],
])('over %s, a phantom', (_, open) => {
  describe('in its place', () => {
    it.each<[string, Sent, string]>([
      ['as it is', { path: '/v1/user', fields: bearer(own) }, secret],
      [
        'with the scheme of older clients',
        { path: '/v1', fields: { authorization: `token ${own.value}` } },
        secret,
      ],
      [
        'as a user name',
        { path: '/v1', fields: { authorization: `Basic ${base64(`${own.value}:`)}` } },
        secret,
      ],
      [
        'as a password',
        { path: '/v1', fields: { authorization: `Basic ${base64(`x:${own.value}`)}` } },
        secret,
      ],
      ['in the query', { path: `/v1?a=1&key=${own.value}` }, secret],
      ['in the query, percent-encoded', { path: `/v1?k%65y=${percent(own.value)}&a=1` }, secret],
      ['in both', { path: `/v1?key=${own.value}`, fields: bearer(own) }, secret],
      ['of another account', { path: '/v1/user', fields: bearer(bot) }, botSecret],
      ['of another account, in the query', { path: `/v1?key=${bot.value}` }, botSecret],
      [
        'that is none at all',
        { path: '/v1/user', fields: { authorization: 'Bearer sk-of-their-own' } },
        secret,
      ],
      ['that is not there', { path: '/v1/user' }, secret],
    ])('%s, is replaced by the secret of its connection', async (_, sent, expected) => {
      const { fixture, seen, ask } = await open();
      expect(await ask(sent)).toBeUndefined();
      const [arrived] = seen();
      expect(seen()).toHaveLength(1);
      expect(arrived?.headers.authorization).toBe(`Bearer ${expected}`);
      expect(new URLSearchParams(arrived?.path.split('?')[1]).getAll('key')).toEqual([expected]);
      const out = JSON.stringify(seen());
      for (const { value } of phantoms) expect(out).not.toContain(value);
      for (const each of secrets.values()) if (each !== expected) expect(out).not.toContain(each);
      expect(fixture.decisions.map(({ outcome }) => outcome)).toEqual(['injected']);
    });

    it('chooses the account of each request on one connection, which `explain` can tell', async () => {
      const { fixture, seen, ask } = await open();
      for (const fields of [bearer(bot), {}, bearer(own)]) await ask({ path: '/v1/user', fields });
      expect(seen().map(({ headers }) => headers.authorization)).toEqual([
        `Bearer ${botSecret}`,
        `Bearer ${secret}`,
        `Bearer ${secret}`,
      ]);
      expect(fixture.decisions.map(({ connection }) => connection)).toEqual(['bot', 'default', 'default']);
      const reasons = fixture.decisions.map(
        ({ candidates }) => candidates.find(({ matched }) => matched)?.reason,
      );
      expect(reasons).toEqual([
        'the request has the phantom of example/bot',
        'the most specific route for this host and path',
        'the request has the phantom of example/default',
      ]);
    });
  });

  const misplaced: [string, Sent, RunPhantom, string][] = [
    ['in another header', { path: '/v1', fields: { 'X-Foo': own.value } }, own, 'the header x-foo'],
    ['in a cookie', { path: '/v1', fields: { Cookie: `a=b; c=${own.value}` } }, own, 'the header cookie'],
    [
      'in another header, in base64',
      { path: '/v1', fields: { 'X-Foo': base64(`a:${own.value}`) } },
      own,
      'x-foo',
    ],
    [
      'in another header, as in JSON',
      { path: '/v1', fields: { 'X-Foo': own.value.replace('-', '\\u002d') } },
      own,
      'x-foo',
    ],
    ['in the path', { path: `/v1/bot${own.value}/send` }, own, 'the path'],
    ['in the path, percent-encoded', { path: `/v1/bot${percent(own.value)}/send` }, own, 'the path'],
    ['in another query parameter', { path: `/v1?q=1&token=${own.value}` }, own, 'the query parameter token'],
    [
      'in another query parameter, partly encoded',
      { path: `/v1?q=${own.value.replace('k', '%6b')}` },
      own,
      'the query parameter q',
    ],
    ['as the name of a query parameter', { path: `/v1?${own.value}=1` }, own, 'the query'],
    [
      'in its place and in another',
      { path: '/v1', fields: { ...bearer(own), 'X-Foo': own.value } },
      own,
      'x-foo',
    ],
    [
      'on a path without a route',
      { path: '/v2/user', fields: bearer(own) },
      own,
      'no route of example/default',
    ],
    [
      'of another provider',
      { path: '/v1', fields: bearer(other) },
      other,
      `${apiHost} is not a host of other`,
    ],
    [
      'of another provider on a path without a route',
      { path: '/v2', fields: bearer(other) },
      other,
      'not a host of other',
    ],
    [
      'of a connection that the run does not have',
      { path: '/v1', fields: bearer(absent) },
      absent,
      'does not have that connection',
    ],
    [
      'from before its connection was revoked',
      { path: '/v1', fields: bearer(retired) },
      retired,
      'signed in again since',
    ],
    [
      'of a second connection',
      { path: `/v1?key=${bot.value}`, fields: bearer(own) },
      own,
      'also has the phantom of example/bot',
    ],
  ];

  it.each(misplaced)('%s is refused, and nothing goes out', async (_, sent, phantom, part) => {
    const { fixture, seen, ask } = await open();
    const problem = await ask(sent);
    expect(problem).toMatchObject({
      code: 'PhantomMisplaced',
      status: 403,
      hint: expect.stringMatching(/\w/),
    });
    expect(problem?.detail).toContain(`the phantom of ${phantom.connection} is in the`);
    expect(problem?.detail).toContain(part);
    expect(seen()).toEqual([]);
    const [provider, connection] = phantom.connection.split('/');
    expect(fixture.decisions).toMatchObject([
      { action: 'refused', outcome: 'PhantomMisplaced', provider, connection, reason: problem?.detail },
    ]);
    const told = JSON.stringify([problem, fixture.decisions]);
    for (const { value } of phantoms) expect(told).not.toContain(value);
    for (const each of secrets.values()) expect(told).not.toContain(each);
    expect(told).not.toContain(percent(phantom.value));
    expect(await ask({ path: '/v1/user', fields: bearer(own) })).toBeUndefined();
  });

  it('names no header and no parameter that could hold anything', async () => {
    const { fixture, ask } = await open();
    const long = 'x'.repeat(80);
    await ask({ path: '/v1', fields: { [`x-${long}`]: own.value } });
    await ask({ path: `/v1?a%20${long}=${own.value}` });
    expect(fixture.decisions.map(({ reason }) => reason)).toEqual([
      expect.stringContaining('is in a header,'),
      expect.stringContaining('is in the query,'),
    ]);
  });

  it('of a route that is ambiguous otherwise chooses one', async () => {
    const { fixture, seen, ask } = await open();
    const both = [
      routeTo(apiHost, { provider: 'one', id: 'one' }),
      routeTo(apiHost, { provider: 'two', id: 'two' }),
    ];
    const two = phantomOf('sk-two-Phantom0123456789ab', 'two/default');
    secrets.set('two/default', 'sk-live-of-two');
    fixture.run.replaceRoutes(compileRoutes(both), [two]);
    expect(await ask({ path: '/' })).toMatchObject({ code: 'RouteAmbiguous' });
    expect(await ask({ path: '/', fields: bearer(two) })).toBeUndefined();
    secrets.delete('two/default');
    expect(seen().map(({ headers }) => headers.authorization)).toEqual(['Bearer sk-live-of-two']);
  });
});

it('a renewed credential goes out on the connection that the phantom chose', async () => {
  const asked: string[] = [];
  const statuses = ['401', '200'];
  const { fixture, seen } = await openFixtureWithApi(cleanups, {
    routes,
    spec: {
      ...spec,
      credentials: {
        ...spec.credentials,
        renew: async (connection) => {
          asked.push(connection);
          return { version: 2, secret: 'sk-live-renewed-bot' };
        },
      },
    },
  });
  const client = await dialThrough(fixture);
  await ask(
    client,
    'GET /v1 HTTP/1.1',
    `Host: ${apiHost}`,
    `Authorization: Bearer ${bot.value}`,
    `X-Status: ${statuses[0]}`,
  );
  expect(asked).toEqual(['example/bot']);
  expect(seen.map(({ headers }) => headers.authorization)).toEqual([
    `Bearer ${botSecret}`,
    'Bearer sk-live-renewed-bot',
  ]);
});

describe('in absolute form', () => {
  const askProxy = async (fixture: Fixture, target: string, ...fields: readonly string[]) => {
    const client = await dialProxy(fixture);
    const { host } = new URL(target);
    return await ask(
      client,
      `GET ${target} HTTP/1.1`,
      `Host: ${host}`,
      `Proxy-Authorization: ${proxyAuthorization(fixture.run)}`,
      ...fields,
    );
  };
  const outcomes = (decisions: readonly DecisionEvent[]) => decisions.map(({ outcome }) => outcome);

  it('over https, a phantom is chosen and refused alike', async () => {
    const { fixture, seen } = await openFixtureWithApi(cleanups, { routes, spec });
    await askProxy(fixture, `https://${apiHost}/v1`, `Authorization: Bearer ${bot.value}`);
    expect(seen.map(({ headers }) => headers.authorization)).toEqual([`Bearer ${botSecret}`]);
    const refused = await askProxy(fixture, `https://${apiHost}/v1?q=${bot.value}`);
    expect(problemOf(refused)).toMatchObject({ code: 'PhantomMisplaced' });
    expect(seen).toHaveLength(1);
    expect(outcomes(fixture.decisions)).toEqual(['injected', 'PhantomMisplaced']);
  });

  it.each([
    ['to a host that is not the proxy’s business', `http://elsewhere.test/`, own],
    ['to the host of another provider', `http://${apiHost}/v1`, other],
    ['of a connection that the run does not have', `http://${apiHost}/v1`, absent],
  ])('over plain http, a phantom %s is refused', async (_, target, { value, connection }) => {
    const { fixture, seen } = await openFixtureWithApi(cleanups, { routes, spec });
    const problem = problemOf(await askProxy(fixture, target, `Authorization: Bearer ${value}`));
    expect(problem).toMatchObject({
      code: 'PhantomMisplaced',
      detail: `the phantom of ${connection} is in the header authorization of a request over plain HTTP`,
    });
    expect(JSON.stringify([problem, fixture.decisions])).not.toContain(value);
    expect([seen, fixture.dials]).toEqual([[], []]);
  });

  it('over plain http to its own host, the answer is to use https', async () => {
    const { fixture } = await openFixtureWithApi(cleanups, { routes, spec });
    const response = await askProxy(fixture, `http://${apiHost}/v1`, `Authorization: Bearer ${own.value}`);
    expect(problemOf(response)).toMatchObject({ code: 'PlainHttpRefused' });
    expect(fixture.dials).toEqual([]);
  });
});

describe('a request in progress that a phantom had routed', () => {
  const begin = async (phantom: RunPhantom) => {
    const waiting: (() => void)[] = [];
    const acquire = (connection: string): Promise<Credential> =>
      new Promise((resolve) => waiting.push(() => resolve(credentialOf(connection))));
    const credentials = { ...spec.credentials, peek: () => undefined, acquire };
    const opened = await openFixtureWithApi(cleanups, { routes, spec: { ...spec, credentials } });
    const client = await dialThrough(opened.fixture);
    client.send(`GET /v1 HTTP/1.1\r\nHost: ${apiHost}\r\nAuthorization: Bearer ${phantom.value}\r\n\r\n`);
    await expect.poll(() => waiting.length).toBe(1);
    return { ...opened, client, finish: () => waiting[0]?.() };
  };

  it('goes on when something else changes', async () => {
    const { fixture, seen, client, finish } = await begin(bot);
    fixture.run.replaceRoutes(
      compileRoutes(routes.filter(({ provider }) => provider === 'example')),
      phantoms,
    );
    finish();
    await client.until((text) => text.includes('response'));
    expect(seen.map(({ headers }) => headers.authorization)).toEqual([`Bearer ${botSecret}`]);
  });

  it('goes out with no other account once its own has left the run', async () => {
    const { fixture, seen, client, finish } = await begin(bot);
    fixture.run.replaceRoutes(
      compileRoutes(routes.filter(({ connection }) => connection !== 'bot')),
      phantoms,
    );
    finish();
    expect(await client.until((text) => text.includes('PhantomMisplaced'))).toContain('403');
    expect(seen).toEqual([]);
  });
});
