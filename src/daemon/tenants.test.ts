import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type {
  AuthSessionDocument,
  DoctorDocument,
  ListDocument,
  LogDocument,
  RunDocument,
  ScanAnswerDocument,
  WhoamiDocument,
} from '../client/index.ts';
import { addPrincipal, type Fixture, openFixture, plainRequest, testIdentity } from './test-daemon.ts';

const key = `sk-proj-${'A1b2'.repeat(12)}`;
const otherKey = `sk-proj-${'C3d4'.repeat(12)}`;
const second = testIdentity('second');

let fixture: Fixture;
let pending: AuthSessionDocument;
let run: RunDocument;
const leases = new AbortController();

/** The document that a call answers with, as the second principal unless as the first. */
async function ask<Document>(method: string, target: string, body?: unknown, as = second): Promise<Document> {
  return (await (await fixture.call(method, target, body, { identity: as })).json()) as Document;
}
const statusOf = async (method: string, target: string, body?: unknown): Promise<number> =>
  (await fixture.call(method, target, body, { identity: second })).status;

async function openRun(as = second): Promise<RunDocument> {
  const request = { providers: [], connections: {}, command: 'agent', ca_files: [] };
  const init = { identity: as, signal: leases.signal };
  const response = await fixture.call('POST', '/v1/runs', request, init);
  const first = await response.body?.getReader().read();
  return JSON.parse(Buffer.from(first?.value ?? []).toString()) as RunDocument;
}

const signIn = (apiKey: string, as = second) =>
  ask('POST', '/v1/auth-sessions', { provider: 'openai', force: true, api_key: apiKey }, as);
const signInInBrowser = (as = second) =>
  ask<AuthSessionDocument>('POST', '/v1/auth-sessions', { provider: 'github', force: true }, as);
const eventsOf = async (as = second) =>
  (await ask<LogDocument>('GET', '/v1/audit?limit=1000', undefined, as)).events;
const connectionsOf = async (as = second) =>
  (await ask<ListDocument>('GET', '/v1/providers', undefined, as)).providers.flatMap(
    ({ connections }) => connections,
  );

beforeAll(async () => {
  fixture = await openFixture();
  const { identity } = fixture;
  await signIn(key, identity);
  pending = await signInInBrowser(identity);
  run = await openRun(identity);
  await addPrincipal(fixture.home, 'user', second);
});
afterAll(async () => {
  leases.abort();
  await fixture.close();
});

describe('a second principal', () => {
  it('has a role and a vault of its own', async () => {
    const mine = await ask<WhoamiDocument>('GET', '/v1/whoami');
    const first = await ask<WhoamiDocument>('GET', '/v1/whoami', undefined, fixture.identity);
    expect(mine.principal).toEqual({ id: 'prn_second', role: 'user' });
    expect(first.principal.role).toBe('admin');
    expect(mine.vault).not.toBe(first.vault);
  });

  it('sees no connection of the first one', async () => {
    expect(await connectionsOf(fixture.identity)).toHaveLength(1);
    expect(await connectionsOf()).toEqual([]);
    expect(await statusOf('GET', '/v1/connections/openai?show_secret=1')).toBe(404);
    expect(await statusOf('POST', '/v1/connections/openai/export')).toBe(404);
    expect(await statusOf('DELETE', '/v1/connections/openai')).toBe(404);
    const values = [{ provider: 'openai', value: key }];
    const { answers } = await ask<ScanAnswerDocument>('POST', '/v1/scan', { values });
    expect(answers).toEqual([{ in_vault: 'absent', connection: null }]);
    expect(await connectionsOf(fixture.identity)).toHaveLength(1);
  });

  it('sees no sign-in of the first one', async () => {
    const session = `/v1/auth-sessions/${pending.session_id}`;
    expect(await statusOf('GET', session)).toBe(404);
    expect(await statusOf('DELETE', session)).toBe(404);
    expect(await statusOf('POST', `${session}/client`, { client_id: 'id', client_secret: '' })).toBe(404);
    expect(await statusOf('GET', '/v1/auth-sessions/last')).toBe(404);
    expect(await ask('GET', session, undefined, fixture.identity)).toMatchObject({ status: 'waiting' });
  });

  it('sees no run of the first one, nor its phantoms', async () => {
    const value = run.phantoms.OPENAI_API_KEY ?? '';
    const body = { values: [{ provider: 'openai', value }] };
    const { answers: theirs } = await ask<ScanAnswerDocument>('POST', '/v1/scan', body, fixture.identity);
    expect(theirs).toEqual([{ in_vault: 'phantom', connection: null }]);
    const { answers } = await ask<ScanAnswerDocument>('POST', '/v1/scan', body);
    expect(answers).toEqual([{ in_vault: 'absent', connection: null }]);
  });

  it('sees no event and no decision of the first one', async () => {
    const events = await eventsOf();
    expect(events.filter(({ identity }) => identity !== second.handle)).toEqual([]);
    const { username, password } = new URL(run.proxy_url);
    const token = Buffer.from(`${username}:${password}`).toString('base64');
    const proxied = await plainRequest(run.proxy_url, 'GET', 'http://api.openai.com/v1/models', {
      host: 'api.openai.com',
      'proxy-authorization': `Basic ${token}`,
    });
    expect(proxied.status).toBeGreaterThanOrEqual(400);
    const decision = (await eventsOf(fixture.identity)).find(({ event }) => event === 'decision');
    expect(decision).toMatchObject({ run: run.run_id });
    expect(await statusOf('GET', `/v1/decisions/${decision?.id}`)).toBe(404);
    expect(await statusOf('GET', '/v1/decisions/last')).toBe(404);
  });

  it('sees its own vault and connections in doctor, and no other', async () => {
    const finding = async (as = second) =>
      (await ask<DoctorDocument>('GET', '/v1/doctor', undefined, as)).checks.find(
        ({ name }) => name === 'connections',
      );
    await signIn(otherKey);
    expect((await finding())?.message).not.toContain('openai');
    expect((await finding())?.status).toBe('ok');
  });

  it('has connections, sign-ins, runs and events of its own, which are recorded with its id', async () => {
    expect(await ask('GET', '/v1/connections/openai?show_secret=1')).toMatchObject({ api_key: otherKey });
    expect(
      await ask('GET', '/v1/connections/openai?show_secret=1', undefined, fixture.identity),
    ).toMatchObject({ api_key: key });
    const session = await signInInBrowser();
    expect(await ask('GET', '/v1/auth-sessions/last')).toMatchObject({ session_id: session.session_id });
    const own = await openRun();
    expect(own.phantoms.OPENAI_API_KEY).not.toBe(run.phantoms.OPENAI_API_KEY);
    const events = await eventsOf();
    expect(events.map(({ event }) => event)).toEqual(
      expect.arrayContaining(['sign_in.completed', 'sign_in.started', 'run.started']),
    );
    for (const event of events) expect(event).toMatchObject({ principal: 'prn_second' });
    expect(events.filter((event) => event.run !== null).map((event) => event.run)).toEqual([own.run_id]);
  });

  it('cannot store a phantom of the first one as a key', async () => {
    const refused = await signIn(run.phantoms.OPENAI_API_KEY ?? '');
    expect(refused).toMatchObject({ error: 'InvalidKey', message: expect.stringContaining('phantom') });
    expect(await ask('GET', '/v1/connections/openai?show_secret=1')).toMatchObject({ api_key: otherKey });
  });

  it('is seen by the first one, which is an admin, in the events alone', async () => {
    const events = await eventsOf(fixture.identity);
    const principals = new Set(events.map((event) => ('principal' in event ? event.principal : undefined)));
    expect(principals).toEqual(new Set([undefined, 'prn_second']));
    expect(await connectionsOf(fixture.identity)).toHaveLength(1);
    expect(await ask('GET', '/v1/auth-sessions/last', undefined, fixture.identity)).toMatchObject({
      session_id: pending.session_id,
    });
  });

  it('defines no provider for all', async () => {
    const definition = { schema_version: 1, name: 'mine', display_name: 'Mine' };
    expect(await statusOf('POST', '/v1/providers', { definition, force: true })).toBe(403);
    expect(await statusOf('DELETE', '/v1/providers/github')).toBe(403);
    const { providers } = await ask<ListDocument>('GET', '/v1/providers');
    expect(providers.filter(({ source }) => source === 'custom')).toEqual([]);
  });

  it('ends its own sign-in by its callback, of which a waiting one of the first is not warned', async () => {
    const atProvider = async (as = second): Promise<AuthSessionDocument> => {
      const { session_id: id } = await signInInBrowser(as);
      const client = { client_id: 'some-client', client_secret: '' };
      return ask<AuthSessionDocument>('POST', `/v1/auth-sessions/${id}/client`, client, as);
    };
    const theirs = await atProvider(fixture.identity);
    const own = await atProvider();
    const state = new URL(own.provider_url ?? '').searchParams.get('state');
    const callback = `${fixture.daemon.url}/auth/callback/oauth?error=access_denied&state=${state}`;
    expect((await fetch(callback, { redirect: 'manual' })).status).toBe(303);
    const sessionOf = ({ session_id: id }: AuthSessionDocument, as = second) =>
      ask<AuthSessionDocument>('GET', `/v1/auth-sessions/${id}`, undefined, as);
    expect(await sessionOf(own)).toMatchObject({ status: 'failed', warnings: [] });
    expect(await sessionOf(theirs, fixture.identity)).toMatchObject({ status: 'waiting', warnings: [] });
    const names = (await eventsOf(fixture.identity)).map(({ event }) => event);
    expect(names).not.toContain('sign_in.state_mismatch');

    // Its state is used up: from now on nobody expects it, so everybody who waits is warned.
    expect((await fetch(callback, { redirect: 'manual' })).status).toBe(400);
    expect((await sessionOf(theirs, fixture.identity)).warnings).toHaveLength(1);
    expect(await sessionOf(theirs, fixture.identity)).toMatchObject({ status: 'waiting' });
  });
});
