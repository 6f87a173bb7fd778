import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Fixture, openFixture } from '../support/fixture.ts';

const token = {
  classic: `ghp_${'aB3x'.repeat(9)}`,
  rotated: `ghp_${'Zy8w'.repeat(9)}`,
  fine: `github_pat_11${'aB3xZy8wQ1'.repeat(2)}_${'k7Lm2Np4Rs'.repeat(6).slice(0, 59)}`,
};
let fixture: Fixture;
beforeAll(async () => {
  fixture = await openFixture();
  await signIn(token.classic);
});
afterAll(() => fixture.close());

async function signIn(stdin: string, ...more: string[]): Promise<void> {
  const { code, stderr } = await fixture.authsome(
    ['login', 'github', '--flow', 'api_key', '--force', ...more],
    { stdin },
  );
  expect([code, stderr]).toEqual([0, expect.anything()]);
}
const given = async (...options: string[]): Promise<string> =>
  (await fixture.authsome(['run', ...options, '--', 'printenv', 'GITHUB_TOKEN'])).stdout.trim();

describe('the phantom of a connection', () => {
  it('is the same in every run, after a restart of the daemon, and after a rotation', async () => {
    const phantom = await given();
    expect(phantom).toMatch(/^ghp_phantom[A-Za-z0-9]{29}$/);
    expect(await given()).toBe(phantom);
    expect(new Set(await Promise.all([given(), given(), given()]))).toEqual(new Set([phantom]));
    await fixture.authsome(['daemon', 'restart']);
    expect(await given()).toBe(phantom);
    await signIn(token.rotated);
    expect(await given()).toBe(phantom);
  });

  it('follows the kind of the key: a fine-grained token is not shown as a classic one', async () => {
    const classic = await given();
    await signIn(token.fine);
    const fine = await given();
    expect(fine).toMatch(/^github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}$/);
    await signIn(token.classic);
    expect(await given()).toBe(classic);
  });

  it('is not another connection’s', async () => {
    await signIn(token.rotated, '--connection', 'work');
    const other = await given('-p', 'github/work');
    expect(other).toMatch(/^ghp_phantom/);
    expect(other).not.toBe(await given());
  });

  it('is another one after the connection has been removed and made again', async () => {
    const before = await given();
    await fixture.authsome(['logout', 'github', '--connection', 'default']);
    await signIn(token.classic);
    expect(await given('-p', 'github/default')).not.toBe(before);
  });
});

it('is in no file that authsome writes in the clear', async () => {
  const phantom = await given();
  const found = execFileSync('sh', ['-c', `grep -rl "${phantom}" "${fixture.home}" || true`]).toString();
  expect(found).toBe('');
});

describe('a real secret in the environment of a run', () => {
  const unknown = `ghp_${'Qw3r'.repeat(9)}`;
  const claude = `sk-ant-api03-${'aB3x_'.repeat(19)}`;
  const env = {
    MINE: unknown,
    CLAUDE: claude,
    GITHUB_TOKEN: token.classic,
    PLAIN: 'sk-learn-pipeline-of-today',
  };

  it('is replaced by the phantom of its connection, or left out where there is none', async () => {
    const phantom = await given('-p', 'github/default');
    const { stdout, stderr } = await fixture.authsome(['run', '-p', 'github/default', '--', 'env'], { env });
    expect(stdout).toContain(`MINE=${phantom}\n`);
    expect(stdout).toContain(`GITHUB_TOKEN=${phantom}\n`);
    expect(stdout).toContain('PLAIN=sk-learn-pipeline-of-today\n');
    expect(stdout).not.toContain('CLAUDE=');
    expect(stderr).toBe(
      'authsome: this run has: github/default. Phantoms replace: GITHUB_TOKEN, MINE. Not passed on: CLAUDE. --inherit-secrets keeps them.\n',
    );
    for (const secret of [unknown, claude, token.classic]) expect(stdout + stderr).not.toContain(secret);
    const quiet = await fixture.authsome(['run', '--quiet', '--', 'true'], { env });
    expect(quiet.stderr).toBe('');
  });

  it('is kept with --inherit-secrets, which stderr and the log say', async () => {
    const { stdout, stderr } = await fixture.authsome(['run', '--inherit-secrets', '--', 'env'], { env });
    for (const [name, value] of Object.entries(env)) expect(stdout).toContain(`${name}=${value}\n`);
    expect(stderr).toContain('were kept (--inherit-secrets)');
    expect(stderr).not.toContain('Phantoms replace');
    const { events } = await fixture.json(['log', '-n', '50']);
    const details = events.map(({ detail }: { detail?: string }) => detail ?? '').join('\n');
    expect(details).toContain('env (with the secrets of its environment): github/default');
  });

  it('is no phantom of one’s own, which stays and says which connection is meant', async () => {
    const work = await given('-p', 'github/work');
    const held = { GITHUB_TOKEN: work, OTHER: work };
    const { stdout, stderr } = await fixture.authsome(['run', '-p', 'github/work', '--', 'env'], {
      env: held,
    });
    expect(stdout).toContain(`OTHER=${work}\n`);
    expect(stdout).toContain(`GITHUB_TOKEN=${work}\n`);
    expect(stderr).not.toContain('Phantoms replace');
  });
});
