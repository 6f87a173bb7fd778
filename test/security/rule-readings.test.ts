import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type EchoService, echoHost, startEchoService } from '../e2e/echo-service.ts';
import { type Fixture, openFixture, register } from '../support/fixture.ts';

/**
 * The attack: an agent under a rule against `/prod/**` asks for a path that the rule does not match, and names the denied
 * one where some services take it from. Each of these reached the service with the credential.
 */
let echo: EchoService;
let fixture: Fixture;
let directory: string;

beforeAll(async () => {
  echo = await startEchoService();
  directory = mkdtempSync(join(tmpdir(), 'authsome-echo-'));
  const caFile = join(directory, 'ca.pem');
  writeFileSync(caFile, echo.caPem);
  fixture = await openFixture({ AUTHSOME_RESOLVE: echo.resolve, AUTHSOME_EXTRA_CA_CERTS: caFile });
  await register(fixture, {
    schema_version: 1,
    name: 'echo',
    display_name: 'Echo',
    auth_type: 'api_key',
    flow: 'api_key',
    api_url: `https://${echoHost}`,
    api_key: { header_name: 'Authorization', header_prefix: 'Bearer', env_var: 'ECHO_KEY' },
  });
  const login = await fixture.authsome(['login', 'echo'], { env: { ECHO_KEY: `ec_${'a1'.repeat(16)}` } });
  expect(login).toMatchObject({ code: 0 });
  const rules = [{ id: 'not-prod', effect: 'deny', providers: ['echo'], paths: ['/prod/**'] }];
  writeFileSync(join(fixture.home, 'config.json'), JSON.stringify({ rules }), { mode: 0o600 });
  await fixture.authsome(['daemon', 'restart']);
});
afterAll(async () => {
  await fixture.close();
  echo.close();
  rmSync(directory, { recursive: true, force: true });
});

/** What a child's curl gets. */
async function ask(path: string, ...options: readonly string[]): Promise<string> {
  const curl = ['curl', '-sS', '-i', '--path-as-is', '--suppress-connect-headers', ...options];
  const outcome = await fixture.authsome(['run', '--', ...curl, `https://${echoHost}${path}`]);
  expect(outcome.stdout).toMatch(/^HTTP\/1\.1 /);
  return outcome.stdout;
}

const refused = /^HTTP\/1\.1 4\d\d [\s\S]*\r\nauthsome-decision: dec_/i;

describe('a rule against a path', () => {
  it('denies it, and lets its neighbor pass', async () => {
    expect(await ask('/prod/1')).toMatch(refused);
    expect(await ask('/test/1')).toContain('"path":"/test/1"');
  });

  it.each(['X-Original-URL', 'X-Rewrite-URL', 'X_Original_URL'])('also denies it in %s', async (name) => {
    const answer = await ask('/test/1', '-H', `${name}: /prod/1`);
    expect(answer).toMatch(refused);
    expect(answer).toContain('PolicyDenied');
    expect(answer).not.toContain('"path"');
  });

  it.each(['/test/%0a/../prod/1', '/prod%0d/1', '/prod%00/1', '/pro%zzd/1', '/prod/%4'])(
    'is not dodged by a path that services read in different ways: %s',
    async (path) => {
      const answer = await ask(path);
      expect(answer).toMatch(refused);
      expect(answer).not.toContain('"path"');
    },
  );
});
