import { describe, expect, test } from 'vitest';
import { compileRoutes } from '../../providers/index.ts';
import type { RunSpec } from '../contract.ts';
import { cleanupsAfterEach } from '../testing/test-cleanups.ts';
import {
  apiHost,
  ask,
  dialProxy,
  dialThrough,
  openWorldWithApi,
  problemOf,
  proxyAuthorization,
  routeTo,
  secret,
  type WorldOptions,
} from '../testing/test-world.ts';

const cleanups = cleanupsAfterEach();

const openWithApi = (options?: WorldOptions) => openWorldWithApi(cleanups, options);

describe('the decision', () => {
  test('a path that may lead elsewhere is refused', async () => {
    const { world, seen } = await openWithApi({ routes: [routeTo(apiHost, { pathPrefix: '/v1' })] });
    const client = await dialThrough(world);
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

  test('two connections that match equally well are refused, and none is guessed', async () => {
    const { world, seen } = await openWithApi({
      routes: [
        routeTo(apiHost),
        routeTo(apiHost, { id: 'rival:api', provider: 'rival', connection: 'work' }),
        routeTo(apiHost, { id: 'other:api/v9', provider: 'other', pathPrefix: '/v9' }),
      ],
    });
    const client = await dialThrough(world);
    // Again and again, and not by turns.
    for (let count = 0; count < 2; count += 1) {
      const problem = problemOf(await ask(client, 'GET / HTTP/1.1', `Host: ${apiHost}`));
      expect(problem).toMatchObject({
        code: 'RouteAmbiguous',
        status: 409,
        detail: 'more than one connection matches this request: example/default, rival/work',
        hint: expect.stringContaining(
          'authsome run --provider example -- <command> (or --provider rival/work)',
        ),
      });
    }
    expect(seen).toEqual([]);
    const reason = 'matches equally well as another route';
    expect(world.decisions).toHaveLength(2);
    for (const decision of world.decisions) {
      expect(decision).toMatchObject({
        outcome: 'RouteAmbiguous',
        candidates: [
          { connection: 'default', matched: false, reason },
          { route: 'rival:api', connection: 'work', matched: false, reason },
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

  test('policy is asked, and what it denies is not sent', async () => {
    const asked: unknown[] = [];
    const { world, seen } = await openWithApi({
      spec: {
        decide: (request) => {
          asked.push(request);
          return { allowed: false, rule: 'no-deletes', reason: 'Nobody deletes here.' };
        },
      },
    });
    const response = await ask(await dialThrough(world), 'delete /things/1?q=1 HTTP/1.1', `Host: ${apiHost}`);
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
    expect(world.decisions[0]).toMatchObject({
      outcome: 'PolicyDenied',
      rule: 'no-deletes',
      action: 'refused',
    });
  });

  test.each([
    ['X-HTTP-Method-Override: DELETE'],
    ['x-http-method: delete'],
    ['X_HTTP_Method_Override: DELETE'],
    ['X-Method-Override: PATCH\r\nX-Method-Override: DELETE'],
  ])('a method that a header asks for is denied like the request’s own: %s', async (fields) => {
    const { world, seen } = await openWithApi({ spec: { decide: noDeletes } });
    const client = await dialThrough(world);
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
    expect(world.decisions[0]).toMatchObject({ outcome: 'PolicyDenied', rule: 'no-deletes' });
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

  test.each([['trace / HTTP/1.1'], [`GET / HTTP/1.1\r\nX-HTTP-Method-Override: TRACE`]])(
    'TRACE gets no credential to send back: %j',
    async (line) => {
      const { world, seen } = await openWithApi();
      const response = await ask(await dialThrough(world), line, `Host: ${apiHost}`);
      expect(problemOf(response)).toMatchObject({ code: 'OperationNotAllowed' });
      expect(seen).toEqual([]);
    },
  );

  test('a refusal says what to run, and its id is recorded', async () => {
    const { world } = await openWithApi();
    world.credentials.clear();
    const response = await ask(await dialThrough(world), 'GET /p?q=hidden HTTP/1.1', `Host: ${apiHost}`);
    const problem = problemOf(response);
    expect(problem).toMatchObject({
      code: 'CredentialExpired',
      status: 409,
      hint: 'Run: authsome login example --force',
    });
    expect(problem.decision).toMatch(/^dec_[0-9a-f]{24}$/);
    expect(response).toContain(`Authsome-Decision: ${problem.decision}\r\n`);
    expect(world.decisions).toHaveLength(1);
    expect(world.decisions[0]).toMatchObject({
      id: problem.decision,
      outcome: 'CredentialExpired',
      request: { path: '/p' },
    });
    expect(JSON.stringify(world.decisions)).not.toContain('hidden');
  });

  test('routes are read again for every request', async () => {
    const { world, seen } = await openWithApi();
    const client = await dialThrough(world);
    await ask(client, 'GET /1 HTTP/1.1', `Host: ${apiHost}`);
    world.run.replaceRoutes(compileRoutes([routeTo(apiHost, { pathPrefix: '/only' })]));
    await ask(client, 'GET /2 HTTP/1.1', `Host: ${apiHost}`);
    expect(seen.map(({ headers }) => headers.authorization)).toEqual([`Bearer ${secret}`, undefined]);
  });

  test('a host that became a route after the run started needs a new run', async () => {
    const { world } = await openWithApi();
    world.run.replaceRoutes(compileRoutes([routeTo('new.test')]));
    const response = await ask(
      await dialProxy(world),
      'CONNECT new.test:443 HTTP/1.1',
      'Host: x',
      `Proxy-Authorization: ${proxyAuthorization(world.run)}`,
    );
    expect(problemOf(response)).toMatchObject({
      code: 'OperationNotAllowed',
      hint: 'Start the run again: authsome run -- <command>',
    });
  });
});
