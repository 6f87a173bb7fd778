import { chmodSync, chownSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openFixture, withFixture } from '../../support/fixture.ts';
import { commandsAs, owner, stranger } from '../../support/other-user.ts';

/**
 * The attack: a stranger leaves a file with a key that the person has, too. A rewrite replaces files by renaming, which asks
 * for no leave to write to them. It reached nothing before, either: a temporary file was written beside it, and then its
 * owner could not be kept. The file is refused by its owner now, before anything is written.
 */
it('scan --rewrite leaves a file of another user as it is', async () => {
  await withFixture(await openFixture(), async (fixture) => {
    const authsome = commandsAs(owner, fixture);
    const text = `OPENAI_API_KEY=sk-proj-${'aB3dE6gH9j'.repeat(5)}\n`;
    const file = join(fixture.directory, '.env');
    writeFileSync(file, text);
    chownSync(file, stranger, stranger);
    chmodSync(file, 0o666);
    const { code, stdout, stderr } = await authsome(['scan', '--rewrite', file]).ended;
    expect([code, stderr]).toEqual([4, expect.stringContaining(`${file} belongs to another user`)]);
    expect(stdout + stderr).not.toContain('aB3dE6gH9j');
    expect([readFileSync(file, 'utf8'), statSync(file).uid]).toEqual([text, stranger]);
  });
});
