import { expect, it } from 'vitest';
import type { ExplainDocument } from '../../client/index.ts';
import { testContext } from '../test-context.ts';
import { explain } from './explain.ts';

const document: ExplainDocument = {
  v: 1,
  decision: 'dec_1',
  at: '2026-01-01T00:00:00Z',
  outcome: 'refused',
  reason: 'a reason',
  request: { method: 'GET', host: 'api.example', port: 443, path: '/user' },
  route: null,
  connection: null,
  rule: null,
  placement: null,
  missing_scopes: [],
  hint: null,
  candidates: [],
};

it.each([
  ['what went to the port of https', {}, null, 'GET https://api.example/user'],
  [
    'what carried a credential to another port',
    { port: 8443 },
    'header',
    'GET https://api.example:8443/user',
  ],
  ['a request over plain http, without calling it https', { port: 80 }, null, 'GET api.example:80/user'],
  ['a request that named no host', { host: '', port: 0, path: '' }, null, 'GET'],
])('shows %s', async (_, request, placement, shown) => {
  const decision = async () => ({ ...document, placement, request: { ...document.request, ...request } });
  const { context, output } = testContext({ client: { decision } });
  await explain(context, 'last');
  expect(
    output.stdout
      .split('\n')
      .find((line) => line.startsWith('request'))
      ?.trimEnd(),
  ).toBe(`request     ${shown}`);
});
