import { expect, it } from 'vitest';
import type { Client, RemoveDocument } from '../../client/index.ts';
import { AuthsomeError } from '../../errors.ts';
import { testContext } from '../test-context.ts';
import { remove } from './remove.ts';

const document: RemoveDocument = {
  v: 1,
  provider: 'acme',
  outcome: 'removed',
  connections: ['default', 'work'],
  remote: { default: 'revoked', work: 'unreachable' },
  client_cleared: true,
};

/** A daemon at which acme has two connections; `asked` has what it was told to remove. */
function daemon(): { readonly client: Partial<Client>; readonly asked: boolean[] } {
  const asked: boolean[] = [];
  const removeProvider: Client['removeProvider'] = async (_provider, { withConnections = false } = {}) => {
    asked.push(withConnections);
    if (withConnections) return document;
    throw new AuthsomeError('ProviderInUse', 'acme has connections: default, work', { hint: 'add --yes' });
  };
  return { client: { removeProvider }, asked };
}

function person(answer: boolean) {
  const heard: string[] = [];
  const confirm = async (question: string): Promise<boolean> => {
    heard.push(question);
    return answer;
  };
  return { heard, questions: { confirm, secret: async () => undefined } };
}

it('names the connections, asks, and removes them with the provider after a yes', async () => {
  const { client, asked } = daemon();
  const { heard, questions } = person(true);
  const { context, output } = testContext({ client, questions });
  await remove(context, { provider: 'acme', yes: false });
  expect(asked).toEqual([false, true]);
  expect(heard).toEqual(['Remove them too, and revoke them where acme supports that?']);
  expect(output.stderr).toMatch(
    /^acme has connections: default, work\.\nacme\/default: revoked.*\nacme\/work: removed.*\nCleared the OAuth client of acme\.\nRemoved acme\.\n$/,
  );
});

it('removes nothing after a no', async () => {
  const { client, asked } = daemon();
  const { context } = testContext({ client, questions: person(false).questions });
  await expect(remove(context, { provider: 'acme', yes: false })).rejects.toMatchObject({
    code: 'Cancelled',
    message: 'acme was not removed',
  });
  expect(asked).toEqual([false]);
});

it('refuses where nobody can answer', async () => {
  const { client, asked } = daemon();
  const { context } = testContext({ client });
  await expect(remove(context, { provider: 'acme', yes: false })).rejects.toMatchObject({
    code: 'ProviderInUse',
  });
  expect(asked).toEqual([false]);
});

it('asks nothing with --yes, and prints the document under --json', async () => {
  const { client, asked } = daemon();
  const { heard, questions } = person(false);
  const { context, output } = testContext({ client, questions, json: true });
  await remove(context, { provider: 'acme', yes: true });
  expect(heard).toEqual([]);
  expect(asked).toEqual([true]);
  expect(JSON.parse(output.stdout)).toEqual(document);
});
