import { expect, it } from 'vitest';
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
  refreshable: true,
  base_url: null,
  account: 'octocat',
  sign_in_again: 'authsome login github --force',
  access_token: '***',
};
const client = { connection: async () => document };

it('prints a list field one value a line', async () => {
  const { context, output } = testContext({ client });
  await get(context, { provider: 'github', field: 'scopes', showSecret: false });
  expect(output.stdout).toBe('repo\nread:org\n');
});

it('prints a field as a document under --json', async () => {
  const { context, output } = testContext({ client, json: true });
  await get(context, { provider: 'github', field: 'scopes', showSecret: false });
  expect(JSON.parse(output.stdout)).toEqual({ v: 1, scopes: ['repo', 'read:org'] });
});

it('suggests the field that was meant', async () => {
  const { context, output } = testContext({ client });
  await expect(get(context, { provider: 'github', field: 'scope', showSecret: false })).rejects.toMatchObject(
    {
      code: 'Usage',
      message: 'no field "scope"',
      hint: expect.stringMatching(/^Did you mean scopes\?/),
    },
  );
  expect(output.stdout).toBe('');
});

it('asks for secrets only with --show-secret', async () => {
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

it.each([
  ['connected', true, ''],
  ['expired', true, 'It will be refreshed on next use.\n'],
  ['expired', false, 'Sign in again with: authsome login github --force\n'],
  ['invalid', false, 'Sign in again with: authsome login github --force\n'],
] as const)(
  'says what to do about a connection that is %s (refreshable: %j)',
  async (status, refreshable, note) => {
    const shown = { ...document, status, refreshable };
    const { context, output } = testContext({ client: { connection: async () => shown } });
    await get(context, { provider: 'github', showSecret: false });
    expect(output.stdout).toMatch(new RegExp(`^status +${status}$`, 'm'));
    expect(output.stderr).toBe(note);
  },
);

it('has no secret of a connection that has ended, and says so', async () => {
  const { access_token: _, ...rest } = document;
  const gone = { ...rest, status: 'invalid' as const, refreshable: false };
  const { context } = testContext({ client: { connection: async () => gone } });
  await expect(
    get(context, { provider: 'github', field: 'access_token', showSecret: false }),
  ).rejects.toMatchObject({
    code: 'CredentialMissing',
    message: 'github/default is invalid: it has no access_token',
    hint: 'Sign in again with: authsome login github --force',
  });
});
