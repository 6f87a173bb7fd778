import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Acme, createAcme, register } from '../support/fixture.ts';
import { hosts, pixel } from '../support/service/index.ts';

let fixture: Acme;
const wrongKey = `px_${'0'.repeat(32)}`;
const host = hosts.keyApi;

/** Providers of the same service that differ in what their definitions name. */
const definitions = {
  good: { probe: { url: `https://${host}/v1/me` } },
  flagged: { probe: { url: `https://${host}/v1/me`, ok: '/missing/flag' } },
  silent: {},
  elsewhere: { probe: { url: `https://${host.replace('api.', 'gone.')}/v1/me` } },
} as const;

beforeAll(async () => {
  fixture = await createAcme();
  for (const [name, more] of Object.entries(definitions)) {
    const api_key = { ...pixel.api_key, env_var: `${name.toUpperCase()}_API_KEY` };
    const own = { ...pixel, ...more, name, api_key, export: { env: { api_key: api_key.env_var } } };
    await register(fixture, own as never);
  }
  const signIn = async (name: string, key: string, ...more: readonly string[]) => {
    const outcome = await fixture.authsome(['login', name, ...more], { stdin: key });
    expect([name, outcome.code, outcome.stderr]).toEqual([name, 0, expect.any(String)]);
  };
  for (const name of Object.keys(definitions)) await signIn(name, fixture.apiKey);
  await signIn('good', wrongKey, '--connection', 'wrong');
});
afterAll(() => fixture.close());

const probe = (what: string, code: number) => fixture.json(['probe', what], code);

describe('probe', () => {
  it('says that a credential arrived, which the service and the record agree on', async () => {
    expect(await probe('good/default', 0)).toEqual({
      v: 1,
      probes: [
        {
          provider: 'good',
          connection: 'default',
          status: 'arrived',
          http_status: 200,
          detail: `GET ${host}/v1/me returned 200`,
        },
      ],
    });
    expect(fixture.service.api.received.at(-1)?.headers['x-api-key']).toBe(fixture.apiKey);
    expect(await fixture.json(['explain', 'last'])).toMatchObject({
      outcome: 'injected',
      connection: 'good/default',
    });
  });

  it('says that the service rejected one', async () => {
    const { probes } = await probe('good/wrong', 5);
    expect(probes).toMatchObject([{ connection: 'wrong', status: 'rejected', http_status: 401 }]);
  });

  it('takes a 200 that says no for a no', async () => {
    const { probes } = await probe('flagged', 5);
    expect(probes).toMatchObject([{ status: 'rejected', http_status: 200 }]);
  });

  it('does not know where no request is named, and sends none', async () => {
    const before = fixture.service.api.received.length;
    const { probes } = await probe('silent', 4);
    expect(probes).toMatchObject([{ status: 'unknown', http_status: null }]);
    expect(fixture.service.api.received).toHaveLength(before);
  });

  it('does not know of a host without a route, whatever it answers', async () => {
    const { probes } = await probe('elsewhere', 8);
    expect(probes).toMatchObject([{ status: 'unknown', http_status: null }]);
  });

  it('goes through all, and a rejected one decides the exit code', async () => {
    const outcome = await fixture.authsome(['probe']);
    expect(outcome.code).toBe(5);
    expect(outcome.stdout.split('\n')).toHaveLength(7);
    for (const secret of [fixture.apiKey, wrongKey]) expect(outcome.stdout).not.toContain(secret);
  });

  it('does not know of what a rule denies', async () => {
    const rules = [{ id: 'no-good', effect: 'deny', providers: ['good'] }];
    const file = join(fixture.home, 'config.json');
    writeFileSync(file, JSON.stringify({ rules }), { mode: 0o600 });
    await expect
      .poll(async () => (await fixture.authsome(['probe', 'good/default'])).code, { timeout: 20_000 })
      .toBe(12);
    writeFileSync(file, '{"rules":[]}');
  });

  it.each([
    ['nobody', 4],
    ['good/none', 3],
    ['acme', 3],
  ] as const)('fails for %s', async (what, code) => {
    expect((await fixture.authsome(['probe', what])).code).toBe(code);
  });

  it('gives a run no more than the run has', async () => {
    const inner = `"${process.execPath}" dist/main.js probe good/default --json`;
    const outcome = await fixture.authsome(['run', '-p', 'silent', '-q', '--', 'sh', '-c', inner], {
      cwd: join(import.meta.dirname, '../..'),
    });
    expect(outcome.code).toBe(12);
    expect(outcome.stdout).toContain('"unknown"');
  });

  it('needs a URL at a host of the definition', async () => {
    const file = join(fixture.directory, 'far.json');
    const far = { ...pixel, name: 'far', probe: { url: 'https://elsewhere.example/me' } };
    writeFileSync(file, JSON.stringify(far));
    const outcome = await fixture.authsome(['register', file, '--yes']);
    expect(outcome.code).toBe(2);
    expect(outcome.stderr).toContain('/probe/url: must be at a host that gets the credential');
  });
});
