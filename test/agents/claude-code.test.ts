import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AgentHome, filesWith, openStand, type Stand } from './stand.ts';

let stand: Stand;
let home: AgentHome;

beforeAll(async () => {
  stand = await openStand();
  home = stand.newHome();
});
afterAll(() => stand.close());

/** Signs in as a person would: a browser somewhere, and its code pasted here. */
async function signIn(person: string, at: AgentHome): Promise<void> {
  const login = stand.startOnTerminal(['run', '--', 'claude', 'auth', 'login', '--claudeai'], at);
  await login.seen('stdout', /oauth\/authorize[\s\S]*Paste code here/);
  login.type(`${person}#state\r`);
  const { code, stdout } = await login.ended;
  expect([code, stdout]).toEqual([0, expect.stringContaining('Login successful')]);
}

const say = (at: AgentHome) => stand.authsome(['run', '--', 'claude', '-p', 'say hello'], at);
const tokenRequests = () => stand.standIn.requestsTo('platform.claude.com', '/v1/oauth/token');
const credentialsIn = (at: AgentHome) =>
  JSON.parse(readFileSync(join(at.path, '.claude/.credentials.json'), 'utf8')).claudeAiOauth;

describe('Claude Code in a run', () => {
  it('signs in on a terminal, and its files have phantoms', async () => {
    await signIn('ann', home);
    const { accessToken, refreshToken, subscriptionType } = credentialsIn(home);
    expect(accessToken).toMatch(/^sk-ant-oat01-.*phantom/);
    expect(refreshToken).toMatch(/^sk-ant-ort01-.*phantom/);
    expect(subscriptionType).toBe('max');
    expect(filesWith(stand.standIn.secrets, home)).toEqual([]);
    const { providers } = await stand.json(['list']);
    expect(providers.find(({ name }: { name: string }) => name === 'claude-code').connections).toMatchObject([
      { name: 'default', status: 'connected', account: 'ann@example.com' },
    ]);
    const { events } = await stand.json(['log']);
    expect(events).toContainEqual(
      expect.objectContaining({
        event: 'sign_in.completed',
        provider: 'claude-code',
        run: expect.stringMatching(/^run_/),
        pid: expect.any(Number),
        program: expect.stringContaining('claude'),
      }),
    );
  });

  it('works in two further runs, with the real token on the wire', async () => {
    for (const at of [home, stand.newHome(home)]) {
      const { code, stdout } = await say(at);
      expect([code, stdout]).toEqual([0, 'hello ann\n']);
      expect(filesWith(stand.standIn.secrets, at)).toEqual([]);
    }
    const calls = stand.standIn.arrived.filter(({ path }) => path.startsWith('/v1/messages'));
    expect(calls.every(({ status }) => status === 200)).toBe(true);
    expect(tokenRequests()).toHaveLength(1);
  });

  it('refreshes by one refresher, for two of them at once', async () => {
    stand.standIn.ttlSeconds = 1;
    const bobs = stand.newHome();
    await signIn('bob', bobs);
    stand.standIn.ttlSeconds = 3_600;
    const homes = [bobs, stand.newHome(bobs)];
    const before = homes.map((at) => credentialsIn(at));
    const outcomes = await Promise.all(homes.map(say));
    expect(outcomes.map(({ code, stdout }) => [code, stdout])).toEqual(homes.map(() => [0, 'hello bob\n']));
    for (const [index, at] of homes.entries()) {
      const { accessToken, refreshToken, expiresAt } = credentialsIn(at);
      expect([accessToken, refreshToken]).toEqual([before[index].accessToken, before[index].refreshToken]);
      // The agent has asked for a refresh, and got what is really left.
      expect(expiresAt).toBeGreaterThan(before[index].expiresAt + 1_000_000);
      expect(filesWith(stand.standIn.secrets, at)).toEqual([]);
    }
    // Each refresh token works once: two refreshers would have ended the grant.
    const refreshes = tokenRequests().filter(({ body }) => body.includes('"refresh_token"'));
    expect(refreshes.length).toBeGreaterThan(0);
    expect(refreshes.map(({ status }) => status)).toEqual(refreshes.map(() => 200));
    expect(refreshes.filter(({ body }) => body.includes('phantom'))).toEqual([]);
    // The other home holds the same phantoms, and so the account that signed in last.
    expect((await say(home)).stdout).toBe('hello bob\n');
  });
});
