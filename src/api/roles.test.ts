import { Hono } from 'hono';
import { expect, it } from 'vitest';
import type { AppEnv } from './app.ts';
import { requireRole } from './roles.ts';

it('keeps users from a call that is listed for nobody, and lets them see that a call does not exist', async () => {
  const app = new Hono<AppEnv>();
  let calls = 0;
  app.use('/v1/*', async (context, next) => {
    const role = context.req.header('role') === 'admin' ? 'admin' : 'user';
    context.set('caller', { did: '', handle: '', principal: { id: '', role, vaultId: '' } });
    await next();
  });
  app.use('/v1/*', requireRole());
  app.all('/v1/new', (context) => {
    calls += 1;
    return context.text('done');
  });
  app.onError((_error, context) => context.text('refused', 403));
  expect((await app.request('/v1/new')).status).toBe(403);
  expect((await app.request('/v1/new', { method: 'POST' })).status).toBe(403);
  expect(calls).toBe(0);
  expect((await app.request('/v1/new', { headers: { role: 'admin' } })).status).toBe(200);
  expect((await app.request('/v1/unknown')).status).toBe(404);
});
