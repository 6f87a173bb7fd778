import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Fixture, openFixture } from '../support/fixture.ts';
import { type StandIn, startStandIn } from './google-and-github.ts';

/** The real programs, each over two runs, against a stand-in of their services. */
const bin = join(import.meta.dirname, 'node_modules/.bin');
const isThere = (program: string): boolean => existsSync(join(bin, program));

let standIn: StandIn;
let fixture: Fixture;
let directory: string;
let env: Readonly<Record<string, string>>;
beforeEach(async () => {
  standIn = await startStandIn();
  directory = mkdtempSync(join(tmpdir(), 'authsome-agents-'));
  writeFileSync(join(directory, 'ca.pem'), standIn.caPem);
  fixture = await openFixture({
    AUTHSOME_RESOLVE: standIn.resolve,
    AUTHSOME_EXTRA_CA_CERTS: join(directory, 'ca.pem'),
  });
  env = { HOME: directory, PATH: `${bin}:${process.env.PATH}` };
});
afterEach(async () => {
  await fixture.close();
  await standIn.close();
  rmSync(directory, { recursive: true, force: true });
});

/** That no secret of the services is in anything the program could read. */
function expectNoSecretIn(...texts: readonly string[]): void {
  for (const secret of standIn.secrets) for (const text of texts) expect(text).not.toContain(secret);
}

describe.runIf(isThere('gemini'))('Gemini CLI', () => {
  const ask = () =>
    fixture.authsome(['run', '--', 'gemini', '-p', 'say hello'], {
      env: { ...env, GEMINI_CLI_TRUST_WORKSPACE: 'true' },
    });
  const file = () => join(directory, '.gemini', 'oauth_creds.json');
  const signedIn = (expiresInMs: number): string => {
    const { expires_in: _, ...tokens } = standIn.grantGoogle();
    const text = JSON.stringify({ ...tokens, expiry_date: Date.now() + expiresInMs });
    mkdirSync(join(directory, '.gemini'), { recursive: true });
    const settings = { security: { auth: { selectedType: 'oauth-personal' } } };
    writeFileSync(join(directory, '.gemini', 'settings.json'), JSON.stringify(settings));
    writeFileSync(file(), text, { mode: 0o600 });
    return text;
  };

  it('works with a sign-in that was taken over, over two runs and a refresh', {
    timeout: 120_000,
  }, async () => {
    const original = signedIn(-1_000);
    const taken = await fixture.json(['login', 'gemini-cli', '--yes'], 0, { env });
    expect(taken).toMatchObject({ status: 'connected', provider: 'gemini-cli', rewritten: [file()] });
    expectNoSecretIn(readFileSync(file(), 'utf8'));

    const first = await ask();
    expect([first.code, first.stdout]).toEqual([0, expect.stringContaining('hello from the stand-in')]);
    // The program asked for the refresh, and the daemon made it: with the real refresh token.
    const [refreshed] = standIn.to('oauth2.googleapis.com', '/token');
    expect(new URLSearchParams(refreshed?.body).get('refresh_token')).toBe(
      JSON.parse(original).refresh_token,
    );
    const second = await ask();
    expect([second.code, second.stdout]).toEqual([0, expect.stringContaining('hello from the stand-in')]);
    // The token is fresh now.
    expect(standIn.to('oauth2.googleapis.com', '/token')).toHaveLength(1);
    expectNoSecretIn(readFileSync(file(), 'utf8'), first.stdout, first.stderr, second.stdout, second.stderr);
    expect((await fixture.json(['list'])).providers).toContainEqual(
      expect.objectContaining({
        name: 'gemini-cli',
        connections: [expect.objectContaining({ status: 'connected', account: 'ann@example.com' })],
      }),
    );
  });

  it('has its file back, byte for byte', async () => {
    const original = signedIn(3_600_000);
    expect((await fixture.authsome(['login', 'gemini-cli', '--yes'], { env })).code).toBe(0);
    expect(readFileSync(file(), 'utf8')).not.toBe(original);
    expect((await fixture.authsome(['scan', '--undo', file()], { env })).code).toBe(0);
    expect(readFileSync(file(), 'utf8')).toBe(original);
  });

  it('is left alone by a run of another program, which gets the answer of the same endpoint', async () => {
    const { refresh_token } = standIn.grantGoogle();
    const body = `grant_type=refresh_token&client_id=another&client_secret=x&refresh_token=${refresh_token}`;
    const { stdout } = await fixture.authsome(
      ['run', '-p', 'gemini-cli', '--', 'curl', '-sS', '-d', body, 'https://oauth2.googleapis.com/token'],
      { env },
    );
    expect(standIn.secrets).toContain(JSON.parse(stdout).access_token);
    expect((await fixture.json(['list', '--all'])).providers).toContainEqual(
      expect.objectContaining({ name: 'gemini-cli', connections: [] }),
    );
  });
});

describe.runIf(isThere('copilot'))('GitHub Copilot', () => {
  const copilot = (...args: readonly string[]) =>
    fixture.authsome(['run', '--', 'copilot', ...args], {
      env: { ...env, COPILOT_AUTO_UPDATE: 'false', CI: '' },
    });

  it('signs in within a run, and works in the next', { timeout: 240_000 }, async () => {
    mkdirSync(join(directory, '.copilot'));
    writeFileSync(join(directory, '.copilot', 'settings.json'), '{"storeTokenPlaintext":true}');
    const login = await copilot('login');
    expect([login.code, login.stderr]).toEqual([
      0,
      expect.stringContaining('during this run: github-copilot/default connected.'),
    ]);
    const config = readFileSync(join(directory, '.copilot', 'config.json'), 'utf8');
    expect(config).toMatch(/"gho_\w*phantom/i);
    const asked = await copilot('-p', 'say hello', '--allow-all-tools', '--model', 'gpt-5.4');
    expect([asked.code, asked.stdout]).toEqual([0, expect.stringContaining('hello from the stand-in')]);
    expectNoSecretIn(config, login.stdout, login.stderr, asked.stdout, asked.stderr);
    for (const { path, authorization } of standIn.to(
      'api.individual.githubcopilot.com',
      '/chat/completions',
    )) {
      expect([path, authorization]).toEqual([path, `Bearer ${standIn.secrets[0]}`]);
    }
  });
});
