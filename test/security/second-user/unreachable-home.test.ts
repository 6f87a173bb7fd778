import { chmodSync, mkdirSync, renameSync } from 'node:fs';
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { type Fixture, gone, openFixture, withFixture } from '../../support/fixture.ts';
import { commandsAs, owner } from '../../support/other-user.ts';

/**
 * The attack: somebody who can write a directory above the home puts a directory of theirs in its place, which the owner
 * of the daemon cannot enter. Looking for the database then failed, twice a second and in the shutdown: the daemon lived
 * on with its ports open and credentials in memory, whatever signal it was sent but SIGKILL.
 */
async function fixtureOfOwner(work: (fixture: Fixture, pid: number) => Promise<void>): Promise<void> {
  await withFixture(await openFixture(), async (fixture) => {
    expect(await commandsAs(owner, fixture)(['whoami']).ended).toMatchObject({ code: 0 });
    await work(fixture, fixture.daemonPid() ?? 0);
  });
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

describe('a home that its own daemon can no longer reach', () => {
  it('stops the daemon when a directory of somebody else is in its place', async () => {
    await fixtureOfOwner(async (fixture, pid) => {
      renameSync(fixture.home, `${fixture.home}.away`);
      mkdirSync(fixture.home, { mode: 0o700 });
      await gone(pid, 30_000);
      expect(await accepts(fixture.port)).toBe(false);
    });
  });

  it('does not keep the daemon from stopping on SIGTERM', async () => {
    await fixtureOfOwner(async (fixture, pid) => {
      chmodSync(fixture.home, 0);
      process.kill(pid, 'SIGTERM');
      await gone(pid, 30_000);
      expect(await accepts(fixture.port)).toBe(false);
      chmodSync(fixture.home, 0o700);
      expect(await commandsAs(owner, fixture)(['whoami']).ended).toMatchObject({ code: 0 });
    });
  });
});
