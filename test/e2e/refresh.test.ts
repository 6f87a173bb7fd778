import { expect, it } from 'vitest';
import { askAcme, connectAcme, createAcme, expiry, inWorld } from '../support/fixture.ts';

it('refreshes once, though ten processes need the token at once, and uses the new one', async () => {
  await inWorld(await createAcme({ firstTokenTtlSeconds: 2 }), async (world) => {
    await connectAcme(world);
    await expiry(2);
    const outcomes = await Promise.all(Array.from({ length: 10 }, () => world.authsome(askAcme)));
    expect(outcomes.map((outcome) => outcome.stdout)).toEqual(Array(10).fill('200'));
    const { issued, refusals } = world.service.authorization;
    const refreshed = issued.filter((tokens) => tokens.grantType === 'refresh_token');
    expect(refusals).toEqual([]);
    expect(refreshed).toHaveLength(1);
    expect(world.service.api.received.at(-1)?.headers.authorization).toBe(
      `Bearer ${issued.at(-1)?.accessToken}`,
    );
    expect((await world.json(['get', 'acme'])).status).toBe('connected');
  });
});

it('says that one must sign in again when the grant is dead, and does not hammer it', async () => {
  await inWorld(await createAcme({ firstTokenTtlSeconds: 2 }), async (world) => {
    await connectAcme(world);
    let calls = 0;
    world.service.authorization.misbehave((request, response) => {
      if (request.url !== '/token') return false;
      calls += 1;
      response.writeHead(400, { 'content-type': 'application/json' });
      response.end('{"error":"invalid_grant"}');
      return true;
    });
    await expiry(2);
    for (const _ of [1, 2, 3]) await world.authsome(askAcme);
    expect(calls).toBe(1);
    expect((await world.json(['get', 'acme'])).status).toBe('invalid');
    expect((await world.authsome(['list'])).stdout).toContain('invalid');
  });
});

it('renews on a 401 and sends the request once more', async () => {
  await inWorld(await createAcme(), async (world) => {
    await connectAcme(world);
    const first = world.service.authorization.issued[0]?.accessToken ?? '';
    await world.service.authorization.invalidate(first);
    expect(await world.authsome(askAcme)).toMatchObject({ code: 0, stdout: '200' });
    const second = world.service.authorization.issued[1]?.accessToken;
    expect(world.service.api.received.map((request) => request.headers.authorization)).toEqual([
      `Bearer ${first}`,
      `Bearer ${second}`,
    ]);
  });
});
