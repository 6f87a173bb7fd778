import { describe, expect, it } from 'vitest';
import { compileRoutes } from '../../providers/index.ts';
import type { RunSpec } from '../contract.ts';
import { cleanupsAfterEach } from '../testing/test-cleanups.ts';
import {
  apiHost,
  ask,
  dialProxy,
  dialThrough,
  type FixtureOptions,
  openFixtureWithApi,
  problemOf,
  proxyAuthorization,
  routeTo,
  secret,
} from '../testing/test-fixture.ts';

const cleanups = cleanupsAfterEach();

const openWithApi = (options?: FixtureOptions) => openFixtureWithApi(cleanups, options);

describe('the decision', () => {
  it('a path that may lead elsewhere is refused', async () => {
    const { fixture, seen } = await openWithApi({ routes: [routeTo(apiHost, { pathPrefix: '/v1' })] });
    const client = await dialThrough(fixture);
    for (const path of [
      '/v1/../admin',
      '/v1/%2e%2e/admin',
      '/v1/..%2fadmin',
      '/v1\\..\\admin',
      '/v1/%252e%252e/admin',
    ]) {
      const response = await ask(client, `GET ${path} HTTP/1.1`, `Host: ${apiHost}`);
      expect([path, response.slice(0, 12)]).toEqual([path, 'HTTP/1.1 421']);
    }
    expect(seen).toEqual([]);
  });

  it('two connections that match equally well are refused, and none is guessed', async () => {
    const { fixture, seen } = await openWithApi({
      routes: [
        routeTo(apiHost),
        routeTo(apiHost, { id: 'second:api', provider: 'second', connection: 'work' }),
        routeTo(apiHost, { id: 'other:api/v9', provider: 'other', pathPrefix: '/v9' }),
      ],
    });
    const client = await dialThrough(fixture);
    // Again and again, and not by turns.
    for (let count = 0; count < 2; count += 1) {
      const problem = problemOf(await ask(client, 'GET / HTTP/1.1', `Host: ${apiHost}`));
      expect(problem).toMatchObject({
        code: 'RouteAmbiguous',
        status: 409,
        detail: 'more than one connection matches this request: example/default, second/work',
        hint: expect.stringContaining(
          'authsome run --provider example -- <command> (or --provider second/work)',
        ),
      });
    }
    expect(seen).toEqual([]);
    const reason = 'another route matches this request, too';
    expect(fixture.decisions).toHaveLength(2);
    for (const decision of fixture.decisions) {
      expect(decision).toMatchObject({
        outcome: 'RouteAmbiguous',
        candidates: [
          { connection: 'default', matched: false, reason },
          { route: 'second:api', connection: 'work', matched: false, reason },
          { route: 'other:api/v9', matched: false, reason: 'does not cover this path' },
        ],
      });
      expect(decision.route).toBeUndefined();
    }
  });

  const noDeletes: RunSpec['decide'] = ({ method }) =>
    method === 'DELETE'
      ? { allowed: false, rule: 'no-deletes', reason: 'Nobody deletes here.' }
      : { allowed: true, rule: undefined, reason: 'nothing forbids it' };

  it('policy is asked, and what it denies is not sent', async () => {
    const asked: unknown[] = [];
    const { fixture, seen } = await openWithApi({
      spec: {
        decide: (request) => {
          asked.push(request);
          return { allowed: false, rule: 'no-deletes', reason: 'Nobody deletes here.' };
        },
      },
    });
    const response = await ask(
      await dialThrough(fixture),
      'delete /things/1?q=1 HTTP/1.1',
      `Host: ${apiHost}`,
    );
    expect(response).toMatch(/^HTTP\/1\.1 403 /);
    expect(problemOf(response)).toMatchObject({ code: 'PolicyDenied' });
    expect(asked).toEqual([
      {
        identity: 'tester',
        provider: 'example',
        connection: 'default',
        method: 'DELETE',
        host: apiHost,
        path: '/things/1',
      },
    ]);
    expect(seen).toEqual([]);
    expect(fixture.decisions[0]).toMatchObject({
      outcome: 'PolicyDenied',
      rule: 'no-deletes',
      action: 'refused',
    });
  });

  it.each([
    ['X-HTTP-Method-Override: DELETE'],
    ['x-http-method: delete'],
    ['X_HTTP_Method_Override: DELETE'],
    ['X-Method-Override: PATCH\r\nX-Method-Override: DELETE'],
  ])('a method that a header asks for is denied like the request’s own: %s', async (fields) => {
    const { fixture, seen } = await openWithApi({ spec: { decide: noDeletes } });
    const client = await dialThrough(fixture);
    const response = await ask(
      client,
      'POST /things/1 HTTP/1.1',
      `Host: ${apiHost}`,
      fields,
      'Content-Length: 0',
    );
    expect(problemOf(response)).toMatchObject({
      code: 'PolicyDenied',
      detail: expect.stringMatching(/[^.]\. A method-override header asks for that method\.$/),
    });
    expect(fixture.decisions[0]).toMatchObject({ outcome: 'PolicyDenied', rule: 'no-deletes' });
    expect(seen).toEqual([]);
    await ask(
      client,
      'POST /things/1 HTTP/1.1',
      `Host: ${apiHost}`,
      'X-HTTP-Method-Override: PUT',
      'Content-Length: 0',
    );
    expect(seen.map(({ headers }) => headers['x-http-method-override'])).toEqual(['PUT']);
  });

  const noProduction = {
    decide: ({ path }: { readonly path: string }) => ({
      allowed: !path.startsWith('/prod'),
      rule: 'not-prod',
      reason: 'nobody touches production',
    }),
  };

  it.each([
    ['X-Original-URL: /prod/1'],
    ['x-rewrite-url: /prod?a=b'],
    ['X_Rewrite_URL: prod/1'],
    ['X-Original-URL: https://other.example/prod/1#x'],
    ['X-Original-URL: /%70rod/1'],
  ])('a path that a header asks for is denied like the request’s own: %s', async (field) => {
    const { fixture, seen } = await openWithApi({ spec: noProduction });
    const client = await dialThrough(fixture);
    const response = await ask(client, 'GET /test/1 HTTP/1.1', `Host: ${apiHost}`, field);
    expect(problemOf(response)).toMatchObject({
      code: 'PolicyDenied',
      detail: expect.stringContaining('A path-override header asks for that path.'),
    });
    expect(fixture.decisions[0]).toMatchObject({ outcome: 'PolicyDenied', rule: 'not-prod' });
    expect(seen).toEqual([]);
    await ask(client, 'GET /test/1 HTTP/1.1', `Host: ${apiHost}`, 'X-Original-URL: /test/2');
    expect(seen.map(({ headers }) => headers['x-original-url'])).toEqual(['/test/2']);
  });

  it.each([
    ['X-Original-URL: /other/1', 'TargetMismatch'],
    ['X-Original-URL: /only/../other', 'TargetMismatch'],
    ['X-Original-URL: /only/%0a', 'TargetMismatch'],
    ['X-Original-URL: /only/1\r\nX-Rewrite-URL: /only/2', 'MalformedRequest'],
    ['X-Original-URL: /only /1', 'MalformedRequest'],
  ])('a path outside the route that a header asks for gets no credential: %j', async (fields, code) => {
    const { fixture, seen } = await openWithApi({ routes: [routeTo(apiHost, { pathPrefix: '/only' })] });
    const client = await dialThrough(fixture);
    const response = await ask(client, 'GET /only/1 HTTP/1.1', `Host: ${apiHost}`, fields);
    expect(problemOf(response)).toMatchObject({ code });
    expect(seen).toEqual([]);
  });

  it.each([['X-HTTP-Method-Override: DELETE'], ['x_http_method: DELETE'], ['X-Original-URL: /prod/1']])(
    'a trailer that asks for a different request does not reach the upstream: %s',
    async (trailer) => {
      const { fixture, seen } = await openWithApi({ spec: noProduction });
      const client = await dialThrough(fixture);
      client.send(`POST /test/1 HTTP/1.1\r\nHost: ${apiHost}\r\nTransfer-Encoding: chunked\r\n\r\n`);
      client.send(`0\r\n${trailer}\r\n\r\n`);
      const response = await client.until(() => false);
      expect(response).not.toMatch(/^HTTP\/1\.1 200 /);
      // The request never ended there.
      expect(seen).toEqual([]);
    },
  );

  it.each(['/things/%0a', '/things/%zz', '/things/%4'])(
    'a path that services read in different ways gets no credential: %s',
    async (path) => {
      const { fixture, seen } = await openWithApi();
      const response = await ask(await dialThrough(fixture), `GET ${path} HTTP/1.1`, `Host: ${apiHost}`);
      expect(problemOf(response)).toMatchObject({ code: 'TargetMismatch' });
      expect(fixture.decisions[0]).toMatchObject({ action: 'refused' });
      expect(seen).toEqual([]);
    },
  );

  it.each([['trace / HTTP/1.1'], [`GET / HTTP/1.1\r\nX-HTTP-Method-Override: TRACE`]])(
    'TRACE gets no credential to send back: %j',
    async (line) => {
      const { fixture, seen } = await openWithApi();
      const response = await ask(await dialThrough(fixture), line, `Host: ${apiHost}`);
      expect(problemOf(response)).toMatchObject({ code: 'OperationNotAllowed' });
      expect(seen).toEqual([]);
    },
  );

  it('a refusal says what to run, and its id is recorded', async () => {
    const { fixture } = await openWithApi();
    fixture.credentials.clear();
    const response = await ask(await dialThrough(fixture), 'GET /p?q=hidden HTTP/1.1', `Host: ${apiHost}`);
    const problem = problemOf(response);
    expect(problem).toMatchObject({
      code: 'CredentialExpired',
      status: 409,
      hint: 'Run: authsome login example --force',
    });
    expect(problem.decision).toMatch(/^dec_[0-9a-f]{24}$/);
    expect(response).toContain(`Authsome-Decision: ${problem.decision}\r\n`);
    expect(fixture.decisions).toHaveLength(1);
    expect(fixture.decisions[0]).toMatchObject({
      id: problem.decision,
      outcome: 'CredentialExpired',
      request: { path: '/p' },
    });
    expect(JSON.stringify(fixture.decisions)).not.toContain('hidden');
  });

  it('routes are read again for every request', async () => {
    const { fixture, seen } = await openWithApi();
    const client = await dialThrough(fixture);
    await ask(client, 'GET /1 HTTP/1.1', `Host: ${apiHost}`);
    fixture.run.replaceRoutes(compileRoutes([routeTo(apiHost, { pathPrefix: '/only' })]), []);
    await ask(client, 'GET /2 HTTP/1.1', `Host: ${apiHost}`);
    expect(seen.map(({ headers }) => headers.authorization)).toEqual([`Bearer ${secret}`, undefined]);
  });

  it('a host that became a route after the run started needs a new run', async () => {
    const { fixture } = await openWithApi();
    fixture.run.replaceRoutes(compileRoutes([routeTo('new.test')]), []);
    const response = await ask(
      await dialProxy(fixture),
      'CONNECT new.test:443 HTTP/1.1',
      'Host: x',
      `Proxy-Authorization: ${proxyAuthorization(fixture.run)}`,
    );
    expect(problemOf(response)).toMatchObject({
      code: 'OperationNotAllowed',
      hint: 'Start the run again: authsome run -- <command>',
    });
  });
});
