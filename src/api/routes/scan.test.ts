import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ScanAnswerDocument, ScanListDocument, ScanPhantomsDocument } from '../../client/index.ts';
import { type Fixture, openFixture, plainRequest } from '../../daemon/test-daemon.ts';

let fixture: Fixture;
beforeAll(async () => {
  fixture = await openFixture();
});
afterAll(() => fixture.close());

const key = 'sk-kept-in-the-vault-0123456789';

async function compare(...values: readonly { provider: string; value: string }[]) {
  const response = await fixture.call('POST', '/v1/scan', { values });
  const document = (await response.json()) as ScanAnswerDocument;
  return document.answers.map(({ in_vault, connection }) => [in_vault, connection]);
}

describe('a scan', () => {
  it('lists what to look for', async () => {
    const response = await fixture.call('GET', '/v1/scan');
    const { providers } = (await response.json()) as ScanListDocument;
    expect(providers.find(({ name }) => name === 'openai')).toMatchObject({
      display_name: 'OpenAI',
      variables: ['OPENAI_API_KEY'],
      key_pattern: '^sk-[A-Za-z0-9_-]{20,}$',
      takes_key: true,
      hosts: expect.arrayContaining(['api.openai.com']),
      connections: [],
    });
  });

  it('learns whether a value is in the vault, and nothing else', async () => {
    expect(await compare({ provider: 'openai', value: key })).toEqual([['absent', null]]);
    await fixture.call('POST', '/v1/auth-sessions', { provider: 'openai', force: false, api_key: key });
    expect(
      await compare(
        { provider: 'openai', value: key },
        { provider: 'openai', value: `${key}0` },
        { provider: 'groq', value: key },
      ),
    ).toEqual([
      ['same', 'default'],
      ['different', 'default'],
      ['absent', null],
    ]);
  });

  it('gets the phantom of each connection for its files, the same again and in every run', async () => {
    const second = { provider: 'openai', connection: 'work', force: false, api_key: `${key}-at-work` };
    await fixture.call('POST', '/v1/auth-sessions', second);
    const listed = await (await fixture.call('GET', '/v1/scan')).json();
    const { providers } = listed as ScanListDocument;
    expect(providers.find(({ name }) => name === 'openai')?.connections).toEqual(['default', 'work']);
    const connections = ['work', 'default'].map((connection) => ({ provider: 'openai', connection }));
    const ask = async (): Promise<readonly string[]> => {
      const response = await fixture.call('POST', '/v1/scan/phantoms', { connections });
      return ((await response.json()) as ScanPhantomsDocument).phantoms;
    };
    const phantoms = await ask();
    expect(await ask()).toEqual(phantoms);
    expect(new Set([...phantoms, key, `${key}-at-work`]).size).toBe(4);
    for (const value of phantoms) {
      expect(value).toMatch(/^[A-Za-z0-9_.:@+=-]+$/);
      expect(await compare({ provider: 'openai', value })).toEqual([['phantom', null]]);
    }
  });

  it('gets no phantom of a connection that is not there', async () => {
    const connections = [{ provider: 'openai', connection: 'nowhere' }];
    const response = await fixture.call('POST', '/v1/scan/phantoms', { connections });
    expect([response.status, await response.json()]).toMatchObject([404, { error: 'ConnectionNotFound' }]);
  });

  it('is audited without the value', async () => {
    const log = await (await fixture.call('GET', '/v1/audit?limit=50')).text();
    expect(log).toContain('secret.compared');
    expect(log).toContain('tester@machine');
    expect(log).not.toContain(key);
  });

  it('tells the phantoms of a live run from secrets, though they look like any key', async () => {
    await fixture.call('POST', '/v1/auth-sessions', {
      provider: 'datadog',
      force: false,
      api_key: '0123456789abcdef0123456789abcdef',
    });
    const ending = new AbortController();
    const body = { providers: ['datadog'], connections: {}, command: 'sh', ca_files: [] };
    const run = await fixture.call('POST', '/v1/runs', body, { signal: ending.signal });
    const reader = run.body?.getReader();
    const line = new TextDecoder().decode((await reader?.read())?.value);
    const phantom = (JSON.parse(line) as { phantoms: Record<string, string> }).phantoms.DD_API_KEY ?? '';
    expect(phantom).toMatch(/^[0-9a-f]{32}$/);
    expect(await compare({ provider: 'datadog', value: phantom })).toEqual([['phantom', null]]);
    ending.abort();
    await reader?.read().catch(() => undefined);
  });

  it.each([
    ['an unknown provider', { values: [{ provider: 'nowhere', value: key }] }, 404],
    ['a value that is none', { values: [{ provider: 'openai', value: '' }] }, 400],
    ['far too many', { values: Array(201).fill({ provider: 'openai', value: key }) }, 400],
    ['no list', {}, 400],
  ])('refuses %s, and repeats no value', async (_, body, status) => {
    const response = await fixture.call('POST', '/v1/scan', body);
    expect(response.status).toBe(status);
    expect(await response.text()).not.toContain(key);
  });

  it('answers nobody without a signature', async () => {
    const body = JSON.stringify({ values: [{ provider: 'openai', value: key }] });
    const { status, text } = await plainRequest(fixture.daemon.url, 'POST', '/v1/scan', {}, body);
    expect(status).toBe(401);
    expect(text).not.toContain('same');
  });
});
