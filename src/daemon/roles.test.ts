import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createApp, guardedCalls, neededRoles } from '../api/index.ts';
import type { Identity } from '../identity/index.ts';
import { routesOf } from './routes.ts';
import { addPrincipal, type Fixture, openFixture, testIdentity } from './test-daemon.ts';

/** Every signed call that a daemon answers, as `METHOD /path`. */
function signedCalls(): readonly string[] {
  const options = {
    start: { home: {}, nowMs: Date.now },
    stores: {},
    runtime: { outbound: { fetchFor: () => fetch } },
  };
  const app = createApp({
    allowedHosts: () => new Set(),
    failures: { expected() {}, unexpected() {} },
    routes: routesOf(options as unknown as Parameters<typeof routesOf>[0]),
  });
  const calls = app.routes
    .filter(({ path }) => path.startsWith('/v1/') && path !== '/v1/*')
    .map(({ method, path }) => `${method} ${path}`);
  return [...new Set(calls)];
}

let fixture: Fixture;
let callers: Readonly<Record<'admin' | 'user', Identity>>;
beforeAll(async () => {
  fixture = await openFixture();
  await fixture.call('GET', '/v1/whoami');
  const user = testIdentity('user');
  await addPrincipal(fixture.home, 'user', user);
  callers = { admin: fixture.identity, user };
});
afterAll(() => fixture.close());

/** Whether the role kept the caller out, with a body and a path that no call can do anything with. */
async function isKeptOut(call: string, role: 'admin' | 'user'): Promise<boolean> {
  const [method = '', path = ''] = call.split(' ');
  const target = path.replaceAll(/:[a-z]+/g, 'nothing');
  const body = method === 'GET' || method === 'DELETE' ? undefined : {};
  const response = await fixture.call(method, target, body, { identity: callers[role] });
  const document = (await response.json()) as { readonly error?: string; readonly message?: string };
  expect(response.status).not.toBe(401);
  return document.error === 'OperationNotAllowed' && document.message === 'this needs the role admin';
}

describe('the roles of calls', () => {
  it('are listed for every signed call, and for no other', () => {
    expect([...signedCalls()].sort()).toEqual(Object.keys(neededRoles).sort());
  });

  it('leave no call guarded in a run that nobody can make', () => {
    const calls = signedCalls();
    expect(Object.keys(guardedCalls).filter((call) => !calls.includes(call))).toEqual([]);
  });

  it('keep a user from what an admin does: providers for all, and the daemon itself', () => {
    const forAdmins = Object.entries(neededRoles).flatMap(([call, role]) => (role === 'admin' ? [call] : []));
    expect(forAdmins).toEqual([
      'POST /v1/daemon/stop',
      'PUT /v1/vault/passphrase',
      'DELETE /v1/vault/passphrase',
      'POST /v1/providers',
      'DELETE /v1/providers/:provider',
    ]);
  });

  it.each(Object.entries(neededRoles))('apply to %s: it needs %s', async (call, needed) => {
    expect(await isKeptOut(call, 'admin')).toBe(false);
    expect(await isKeptOut(call, 'user')).toBe(needed === 'admin');
  });

  it('name the role that is missing, and change nothing', async () => {
    const init = { identity: callers.user };
    const response = await fixture.call('POST', '/v1/daemon/stop', { when: 'now' }, init);
    expect(response.status).toBe(403);
    expect(await response.json()).toMatchObject({
      error: 'OperationNotAllowed',
      message: 'this needs the role admin',
      hint: expect.stringContaining('authsome whoami'),
    });
    expect((await fixture.call('GET', '/v1/whoami', undefined, init)).status).toBe(200);
  });
});
