import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Acme, connectAcme, connectPixel, createAcme, overridesNote } from '../support/fixture.ts';

/**
 * The attack: an agent in a run that is narrowed to one provider (`run -p acme`) reads its own environment. It found there
 * the real key of every other connected provider that the person's shell had exported, and any copy of a key under a
 * name that no definition has.
 */
let fixture: Acme;
let token = '';
beforeAll(async () => {
  fixture = await createAcme();
  await connectAcme(fixture);
  await connectPixel(fixture);
  token = fixture.service.authorization.issued[0]?.accessToken ?? '';
});
afterAll(() => fixture.close());

const readEnvironment = (options: readonly string[], env: Readonly<Record<string, string>>) =>
  fixture.authsome(['run', ...options, '--', 'env'], { env });

describe('the environment of a narrowed run', () => {
  it('has no key of a provider that is connected but not in the run', async () => {
    const env = { PIXEL_API_KEY: fixture.apiKey };
    const { code, stdout, stderr } = await readEnvironment(['-p', 'acme'], env);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^ACME_TOKEN=./m);
    expect(stdout).not.toMatch(/^PIXEL_API_KEY=/m);
    expect(stdout).not.toContain(fixture.apiKey);
    expect(stderr).toContain('Not passed on: PIXEL_API_KEY.');
    expect(stderr).not.toContain(fixture.apiKey);
  });

  it('has no secret of the vault under a name of the person’s own', async () => {
    const { clientSecret } = fixture.client;
    const env = {
      MY_OWN_NAME: fixture.apiKey,
      HEADER: `Bearer ${token}`,
      DEPLOY: clientSecret,
      OTHER: 'kept-1234',
    };
    const { stdout, stderr } = await readEnvironment(['-p', 'pixel'], env);
    for (const secret of [fixture.apiKey, token, clientSecret]) {
      expect(stdout).not.toContain(secret);
      expect(stderr).not.toContain(secret);
    }
    // Stand-ins for the run's credentials keep working; the others are removed.
    expect(stdout).toMatch(/^MY_OWN_NAME=px_[a-z0-9]{32}$/m);
    expect(stdout).not.toMatch(/^(?:HEADER|DEPLOY)=/m);
    expect(stdout).toMatch(/^OTHER=kept-1234$/m);
    expect(stderr).toContain('Phantoms replace: MY_OWN_NAME. Not passed on: DEPLOY, HEADER.');
  });

  it('says nothing under --quiet, and nothing where nothing was held back', async () => {
    const quiet = await readEnvironment(['--quiet', '-p', 'acme'], { PIXEL_API_KEY: fixture.apiKey });
    expect([quiet.stderr, quiet.stdout.includes(fixture.apiKey)]).toEqual(['', false]);
    const { stderr } = await readEnvironment(['-p', 'acme'], { OTHER: 'kept-1234' });
    expect(stderr).toMatch(overridesNote);
    expect(stderr).not.toMatch(/Phantoms replace|Not passed on/);
  });

  it('sends the daemon fingerprints, never a value, and the trail has none either', async () => {
    const log = await fixture.json(['log']);
    expect(JSON.stringify(log)).toContain('"secret.compared"');
    expect(JSON.stringify(log)).not.toContain(fixture.apiKey);
  });

  it('names its run', async () => {
    const { stdout } = await readEnvironment([], {});
    expect(stdout).toMatch(/^AUTHSOME_RUN=run_[\w-]+$/m);
  });
});
