import { expect, test } from 'vitest';
import type { ConnectionDocument } from '../../client/index.ts';
import { testContext } from '../test-context.ts';
import { get } from './get.ts';

const document: ConnectionDocument = {
  v: 1,
  provider: 'github',
  connection: 'default',
  is_default: true,
  auth_type: 'oauth2',
  status: 'connected',
  scopes: ['repo', 'read:org'],
  expires_at: null,
  obtained_at: '2026-01-01T00:00:00Z',
  base_url: null,
  account: 'octocat',
  access_token: '***',
};
const client = { connection: async () => document };

test('prints a list field one value a line', async () => {
  const { context, output } = testContext({ client });
  await get(context, { provider: 'github', field: 'scopes', showSecret: false });
  expect(output.stdout).toBe('repo\nread:org\n');
});

test('prints a field as a document under --json', async () => {
  const { context, output } = testContext({ client, json: true });
  await get(context, { provider: 'github', field: 'scopes', showSecret: false });
  expect(JSON.parse(output.stdout)).toEqual({ v: 1, scopes: ['repo', 'read:org'] });
});

test('suggests the field that was meant', async () => {
  const { context, output } = testContext({ client });
  await expect(get(context, { provider: 'github', field: 'scope', showSecret: false })).rejects.toMatchObject(
    {
      code: 'Usage',
      message: 'a connection has no field scope',
      hint: expect.stringMatching(/^Did you mean scopes\?/),
    },
  );
  expect(output.stdout).toBe('');
});

test('asks for secrets only when told to', async () => {
  const asked: unknown[] = [];
  const asking = {
    connection: async (...call: unknown[]) => {
      asked.push(call);
      return document;
    },
  };
  const { context } = testContext({ client: asking });
  await get(context, { provider: 'github', showSecret: false });
  await get(context, { provider: 'github', connection: 'work', showSecret: true });
  expect(asked).toEqual([
    ['github', { showSecret: false }],
    ['github', { connection: 'work', showSecret: true }],
  ]);
});
