import { expect, it } from 'vitest';
import { entry, openFixture, withFixture } from '../support/fixture.ts';
import { ownNetwork } from '../support/own-network.ts';
import { start } from '../support/product.ts';

it('listens on 127.0.0.1:7998 by default, and redirects come back to one exact URI there', async () => {
  await withFixture(await openFixture(), async (fixture) => {
    const { AUTHSOME_PORT: _, ...env } = fixture.env;
    const script = `"$0" "$1" inspect github --json && "$0" "$1" whoami --json && "$0" "$1" daemon stop --quiet`;
    const [program = '', ...args] = [...ownNetwork(), 'sh', '-c', script, process.execPath, entry];
    const outcome = await start({ program, args, env }).ended;
    expect([outcome.code, outcome.stderr]).toEqual([0, '']);
    expect(outcome.stdout).toContain('http://127.0.0.1:7998/auth/callback/oauth');
    expect(outcome.stdout).toMatch(/"url":\s*"http:\/\/127\.0\.0\.1:7998"/);
  });
});
