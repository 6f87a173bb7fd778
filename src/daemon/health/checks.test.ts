import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import type { DoctorDocument, ReadyDocument } from '../../client/index.ts';
import { openDatabase } from '../../storage/test-storage.ts';
import { policyIn } from '../rules.ts';
import { type Fixture, openFixture } from '../test-daemon.ts';

let fixture: Fixture;
afterEach(() => fixture.close());

async function doctor(): Promise<DoctorDocument> {
  return (await (await fixture.call('GET', '/v1/doctor')).json()) as DoctorDocument;
}

const find = ({ checks }: DoctorDocument, name: string) => checks.find((check) => check.name === name);

it('finds nothing wrong with a fresh home', async () => {
  fixture = await openFixture();
  const document = await doctor();
  expect(document.checks.filter(({ status }) => status !== 'ok')).toEqual([]);
  expect(document).toMatchObject({ v: 1, status: 'ok' });
  expect(find(document, 'key_source')?.message).toContain('env');
});

it('names a definition that was broken by hand, and stays ready', async () => {
  fixture = await openFixture();
  mkdirSync(join(fixture.home, 'providers'), { recursive: true });
  writeFileSync(join(fixture.home, 'providers/broken.json'), '{"name": "broken", "flow": 3}', {
    mode: 0o600,
  });
  const document = await doctor();
  expect(find(document, 'providers')).toMatchObject({ status: 'warn', fix: expect.any(String) });
  expect(find(document, 'providers')?.message).toContain('broken');
  const ready = (await (await fetch(`${fixture.daemon.url}/ready`)).json()) as ReadyDocument;
  expect(ready.ready).toBe(true);
  expect(JSON.stringify(ready)).not.toContain('broken.json');
});

it('names a connection whose definition was deleted by hand, with the command that removes it', async () => {
  fixture = await openFixture();
  const definition = {
    schema_version: 1,
    name: 'acme',
    display_name: 'Acme',
    auth_type: 'api_key',
    flow: 'api_key',
    api_url: 'https://api.acme.example',
    api_key: { header_name: 'X-API-Key' },
  };
  await fixture.call('POST', '/v1/providers', { definition, force: false });
  const request = { provider: 'acme', force: false, api_key: 'a-key-0123456789' };
  expect((await fixture.call('POST', '/v1/auth-sessions', request)).ok).toBe(true);
  expect(find(await doctor(), 'connections')).toMatchObject({ status: 'ok' });
  rmSync(join(fixture.home, 'providers/acme.json'));
  await fixture.call('GET', '/v1/providers');
  expect(find(await doctor(), 'connections')).toMatchObject({
    status: 'warn',
    message: expect.stringContaining('acme/default'),
    fix: 'authsome revoke acme',
  });
  expect((await fixture.call('POST', '/v1/providers/acme/revoke')).ok).toBe(true);
  expect(find(await doctor(), 'connections')).toMatchObject({ status: 'ok' });
});

it('warns of a setting that authsome does not know, which nothing else mentions', async () => {
  fixture = await openFixture();
  const file = join(fixture.home, 'config.json');
  writeFileSync(file, '{"rule": [{"id": "none", "effect": "deny"}], "rules": [], "log_level": "debug"}');
  expect(find(await doctor(), 'config')).toMatchObject({
    status: 'warn',
    message: 'config.json has unknown settings: rule',
    fix: expect.stringContaining(file),
  });
});

it('names a key within run that nothing reads, and one that cannot be meant', async () => {
  fixture = await openFixture();
  const file = join(fixture.home, 'config.json');
  writeFileSync(file, '{"run": {"connection": {"github": "work"}, "egress": "open"}}');
  expect(find(await doctor(), 'config')).toMatchObject({
    status: 'warn',
    message: 'config.json has unknown settings: run.connection',
  });
  writeFileSync(file, '{"run": {"connections": {"github": 7}}}');
  expect(find(await doctor(), 'config')).toMatchObject({
    status: 'fail',
    message: expect.stringContaining('run.connections.github in config.json'),
  });
});

it('names a home that was opened to others, with the command that fixes it', async () => {
  fixture = await openFixture();
  chmodSync(fixture.home, 0o750);
  expect(find(await doctor(), 'home')).toMatchObject({ status: 'fail', fix: `chmod 700 ${fixture.home}` });
});

it('says when the audit trail was modified outside authsome', async () => {
  fixture = await openFixture();
  await fixture.call('GET', '/v1/audit');
  const database = await openDatabase(join(fixture.home, 'server/authsome.db'));
  database.script('DROP TRIGGER audit_blocks_are_final');
  database.run("UPDATE audit_blocks SET body = replace(body, 'daemon.started', 'daemon.stopped')");
  database.close();
  const document = await doctor();
  expect(document.status).toBe('fail');
  expect(find(document, 'audit')).toMatchObject({
    status: 'fail',
    message: 'the audit trail was modified outside authsome: its hash chain breaks at event 1',
  });
});

it('denies everything when the rules cannot be read, and says so', async () => {
  fixture = await openFixture({ config: { rules: [{ id: 'x', effect: 'perhaps' }] } });
  expect(find(await doctor(), 'rules')).toMatchObject({
    status: 'fail',
    message: expect.stringContaining('everything is denied'),
  });
  const request = {
    identity: 'me',
    provider: 'github',
    connection: 'default',
    method: 'GET',
    host: 'api.github.com',
    path: '/',
  };
  expect(policyIn({ rules: 7 }).policy(request).allowed).toBe(false);
  expect(policyIn({}).policy(request).allowed).toBe(true);
});
