import { chmodSync, chownSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openFixture, withFixture } from '../../support/fixture.ts';
import { commandsAs, owner, startAs, stranger } from '../../support/other-user.ts';

/**
 * The attack: a home is private, but a directory above it is not. A user who can write there moves the whole home away and
 * puts another one in its place, with a config.json of theirs, or keeps a copy of what is written there next.
 */
describe('a directory above the home', () => {
  it('that everybody can write is refused, with the command that fixes it', async () => {
    await withFixture(await openFixture(), async (fixture) => {
      const authsome = commandsAs(owner, fixture);
      const shared = join(fixture.directory, 'shared');
      mkdirSync(shared);
      chownSync(shared, owner, owner);
      chmodSync(shared, 0o777);
      const env = { AUTHSOME_HOME: join(shared, 'home') };
      const outcome = await authsome(['whoami'], { env }).ended;
      expect(outcome).toMatchObject({ code: 9, stdout: '' });
      expect(outcome.stderr).toContain(`${shared} can be written by other users (mode 0777)`);
      expect(outcome.stderr).toContain(`chmod go-w ${shared}`);
      await startAs(owner, 'sh', ['-c', `chmod go-w ${shared}`], { env: fixture.env }).ended;
      expect(await authsome(['whoami'], { env }).ended).toMatchObject({ code: 0 });
      await authsome(['daemon', 'stop'], { env }).ended;
    });
  });

  it('that belongs to another user is refused, though only that user can write it', async () => {
    await withFixture(await openFixture(), async (fixture) => {
      const authsome = commandsAs(owner, fixture);
      const theirs = join(fixture.directory, 'theirs');
      const home = join(theirs, 'home');
      mkdirSync(home, { recursive: true, mode: 0o700 });
      chownSync(home, owner, owner);
      chmodSync(theirs, 0o755);
      chownSync(theirs, stranger, stranger);
      const outcome = await authsome(['whoami'], { env: { AUTHSOME_HOME: home } }).ended;
      expect(outcome).toMatchObject({ code: 9, stdout: '' });
      expect(outcome.stderr).toContain(`${theirs} belongs to another user`);
      expect(outcome.stderr).toContain('Set AUTHSOME_HOME to a directory of your own');
    });
  });

  it('is shown by doctor when it opened after the daemon had started', async () => {
    await withFixture(await openFixture(), async (fixture) => {
      const authsome = commandsAs(owner, fixture);
      expect((await authsome(['doctor']).ended).stdout).toMatch(/ok +home/);
      chmodSync(fixture.directory, 0o777);
      const { stdout } = await authsome(['doctor']).ended;
      expect(stdout).toMatch(/fail +home.*can be written by other users/);
      expect(stdout).toContain(`chmod go-w ${fixture.directory}`);
    });
  });
});
