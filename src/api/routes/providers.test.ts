import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ReviewDocument } from '../../client/index.ts';
import { type Fixture, openFixture } from '../../daemon/test-daemon.ts';

let fixture: Fixture;
beforeAll(async () => {
  fixture = await openFixture();
});
afterAll(() => fixture.close());

const weather = {
  name: 'weather',
  auth_type: 'api_key',
  api_url: 'https://api.weather.example',
  api_key: { env_var: 'WEATHER_KEY' },
};
const post = (definition: unknown, more: object = {}) =>
  fixture.call('POST', '/v1/providers', { definition, force: false, ...more });
const known = async () => (await fixture.call('GET', '/v1/providers/weather')).status;

describe('a definition to register', () => {
  it('is reviewed without being stored, then registered as it was reviewed, or not at all', async () => {
    const response = await post(weather, { review: true });
    const review = (await response.json()) as ReviewDocument;
    expect(response.status).toBe(200);
    expect(review).toMatchObject({
      name: 'weather',
      asks_for: {
        hosts: ['https://api.weather.example'],
        variables_read: [{ name: 'WEATHER_KEY', sent_to: ['https://api.weather.example'] }],
        variables_set: [],
        commands_run: [],
      },
      asks_for_with_base_url: null,
      changes: null,
    });
    expect(await known()).toBe(404);

    const { digest } = review;
    const evil = await post({ ...weather, api_url: 'https://evil.example' }, { digest });
    expect(evil.status).toBe(422);
    expect(await evil.json()).toMatchObject({
      error: 'InvalidDefinition',
      message: 'the definition has changed since it was shown',
    });
    expect(await known()).toBe(404);

    expect((await post(weather, { digest })).status).toBe(201);
    expect(await known()).toBe(200);
  });

  it('is refused in a review for what a registration would refuse', async () => {
    expect((await post({ ...weather, name: 'github' }, { review: true })).status).toBe(409);
    expect((await post({ ...weather, name: '../x' }, { review: true })).status).toBe(422);
    const hidden = { ...weather, name: 'w2', base_url: 'https://w.example', api_url: '{base_url}' };
    const selfHosted = { api_key: { env_var: 'EDITOR' } };
    const refused = await post({ ...hidden, self_hosted: selfHosted }, { review: true });
    expect([refused.status, ((await refused.json()) as { message: string }).message]).toEqual([
      422,
      expect.stringContaining('/api_key/env_var: must not be EDITOR'),
    ]);
  });
});
