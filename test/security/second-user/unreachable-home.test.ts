import { chmodSync, mkdirSync, renameSync } from 'node:fs';
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { createWorld, gone, inWorld, type World } from '../../support/fixture.ts';
import { commandsAs, owner } from '../../support/other-user.ts';

/**
 * The attack: somebody who can write a directory above the home puts a directory of theirs in its place, which the owner
 * of the daemon cannot enter. Looking for the database then failed, twice a second and in the shutdown: the daemon lived
 * on with its ports open and credentials in memory, whatever signal it was sent but SIGKILL.
 */
async function worldOfOwner(work: (world: World, pid: number) => Promise<void>): Promise<void> {
  await inWorld(await createWorld(), async (world) => {
    expect(await commandsAs(owner, world)(['whoami']).ended).toMatchObject({ code: 0 });
    await work(world, world.daemonPid() ?? 0);
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
    await worldOfOwner(async (world, pid) => {
      renameSync(world.home, `${world.home}.away`);
      mkdirSync(world.home, { mode: 0o700 });
      await gone(pid, 30_000);
      expect(await accepts(world.port)).toBe(false);
    });
  });

  it('does not keep the daemon from stopping on SIGTERM', async () => {
    await worldOfOwner(async (world, pid) => {
      chmodSync(world.home, 0);
      process.kill(pid, 'SIGTERM');
      await gone(pid, 30_000);
      expect(await accepts(world.port)).toBe(false);
      chmodSync(world.home, 0o700);
      expect(await commandsAs(owner, world)(['whoami']).ended).toMatchObject({ code: 0 });
    });
  });
});
