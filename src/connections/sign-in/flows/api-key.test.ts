import { expect, it } from 'vitest';
import { AuthsomeError } from '../../../errors.ts';
import { createConnections } from '../../connections.ts';
import { keyProvider, openFixture } from '../../testing/test-fixture.ts';

const key = 'sk-live-0123456789';

it('asks for the key on a page of the daemon, then hands it out', async () => {
  const fixture = openFixture([keyProvider(/^sk-[a-z0-9-]+$/)]);
  const connections = createConnections(fixture.options);
  const session = await connections.signIns.start({ provider: 'keys', force: false });
  expect(session).toMatchObject({
    status: 'waiting',
    flow: 'api_key',
    asksFor: 'secret',
    connection: 'default',
  });
  expect(session.authUrl).toMatch(`http://127.0.0.1:7998/auth/sessions/${session.id}/`);
  expect(session.providerUrl).toBeUndefined();

  const done = await connections.signIns.submitSecret(session.id, `  ${key}\n`);
  expect(done).toMatchObject({ status: 'connected', authUrl: undefined, asksFor: undefined });
  expect(done.revision).toBeGreaterThan(session.revision);

  expect(connections.credentials.peek('keys/default')).toBeUndefined();
  const live = await connections.credentials.acquire('keys/default');
  expect(live.secret).toBe(key);
  expect(connections.credentials.peek('keys/default')).toBe(live);
  expect(await connections.summaries()).toMatchObject([
    { provider: 'keys', name: 'default', isDefault: true, status: 'connected' },
  ]);
});

it('connects at once with a key from the environment', async () => {
  const { options } = openFixture([keyProvider()]);
  const connections = createConnections(options);
  const session = await connections.signIns.start({ provider: 'keys', force: false, apiKey: key });
  expect(session.status).toBe('connected');
  expect((await connections.read('keys', undefined, { showSecret: false })).apiKey).toBe('***');
  expect((await connections.read('keys', undefined, { showSecret: true })).apiKey).toBe(key);
  expect((await connections.exportVariables('keys')).variables).toEqual({ KEYS_API_KEY: key });
});

it.each([
  ['of another shape', 'pk_wrong_value'],
  ['with a line break inside', 'sk-one\nsk-two'],
  ['with a control character', 'sk-one\u0000two'],
  ['with letters that no header takes', 'sk-schlüssel'],
  ['that is empty', '   '],
])('refuses a key %s without repeating it, and keeps waiting', async (_, entered) => {
  const fixture = openFixture([keyProvider(/^sk-[^\s]+$/)]);
  const connections = createConnections(fixture.options);
  const { id } = await connections.signIns.start({ provider: 'keys', force: false });
  const error = await connections.signIns.submitSecret(id, entered).catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(AuthsomeError);
  expect(error).toMatchObject({ code: 'InvalidKey', hint: expect.stringContaining('begins with "sk-"') });
  if (entered.trim() !== '') expect(JSON.stringify([error, String(error)])).not.toContain(entered.trim());
  expect((await connections.signIns.read(id)).status).toBe('waiting');
  expect(await connections.summaries()).toEqual([]);
});

it('refuses to replace a connection without force, and replaces it with force', async () => {
  const { options } = openFixture([keyProvider()]);
  const connections = createConnections(options);
  await connections.signIns.start({ provider: 'keys', force: false, apiKey: key });
  await connections.credentials.acquire('keys/default');
  await expect(
    connections.signIns.start({ provider: 'keys', force: false, apiKey: 'sk-other' }),
  ).rejects.toMatchObject({ code: 'ConnectionExists', hint: expect.stringContaining('--force') });
  expect(connections.credentials.peek('keys/default')?.secret).toBe(key);
  await connections.signIns.start({ provider: 'keys', force: true, apiKey: 'sk-other' });
  expect(connections.credentials.peek('keys/default')).toBeUndefined();
  expect((await connections.credentials.acquire('keys/default')).secret).toBe('sk-other');
});

it.each(['', '../x', 'a/b', '-a', 'x'.repeat(65), 'a b', 'ä'])(
  'refuses the connection name %j',
  async (name) => {
    const connections = createConnections(openFixture([keyProvider()]).options);
    await expect(
      connections.signIns.start({ provider: 'keys', connection: name, force: false }),
    ).rejects.toMatchObject({ code: 'Usage' });
  },
);

it('keeps the first connection as the default until another is set', async () => {
  const fixture = openFixture([keyProvider()]);
  const connections = createConnections(fixture.options);
  await connections.signIns.start({ provider: 'keys', connection: 'work', force: false, apiKey: key });
  await connections.signIns.start({ provider: 'keys', connection: 'home', force: false, apiKey: 'sk-home' });
  expect((await connections.read('keys', undefined, { showSecret: false })).name).toBe('work');
  await connections.setDefault('keys', 'home');
  expect((await connections.read('keys', undefined, { showSecret: false })).name).toBe('home');
  await expect(connections.setDefault('keys', 'nowhere')).rejects.toMatchObject({
    code: 'ConnectionNotFound',
  });
  await connections.logout('keys', 'home');
  expect((await connections.read('keys', undefined, { showSecret: false })).name).toBe('work');
});

it('refuses a flow that the provider does not have, with the reason', async () => {
  const connections = createConnections(openFixture([keyProvider()]).options);
  await expect(
    connections.signIns.start({ provider: 'keys', flow: 'device_code', force: false }),
  ).rejects.toMatchObject({
    code: 'OperationNotAllowed',
    message: expect.stringContaining('it does not use OAuth'),
  });
  await expect(
    connections.signIns.start({ provider: 'keys', flow: 'magic', force: false }),
  ).rejects.toMatchObject({ code: 'Usage' });
});

it('names the variable that an unusable key came from', async () => {
  const fixture = openFixture([keyProvider(/^sk-[a-z]+$/)]);
  const connections = createConnections(fixture.options);
  const starting = connections.signIns.start({ provider: 'keys', force: false, apiKey: 'pk-psst' });
  await expect(starting).rejects.toMatchObject({
    code: 'InvalidKey',
    message: "the value of KEYS_API_KEY doesn't look like an API key for Keys Inc.",
  });
  expect(fixture.events.map(({ event, outcome }) => [event, outcome])).toEqual([
    ['sign_in.started', 'ok'],
    ['sign_in.failed', 'InvalidKey'],
  ]);
  expect(JSON.stringify(fixture.events)).not.toContain('psst');
});

it('begins no sign-in to a provider that nobody defines', async () => {
  const fixture = openFixture([keyProvider()]);
  const { signIns } = createConnections(fixture.options);
  await expect(signIns.start({ provider: 'kezs', force: false })).rejects.toMatchObject({
    code: 'ProviderNotFound',
  });
  expect(fixture.events).toEqual([]);
  await expect(signIns.readLastUnfinished()).rejects.toMatchObject({ code: 'SessionNotFound' });
});

it('finds the sign-in that was begun last, unless it ended connected', async () => {
  const fixture = openFixture([keyProvider()]);
  const { signIns } = createConnections(fixture.options);
  await expect(signIns.readLastUnfinished()).rejects.toMatchObject({ code: 'SessionNotFound' });
  const { id } = await signIns.start({ provider: 'keys', connection: 'work', force: false });
  await signIns.cancel(id);
  expect(await signIns.readLastUnfinished()).toMatchObject({ provider: 'keys', connection: 'work' });
  fixture.clock.nowMs += 1000;
  await signIns.start({ provider: 'keys', force: false, apiKey: key });
  await expect(signIns.readLastUnfinished()).rejects.toMatchObject({ code: 'SessionNotFound' });
});

it('hands out a warm credential without asking the vault, and none from the moment of revocation on', async () => {
  const { options } = openFixture([keyProvider()]);
  const asked: PropertyKey[] = [];
  const vault = new Proxy(options.vault, {
    get(target, name, receiver) {
      asked.push(name);
      return Reflect.get(target, name, receiver);
    },
  });
  const connections = createConnections({ ...options, vault });
  await connections.signIns.start({ provider: 'keys', force: false, apiKey: key });
  const live = await connections.credentials.acquire('keys/default');
  expect(asked).not.toEqual([]);

  asked.length = 0;
  for (let request = 0; request < 100; request += 1) {
    expect(connections.credentials.peek('keys/default')).toBe(live);
  }
  expect(asked).toEqual([]);

  await connections.revoke('keys');
  expect(connections.credentials.peek('keys/default')).toBeUndefined();
});

it('refuses a phantom, and keeps the key that it would have replaced', async () => {
  const { options } = openFixture([keyProvider()]);
  const isPhantom = (value: string): boolean => value === '0123456789abcdef';
  const connections = createConnections({ ...options, isPhantom });
  await connections.signIns.start({ provider: 'keys', force: false, apiKey: key });
  for (const phantom of ['phantom-2y7pnKYbBoyQkDR6Nng7BnlT3Q4wELVW', '0123456789abcdef']) {
    const start = connections.signIns.start({ provider: 'keys', force: true, apiKey: phantom });
    const error = await start.catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: 'InvalidKey', message: expect.stringContaining('is a phantom') });
    expect(String(error)).not.toContain(phantom);
  }
  expect((await connections.credentials.acquire('keys/default')).secret).toBe(key);
});
