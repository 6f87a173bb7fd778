import type { ClientHttp2Session, IncomingHttpHeaders } from 'node:http2';
import { describe, expect, it } from 'vitest';
import { AuthsomeError } from '../../errors.ts';
import { compileCaptures, compileRoutes, parseProvider, withCaptures } from '../../providers/index.ts';
import type { CapturedAnswer, CapturedRequest, RunSpec } from '../contract.ts';
import { cleanupsAfterEach } from '../testing/test-cleanups.ts';
import {
  apiHost,
  dialThrough,
  isComplete,
  openFixtureWithApi,
  problemOf,
  routeTo,
} from '../testing/test-fixture.ts';
import { dialHttp2, openHttp2Fixture } from '../testing/test-http2-upstream.ts';

const cleanups = cleanupsAfterEach();

const agent = parseProvider(
  {
    name: 'agent',
    auth_type: 'oauth2',
    api_url: 'api.agent.test',
    oauth: { authorization_url: 'https://login.agent.test/a', token_url: `https://${apiHost}/oauth/token` },
    capture: {
      token_endpoints: [{ url: `https://${apiHost}/oauth/token`, request: 'json' }],
      refused_endpoints: [{ url: `https://${apiHost}/keys` }],
      secrets: { access_token: {} },
    },
  },
  'bundled',
);
const captures = compileCaptures([agent]);
const routes = withCaptures(compileRoutes([routeTo('other.example.test')]), captures);

const body = '{"grant_type":"refresh_token"}';
const granted: CapturedAnswer = {
  status: 201,
  headers: [
    ['content-type', 'application/json'],
    ['set-cookie', 'a=1'],
    ['set-cookie', 'b=2'],
  ],
  body: Buffer.from('{"access_token":"phantom-é"}'),
};

/** A run whose captured requests get this answer. */
function capturing(answer: CapturedAnswer | AuthsomeError = granted, more: Partial<RunSpec> = {}) {
  const captured: CapturedRequest[] = [];
  const spec: Partial<RunSpec> = {
    routes,
    async capture(request) {
      captured.push(request);
      if (answer instanceof AuthsomeError) throw answer;
      return answer;
    },
    ...more,
  };
  return { captured, spec };
}

const post = (path: string, content = body, ...lines: readonly string[]) =>
  [`POST ${path} HTTP/1.1`, `Host: ${apiHost}`, 'Content-Type: application/json', ...lines]
    .concat(`Content-Length: ${content.length}`, '', content)
    .join('\r\n');

async function openHttp1(...given: Parameters<typeof capturing>) {
  const { captured, spec } = capturing(...given);
  const { fixture, seen } = await openFixtureWithApi(cleanups, { spec });
  const client = await dialThrough(fixture);
  const send = async (text: string) => {
    client.send(text);
    return await client.until(isComplete);
  };
  return { captured, fixture, seen, client, send };
}

describe('a request to an endpoint of a sign-in over HTTP/1.1', () => {
  it('is read to its end and answered here, and the service sees nothing of it', async () => {
    const { captured, seen, send, fixture } = await openHttp1();
    const response = await send(
      post('/oauth/token?x=1', body, 'Connection: x-hop', 'X-Hop: 1', 'User-Agent: agent/1'),
    );
    expect(response).toMatch(/^HTTP\/1\.1 201 Created\r\n/);
    expect(response).toContain('set-cookie: a=1\r\nset-cookie: b=2\r\ncontent-length: 29\r\n');
    expect(response).toMatch(/authsome-decision: dec_\w+\r\n/);
    expect(Buffer.from(response, 'latin1').toString()).toMatch(/\r\n\r\n\{"access_token":"phantom-é"\}$/);
    expect(captured).toHaveLength(1);
    const [request] = captured;
    expect(request?.body.toString()).toBe(body);
    expect(request?.query).toBe('?x=1');
    expect(request?.headers).toEqual([
      ['host', apiHost],
      ['content-type', 'application/json'],
      ['user-agent', 'agent/1'],
      ['content-length', String(body.length)],
    ]);
    expect(seen).toEqual([]);
    expect(fixture.decisions).toMatchObject([
      { id: request?.decision, action: 'passed', reason: expect.stringContaining('a sign-in to agent') },
    ]);
  });

  it('may come in chunks, after 100-continue, and twice on one connection', async () => {
    const { captured, send, client } = await openHttp1();
    client.send(
      `POST /oauth/token HTTP/1.1\r\nHost: ${apiHost}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n`,
    );
    expect(await client.until((text) => text.includes('\r\n\r\n'))).toBe('HTTP/1.1 100 Continue\r\n\r\n');
    const first = await send(
      `5\r\n${body.slice(0, 5)}\r\n${(body.length - 5).toString(16)}\r\n${body.slice(5)}\r\n0\r\n\r\n`,
    );
    expect(first).toMatch(/^HTTP\/1\.1 201 /);
    expect(await send(post('/oauth/token'))).toMatch(/^HTTP\/1\.1 201 /);
    expect(captured.map((request) => request.body.toString())).toEqual([body, body]);
  });

  it('gets a problem document where the answer cannot be used, and that is on record', async () => {
    const { send, fixture } = await openHttp1(
      new AuthsomeError('UpstreamMalformed', 'the token endpoint has no token'),
    );
    const response = await send(post('/oauth/token'));
    expect(response).toMatch(/^HTTP\/1\.1 502 /);
    expect(problemOf(response.replace('content-type', 'Content-Type'))).toMatchObject({
      code: 'UpstreamMalformed',
    });
    expect(fixture.failures).toMatchObject([{ outcome: 'UpstreamMalformed' }]);
  });

  it('is on record as refused where it gets a refusal that its program understands', async () => {
    const failure = new AuthsomeError('PhantomMisplaced', 'a phantom of other/default was sent there');
    const refusal = { status: 400, headers: [], body: Buffer.from('{"error":"invalid_grant"}'), failure };
    const { send, fixture } = await openHttp1(refusal);
    expect(await send(post('/oauth/token'))).toMatch(/^HTTP\/1\.1 400 [\s\S]*\{"error":"invalid_grant"\}$/);
    expect(fixture.failures).toMatchObject([{ outcome: 'PhantomMisplaced' }]);
  });

  it('is refused when its body is too long', async () => {
    const { captured, send, fixture } = await openHttp1();
    expect(await send(post('/oauth/token', 'x'.repeat(256 * 1024 + 1)))).toMatch(/^HTTP\/1\.1 400 /);
    expect(captured).toEqual([]);
    expect(fixture.failures).toMatchObject([{ outcome: 'MalformedRequest' }]);
  });

  it.each([
    ['GET', '/oauth/token', 'OperationNotAllowed', []],
    ['POST', '/keys', 'OperationNotAllowed', []],
    ['POST', '/Keys', 'TargetMismatch', []],
    ['POST', '/OAuth/token/', 'TargetMismatch', []],
    ['POST', '/oauth%2ftoken', 'TargetMismatch', []],
    ['POST', '/other', 'TargetMismatch', ['X-Original-URL: /oauth/token']],
    ['POST', '/oauth/token', 'TargetMismatch', ['X-Original-URL: /other']],
    ['POST', '/oauth/token', 'OperationNotAllowed', ['X-HTTP-Method-Override: GET']],
  ])(
    'is refused as %s %s (%s), since its answer could have the tokens',
    async (method, path, code, lines) => {
      const { captured, seen, send } = await openHttp1();
      const response = await send(
        [`${method} ${path} HTTP/1.1`, `Host: ${apiHost}`, 'Content-Length: 0', ...lines, '', ''].join(
          '\r\n',
        ),
      );
      expect(problemOf(response)).toMatchObject({ code });
      expect(captured).toEqual([]);
      expect(seen).toEqual([]);
    },
  );

  it('is refused where a rule says so', async () => {
    const decide = () => ({ allowed: false, rule: 'no-agent', reason: 'rule no-agent denies it' });
    const { captured, send, fixture } = await openHttp1(granted, { decide });
    expect(problemOf(await send(post('/oauth/token')))).toMatchObject({ code: 'PolicyDenied' });
    expect(captured).toEqual([]);
    expect(fixture.decisions).toMatchObject([{ rule: 'no-agent' }]);
  });

  it('leaves every other request to that host as it is', async () => {
    const { captured, seen, send } = await openHttp1();
    expect(await send(post('/oauth/authorize'))).toMatch(/^HTTP\/1\.1 200 /);
    expect(captured).toEqual([]);
    expect(seen).toMatchObject([{ line: 'POST /oauth/authorize', body }]);
  });
});

async function openHttp2(...given: Parameters<typeof capturing>) {
  const { captured, spec } = capturing(...given);
  const paths: string[] = [];
  const fixture = await openHttp2Fixture(
    cleanups,
    (stream, headers) => {
      paths.push(String(headers[':path']));
      stream.respond({ ':status': 200 }, { endStream: true });
    },
    { spec },
  );
  return { captured, fixture, paths, session: await dialHttp2(cleanups, fixture) };
}

function ask(session: ClientHttp2Session, content: string | undefined, path = '/oauth/token') {
  const stream = session.request(
    { ':method': 'POST', ':path': path, ':authority': apiHost, 'content-type': 'application/json' },
    { endStream: content === undefined },
  );
  stream.on('error', () => {});
  if (content !== undefined) stream.end(content);
  return new Promise<{ readonly headers: IncomingHttpHeaders; readonly text: string }>((resolve) => {
    let headers: IncomingHttpHeaders = {};
    const chunks: Buffer[] = [];
    stream.on('response', (received) => {
      headers = received;
    });
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('close', () => resolve({ headers, text: Buffer.concat(chunks).toString() }));
  });
}

describe('a request to an endpoint of a sign-in over HTTP/2', () => {
  it('is read to its end and answered here, and the service sees nothing of it', async () => {
    const { captured, session, paths, fixture } = await openHttp2();
    const { headers, text } = await ask(session, body, '/oauth/token?x=1');
    expect(text).toBe('{"access_token":"phantom-é"}');
    expect(headers).toMatchObject({
      ':status': 201,
      'content-type': 'application/json',
      'content-length': '29',
      'set-cookie': ['a=1', 'b=2'],
      'authsome-decision': captured[0]?.decision,
    });
    expect(captured[0]).toMatchObject({ query: '?x=1', headers: [['content-type', 'application/json']] });
    expect(captured[0]?.body.toString()).toBe(body);
    expect(paths).toEqual([]);
    expect(fixture.decisions).toMatchObject([{ action: 'passed' }]);
  });

  it('may be without a body, and may not be too long', async () => {
    const { captured, session } = await openHttp2();
    expect((await ask(session, undefined)).headers[':status']).toBe(201);
    expect((await ask(session, 'x'.repeat(256 * 1024 + 1))).headers[':status']).toBe(400);
    expect(captured.map((request) => request.body.length)).toEqual([0]);
  });

  it('gets a problem document where the answer cannot be used, and is refused in another spelling', async () => {
    const { session, paths } = await openHttp2(new AuthsomeError('UpstreamMalformed', 'no token'));
    const { headers, text } = await ask(session, body);
    expect([headers[':status'], headers['content-type'], JSON.parse(text).code]).toEqual([
      502,
      'application/problem+json',
      'UpstreamMalformed',
    ]);
    expect((await ask(session, body, '/oauth//token')).headers[':status']).toBe(421);
    expect(paths).toEqual([]);
    expect((await ask(session, body, '/elsewhere')).headers[':status']).toBe(200);
    expect(paths).toEqual(['/elsewhere']);
  });
});
