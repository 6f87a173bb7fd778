import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type AgentHome, openStand, type Stand } from './stand.ts';

let stand: Stand;
let home: AgentHome;
const key = `sk-ant-api03-${'Kq7'.repeat(20)}AA`;

beforeAll(async () => {
  stand = await openStand();
  home = stand.newHome();
  const login = stand.startOnTerminal(['run', '--', 'claude', 'auth', 'login', '--claudeai'], home);
  await login.seen('stdout', /Paste code here/);
  login.type('ann#state\r');
  await login.ended;
  await stand.authsome(['login', 'anthropic'], { stdin: key });
});
afterAll(() => stand.close());

/** The header fields with which a request of a program in a run arrives at the API. */
async function arriving(...fields: readonly string[]) {
  const script = `curl -sS -o /dev/null ${fields.map((field) => `-H "${field}"`).join(' ')} https://api.anthropic.com/api/oauth/profile`;
  await stand.authsome(['run', '--', 'sh', '-c', script]);
  const { authorization, apiKey } = stand.standIn.arrived.at(-1) ?? {};
  return { authorization, apiKey };
}

it('the phantom chooses between a subscription and an API key at the same host', async () => {
  const file = readFileSync(join(home.path, '.claude/.credentials.json'), 'utf8');
  const { accessToken } = JSON.parse(file).claudeAiOauth;
  const phantom = (await stand.authsome(['run', '--', 'printenv', 'ANTHROPIC_API_KEY'])).stdout.trim();
  const [token] = stand.standIn.secrets;
  const byKey = { authorization: undefined, apiKey: key };
  expect(await arriving(`x-api-key: ${phantom}`)).toEqual(byKey);
  expect(await arriving()).toEqual(byKey);
  const byToken = { authorization: `Bearer ${token}`, apiKey: undefined };
  expect(await arriving(`authorization: Bearer ${accessToken}`)).toEqual(byToken);
});

it('Claude Code uses the subscription where its run has no API key', async () => {
  const only = ['run', '--provider', 'claude-code', '--', 'claude', '-p', 'say hello'];
  const { code, stdout } = await stand.authsome(only, home);
  expect([code, stdout]).toEqual([0, 'hello ann\n']);
});
