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
