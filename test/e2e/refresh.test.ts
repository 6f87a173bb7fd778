import { expect, it } from 'vitest';
import { askAcme, connectAcme, createAcme, expiry, withFixture } from '../support/fixture.ts';

it('refreshes once, though ten processes need the token at once, and uses the new one', async () => {
  await withFixture(await createAcme({ firstTokenTtlSeconds: 2 }), async (fixture) => {
    await connectAcme(fixture);
    await expiry(2);
    const outcomes = await Promise.all(Array.from({ length: 10 }, () => fixture.authsome(askAcme)));
    expect(outcomes.map((outcome) => outcome.stdout)).toEqual(Array(10).fill('200'));
    const { issued, refusals } = fixture.service.authorization;
    const refreshed = issued.filter((tokens) => tokens.grantType === 'refresh_token');
    expect(refusals).toEqual([]);
    expect(refreshed).toHaveLength(1);
    expect(fixture.service.api.received.at(-1)?.headers.authorization).toBe(
      `Bearer ${issued.at(-1)?.accessToken}`,
    );
    expect((await fixture.json(['get', 'acme'])).status).toBe('connected');
  });
});

it('says that one must sign in again when the grant is dead, and does not hammer it', async () => {
  await withFixture(await createAcme({ firstTokenTtlSeconds: 2 }), async (fixture) => {
    await connectAcme(fixture);
    let calls = 0;
    fixture.service.authorization.misbehave((request, response) => {
      if (request.url !== '/token') return false;
      calls += 1;
      response.writeHead(400, { 'content-type': 'application/json' });
      response.end('{"error":"invalid_grant"}');
      return true;
    });
    await expiry(2);
    for (const _ of [1, 2, 3]) await fixture.authsome(askAcme);
    expect(calls).toBe(1);
    expect((await fixture.json(['get', 'acme'])).status).toBe('invalid');
    expect((await fixture.authsome(['list'])).stdout).toContain('invalid');
  });
});

it('renews on a 401 and sends the request once more', async () => {
  await withFixture(await createAcme(), async (fixture) => {
    await connectAcme(fixture);
    const first = fixture.service.authorization.issued[0]?.accessToken ?? '';
    await fixture.service.authorization.invalidate(first);
    expect(await fixture.authsome(askAcme)).toMatchObject({ code: 0, stdout: '200' });
    const second = fixture.service.authorization.issued[1]?.accessToken;
    expect(fixture.service.api.received.map((request) => request.headers.authorization)).toEqual([
      `Bearer ${first}`,
      `Bearer ${second}`,
    ]);
  });
});
