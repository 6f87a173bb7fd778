import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Acme, connectAcme, connectPixel, createAcme } from '../support/fixture.ts';
import { acme, hosts, pixel } from '../support/service/index.ts';

let fixture: Acme;
let token = '';
const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/);

beforeAll(async () => {
  fixture = await createAcme();
  await connectAcme(fixture);
  await connectPixel(fixture);
  await connectAcme(fixture, '--connection', 'work').catch(() => undefined);
  token = fixture.service.authorization.issued[0]?.accessToken ?? '';
  await fixture.authsome(['run', '--', 'curl', '-sS', `https://${hosts.api}/v1/me?q=private`]);
});
afterAll(() => fixture.close());

describe('--json', () => {
  it('list', async () => {
    const list = await fixture.json(['list']);
    expect(list.v).toBe(1);
    const found = list.providers.find((provider: { name: string }) => provider.name === 'acme');
    expect(found).toMatchObject({
      display_name: 'Acme',
      source: 'custom',
      auth_type: 'oauth2',
      flow: 'pkce',
    });
    expect(found.connections[0]).toMatchObject({
      name: 'default',
      is_default: true,
      status: 'connected',
      scopes: ['read', 'write'],
      expires_at: time,
      account: null,
    });
    const names = list.providers.map((provider: { name: string }) => provider.name);
    for (const name of [
      'github',
      'gitlab',
      'google',
      'openai',
      'anthropic',
      'slack',
      'notion',
      'linear',
      'stripe',
      'resend',
    ]) {
      expect(names).toContain(name);
    }
  });

  it('get, which masks secrets unless asked not to', async () => {
    const masked = await fixture.json(['get', 'acme']);
    expect(masked).toMatchObject({
      v: 1,
      provider: 'acme',
      connection: 'default',
      auth_type: 'oauth2',
      status: 'connected',
      scopes: ['read', 'write'],
      expires_at: time,
      obtained_at: time,
      base_url: null,
      account: null,
      access_token: '***',
      refresh_token: '***',
    });
    const shown = await fixture.json(['get', 'acme', '--show-secret']);
    expect(shown.access_token).toBe(token);
    const log = await fixture.json(['log', '-n', '5']);
    expect(log.events.at(-1)).toMatchObject({ event: 'secret.revealed', provider: 'acme' });
    expect(await fixture.json(['get', 'acme', '--field', 'scopes'])).toEqual({
      v: 1,
      scopes: ['read', 'write'],
    });
    expect((await fixture.authsome(['get', 'acme', '--field', 'scopes'])).stdout).toBe('read\nwrite\n');
    expect((await fixture.authsome(['get', 'acme', '--field', 'status'])).stdout).toBe('connected\n');
    expect((await fixture.authsome(['get', 'acme', '--field', 'access_token'])).stdout).toBe('***\n');
    expect((await fixture.authsome(['get', 'acme', '--field', 'access_token', '--show-secret'])).stdout).toBe(
      `${token}\n`,
    );
  });

  it('inspect', async () => {
    expect(await fixture.json(['inspect', 'acme'])).toMatchObject({
      v: 1,
      name: 'acme',
      source: 'custom',
      redirect_uri: fixture.redirectUri,
      oauth: acme.oauth,
    });
    expect(await fixture.json(['inspect', 'github'])).toMatchObject({
      v: 1,
      name: 'github',
      source: 'bundled',
    });
  });

  it('log and explain', async () => {
    const log = await fixture.json(['log', '-n', '50']);
    expect(log.v).toBe(1);
    for (const event of log.events)
      expect(event).toMatchObject({
        id: expect.any(String),
        at: time,
        event: expect.any(String),
        outcome: expect.any(String),
      });
    for (const event of log.events)
      expect(Object.keys(event)).toEqual(
        expect.arrayContaining(['provider', 'connection', 'identity', 'run']),
      );
    expect(log.events.find(({ event }: { event: string }) => event === 'daemon.started')).toMatchObject({
      provider: null,
      connection: null,
      identity: null,
      run: null,
    });
    const decision = log.events.findLast((event: { event: string }) => event.event === 'decision');
    expect(decision).toMatchObject({
      provider: 'acme',
      identity: expect.any(String),
      run: expect.any(String),
      outcome: 'injected',
    });
    const explained = await fixture.json(['explain', decision.id]);
    expect(explained).toMatchObject({
      v: 1,
      decision: decision.id,
      outcome: 'injected',
      reason: expect.any(String),
      request: { method: 'GET', host: hosts.api, port: 443, path: '/v1/me' },
      connection: expect.stringMatching(/^(acme\/)?default$/),
      placement: expect.stringMatching(/authorization/i),
    });
    expect(explained.route).toContain(hosts.api);
    expect(explained.candidates.length).toBeGreaterThan(0);
    expect(JSON.stringify([log, explained])).not.toContain('private');
    expect(await fixture.json(['explain', 'dec_nothing'], 4)).toMatchObject({ error: 'DecisionNotFound' });
  });

  it('doctor', async () => {
    const doctor = await fixture.authsome(['doctor', '--json']);
    const document = JSON.parse(doctor.stdout);
    expect(document).toMatchObject({ v: 1, status: expect.stringMatching(/^(ok|warn)$/) });
    for (const check of document.checks) {
      expect(Object.keys(check)).toEqual(expect.arrayContaining(['name', 'status', 'message', 'fix']));
    }
    expect(doctor.stdout).toContain('api.acme.test');
  });

  it('export, as env, shell and json', async () => {
    expect((await fixture.authsome(['export', 'acme', '--format', 'env'])).stdout).toBe(
      `ACME_TOKEN=${token}\n`,
    );
    expect((await fixture.authsome(['export', 'acme', '--format', 'shell'])).stdout).toMatch(
      new RegExp(`^export ACME_TOKEN='?${token}'?\n$`),
    );
    const plain = await fixture.authsome(['export', 'pixel', '--format', 'json']);
    expect(JSON.parse(plain.stdout)).toEqual({ PIXEL_API_KEY: fixture.apiKey });
    expect(await fixture.json(['export', 'pixel'])).toMatchObject({
      v: 1,
      provider: 'pixel',
      connection: 'default',
      variables: { PIXEL_API_KEY: fixture.apiKey },
    });
  });

  it('follows the log, one event a line', async () => {
    const follow = fixture.startAuthsome(['log', '--follow', '--json', '-n', '1']);
    await follow.seen('stdout', /\n/);
    await fixture.authsome(['run', '--', 'curl', '-sS', `https://${hosts.api}/v1/followed`]);
    await follow.seen('stdout', /\/v1\/followed/);
    follow.child.kill('SIGINT');
    await follow.ended;
    for (const line of follow.output.stdout.trimEnd().split('\n'))
      expect(JSON.parse(line)).toHaveProperty('event');
  });
});

describe('a connection', () => {
  it('can be made the default, forgotten, and revoked at the provider', async () => {
    const env = { PIXEL_API_KEY: fixture.apiKey };
    expect(
      (await fixture.authsome(['login', 'pixel', '--connection', 'second', '--yes'], { env })).code,
    ).toBe(0);
    expect((await fixture.authsome(['connections', 'set-default', 'pixel', 'second'])).code).toBe(0);
    expect(await fixture.json(['get', 'pixel'])).toMatchObject({ connection: 'second' });
    expect((await fixture.authsome(['logout', 'pixel', '--connection', 'second'])).code).toBe(0);
    expect(await fixture.json(['get', 'pixel', '--connection', 'second'], 3)).toMatchObject({
      error: 'ConnectionNotFound',
    });
    const revoked = await fixture.json(['revoke', 'acme']);
    expect(revoked).toMatchObject({ v: 1, provider: 'acme', remote: { default: 'revoked' } });
    expect(await fixture.service.authorization.accepts(token)).toBe(false);
  });
});

describe('a definition', () => {
  it('can be registered, replaced only with --force, and removed', async () => {
    const file = join(fixture.directory, 'extra.json');
    writeFileSync(file, JSON.stringify({ ...acme, name: 'extra', api_url: 'https://extra.acme.test' }));
    expect((await fixture.authsome(['register', file, '--yes'])).code).toBe(0);
    expect(JSON.parse(readFileSync(join(fixture.home, 'providers/extra.json'), 'utf8'))).toMatchObject({
      name: 'extra',
    });
    expect((await fixture.authsome(['register', file])).code).toBe(7);
    expect((await fixture.authsome(['register', file, '--force', '--yes'])).code).toBe(0);
    expect(await fixture.json(['remove', 'extra'])).toMatchObject({
      v: 1,
      provider: 'extra',
      outcome: 'removed',
    });
    expect(await fixture.json(['inspect', 'extra'], 4)).toMatchObject({ error: 'ProviderNotFound' });
    expect((await fixture.authsome(['remove', 'github'])).code).toBe(4);
  });

  it('is removed with its connections only when that is said, and leaves nothing of them', async () => {
    const file = join(fixture.directory, 'shop.json');
    const shop = { ...pixel, name: 'shop', api_url: 'https://shop.acme.test' };
    writeFileSync(file, JSON.stringify(shop));
    const env = { PIXEL_API_KEY: fixture.apiKey };
    expect((await fixture.authsome(['register', file, '--yes'])).code).toBe(0);
    expect((await fixture.authsome(['login', 'shop', '--yes'], { env })).code).toBe(0);
    expect(await fixture.json(['remove', 'shop'], 4)).toMatchObject({
      error: 'ProviderInUse',
      message: 'shop has connections: default',
      hint: expect.stringContaining('authsome remove shop --yes'),
    });
    expect(await fixture.json(['get', 'shop'])).toMatchObject({ status: 'connected' });
    expect(await fixture.json(['remove', 'shop', '--yes'])).toEqual({
      v: 1,
      provider: 'shop',
      outcome: 'removed',
      connections: ['default'],
      remote: { default: 'unsupported' },
      client_cleared: false,
    });
    expect(existsSync(join(fixture.home, 'providers/shop.json'))).toBe(false);
    expect(await fixture.json(['get', 'shop'], 4)).toMatchObject({ error: 'ProviderNotFound' });
    // A definition of that name would find again what was left behind.
    expect((await fixture.authsome(['register', file, '--yes'])).code).toBe(0);
    expect(await fixture.json(['get', 'shop'], 3)).toMatchObject({ error: 'ConnectionNotFound' });
    expect((await fixture.authsome(['remove', 'shop'])).code).toBe(0);
  });
});
