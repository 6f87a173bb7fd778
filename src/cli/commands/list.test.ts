import { expect, it } from 'vitest';
import type { ConnectionSummary, ListDocument } from '../../client/index.ts';
import { testContext } from '../test-context.ts';
import { list } from './list.ts';

const connection = (name: string, more: Partial<ConnectionSummary> = {}): ConnectionSummary => ({
  name,
  is_default: name === 'default',
  status: 'connected',
  scopes: [],
  expires_at: null,
  refreshable: true,
  account: null,
  sign_in_again: `authsome login github --connection ${name} --force`,
  ...more,
});
const provider = (name: string, title: string, connections: readonly ConnectionSummary[] = []) => ({
  name,
  display_name: title,
  source: 'bundled' as const,
  auth_type: 'oauth2',
  flow: 'pkce',
  connections,
});
const document: ListDocument = {
  v: 1,
  providers: [
    provider('fastmail', 'Fastmail'),
    provider('github', 'GitHub', [
      connection('default', { account: 'octocat', expires_at: '2026-01-01T03:30:00Z' }),
      connection('work', { status: 'expired' }),
    ]),
    provider('mailgun', 'Mailgun'),
    provider('stripe', 'Stripe'),
  ],
};
const client = { list: async () => document };

it('shows connections as data, and how many providers are left as a note', async () => {
  const { context, output } = testContext({ client });
  await list(context, { all: false });
  expect(output.stdout).toBe(
    [
      'PROVIDER  CONNECTION         STATUS     ACCOUNT  EXPIRES',
      'github    default (default)  connected  octocat  in 3h',
      'github    work               expired',
      '',
    ].join('\n'),
  );
  expect(output.stderr).toBe('3 more providers available: authsome list --all, or authsome list <word>\n');
});

it('finds providers by a word, those without a connection too', async () => {
  const { context, output } = testContext({ client });
  await list(context, { all: false, word: 'MAIL' });
  expect(output.stdout).toContain('fastmail');
  expect(output.stdout).toContain('mailgun');
  expect(output.stdout).not.toContain('stripe');
});

it('says that nothing matched', async () => {
  const { context, output } = testContext({ client });
  await list(context, { all: false, word: 'nothing' });
  expect(output).toEqual({
    stdout: '',
    stderr: 'No provider matches nothing. See all: authsome list --all\n',
  });
});

it('prints every provider as one document, whatever the terminal shows', async () => {
  const { context, output } = testContext({ client, json: true, quiet: true });
  await list(context, { all: false });
  expect(JSON.parse(output.stdout)).toEqual(document);
  expect(output.stderr).toBe('');
});

it('cuts lines to the terminal', async () => {
  const { context, output } = testContext({ client, columns: 30 });
  await list(context, { all: true });
  for (const line of output.stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(30);
  expect(output.stdout).toContain('…');
});

it('says what to do about a connection that cannot be refreshed', async () => {
  const providers = [
    provider('github', 'GitHub', [
      connection('default', { status: 'expired' }),
      connection('dead', { status: 'invalid', refreshable: false }),
      connection('short', { status: 'expired', refreshable: false }),
    ]),
  ];
  const { context, output } = testContext({ client: { list: async () => ({ v: 1 as const, providers }) } });
  await list(context, { all: false });
  expect(output.stderr.trimEnd().split('\n')).toEqual([
    'github/dead is invalid. Sign in again with: authsome login github --connection dead --force',
    'github/short is expired. Sign in again with: authsome login github --connection short --force',
  ]);
});
