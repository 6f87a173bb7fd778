import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openEchoFixture } from '../support/echo-fixture.ts';
import { echoHost } from '../support/echo-service.ts';
import type { Fixture } from '../support/fixture.ts';

/**
 * The attack: an agent under a rule against `/prod/**` asks for a path that the rule does not match, and names the denied
 * one where some services take it from. Each of these reached the service with the credential.
 */
let fixture: Fixture;

beforeAll(async () => {
  fixture = await openEchoFixture(`ec_${'a1'.repeat(16)}`);
  const rules = [{ id: 'not-prod', effect: 'deny', providers: ['echo'], paths: ['/prod/**'] }];
  writeFileSync(join(fixture.home, 'config.json'), JSON.stringify({ rules }), { mode: 0o600 });
  await fixture.authsome(['daemon', 'restart']);
});
afterAll(() => fixture.close());

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
