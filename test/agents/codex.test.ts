import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AgentHome, filesWith, openStand, type Stand, until } from './stand.ts';

let stand: Stand;
let home: AgentHome;

beforeAll(async () => {
  stand = await openStand();
  home = stand.newHome();
});
afterAll(() => stand.close());

/** Signs in as a browser would, which comes back to the program's own address. */
async function signIn(person: string, at: AgentHome): Promise<void> {
  const login = stand.startAuthsome(['run', '--', 'codex', 'login'], at);
  const [url] = await login.seen('stderr', /https:\/\/auth\.openai\.com\/oauth\/authorize\S+/);
  const asked = new URL(url).searchParams;
  const back = new URL(asked.get('redirect_uri') ?? '');
  back.searchParams.set('code', person);
  back.searchParams.set('state', asked.get('state') ?? '');
  expect((await fetch(back)).status).toBe(200);
  const { code, stderr } = await login.ended;
  expect([code, stderr]).toEqual([0, expect.stringContaining('Successfully logged in')]);
}

const expired = ['{"alg":"none"}', '{"exp":1700000000}', 'none']
  .map((part) => Buffer.from(part).toString('base64url'))
  .join('.');
const authFile = (at: AgentHome) => join(at.path, '.codex/auth.json');
const authIn = (at: AgentHome) => JSON.parse(readFileSync(authFile(at), 'utf8'));
const tokenRequests = () => stand.standIn.requestsTo('auth.openai.com', '/oauth/token');

/**
 * Starts Codex and stops it once it has called the service: what the service answers to a conversation is not publicly
 * documented, so it is not imitated.
 */
async function callService(at: AgentHome): Promise<void> {
  const seen = stand.standIn.arrived.length;
  const exec = stand.startAuthsome(['run', '--', 'codex', 'exec', '--skip-git-repo-check', 'say hello'], at);
  await until(() => callsAfter(seen).length > 1, 'Codex calls its service');
  exec.child.kill();
  await exec.ended;
}

const callsAfter = (seen: number) =>
  stand.standIn.arrived.slice(seen).filter(({ host }) => host === 'chatgpt.com');

describe('Codex in a run', () => {
  it('signs in by its own page, and its file has phantoms', async () => {
    await signIn('ann', home);
    const { tokens, OPENAI_API_KEY } = authIn(home);
    expect(OPENAI_API_KEY).toBeNull();
    expect(tokens.account_id).toBe('account-ann');
    for (const name of ['access_token', 'refresh_token', 'id_token']) expect(tokens[name]).toMatch(/phantom/);
    expect(filesWith(stand.standIn.secrets, home)).toEqual([]);
    const status = await stand.authsome(['run', '--', 'codex', 'login', 'status'], home);
    expect(status.stderr + status.stdout).toContain('ChatGPT');
    const { providers } = await stand.json(['list']);
    expect(providers.find(({ name }: { name: string }) => name === 'codex').connections).toMatchObject([
      { name: 'default', status: 'connected', account: 'ann@example.com' },
    ]);
  });

  it('calls its service in two runs, with the real token on the wire', async () => {
    for (const at of [home, stand.newHome(home)]) {
      const seen = stand.standIn.arrived.length;
      await callService(at);
      const calls = callsAfter(seen);
      expect(calls.filter(({ status }) => status === 401)).toEqual([]);
      for (const { authorization } of calls)
        expect(stand.standIn.secrets).toContain(authorization?.replace('Bearer ', ''));
      expect(filesWith(stand.standIn.secrets, at)).toEqual([]);
    }
    expect(tokenRequests()).toHaveLength(1);
  });

  it('refreshes from the vault, two of them at once, and the service is not asked', async () => {
    const homes = [home, stand.newHome(home)];
    const before = authIn(home).tokens;
    // A phantom never expires by itself, so Codex has no reason to refresh: here its token says that it has one.
    for (const at of homes) {
      const auth = authIn(at);
      const tokens = { ...auth.tokens, access_token: expired };
      writeFileSync(authFile(at), JSON.stringify({ ...auth, tokens, last_refresh: '2026-01-01T00:00:00Z' }));
    }
    await Promise.all(homes.map(callService));
    for (const at of homes) {
      await until(() => authIn(at).tokens.access_token !== expired, 'Codex stores its refresh');
      expect(authIn(at).tokens).toMatchObject({
        access_token: before.access_token,
        refresh_token: before.refresh_token,
        id_token: before.id_token,
      });
      expect(filesWith(stand.standIn.secrets, at)).toEqual([]);
    }
    expect(tokenRequests()).toHaveLength(1);
  });

  it('signs out without ending the connection', async () => {
    const at = stand.newHome(home);
    await stand.authsome(['run', '--', 'codex', 'logout'], at);
    expect(stand.standIn.requestsTo('auth.openai.com', '/oauth/revoke')).toEqual([]);
    const seen = stand.standIn.arrived.length;
    await callService(home);
    expect(callsAfter(seen).filter(({ status }) => status === 401)).toEqual([]);
  });
});
