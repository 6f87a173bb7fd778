import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Fixture, isAlive, openFixture } from '../support/fixture.ts';

/**
 * The attack: any process of the user sends SIGUSR1 to the daemon, as log rotation and supervisors do. Node then opens
 * its debugger on 127.0.0.1:9229, and every other user of the machine runs code as the daemon from there.
 */
const isLinux = process.platform === 'linux';

/** Ports on which this process listens, as the kernel knows them. */
function listeningPorts(pid: number): readonly number[] {
  const sockets = new Set<string>();
  for (const descriptor of readdirSync(`/proc/${pid}/fd`)) {
    try {
      const inode = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${descriptor}`))?.[1];
      if (inode !== undefined) sockets.add(inode);
    } catch {
      // Closed since it was listed.
    }
  }
  const lines = ['tcp', 'tcp6'].flatMap((table) =>
    readFileSync(`/proc/${pid}/net/${table}`, 'utf8').split('\n'),
  );
  return lines
    .map((line) => line.trim().split(/\s+/))
    .filter(([, , , state, , , , , , inode = '']) => state === '0A' && sockets.has(inode))
    .map(([, local = '']) => Number.parseInt(local.split(':').at(-1) ?? '', 16))
    .sort((one, other) => one - other);
}

describe.runIf(isLinux)('SIGUSR1', () => {
  let fixture: Fixture;
  beforeAll(async () => {
    fixture = await openFixture();
    await fixture.authsome(['whoami']);
  });
  afterAll(() => fixture.close());

  it('opens no debugger in the daemon, which keeps responding', async () => {
    const pid = fixture.daemonPid() ?? 0;
    const before = listeningPorts(pid);
    // Its own and the proxy's.
    expect(before).toHaveLength(2);
    expect(before).toContain(fixture.port);
    for (const _ of [1, 2, 3]) {
      process.kill(pid, 'SIGUSR1');
      // A whole command between two looks: a debugger opens in a fraction of its time.
      expect(await fixture.authsome(['whoami'])).toMatchObject({ code: 0, stderr: '' });
      expect(listeningPorts(pid)).toEqual(before);
    }
    expect(fixture.daemonPid()).toBe(pid);
    expect(isAlive(pid)).toBe(true);
  });

  it('opens no debugger in a command that waits for a person', async () => {
    const login = fixture.startAuthsome(['login', 'openai', '--no-browser', '--json']);
    await login.seen('stdout', /"waiting"/);
    const pid = login.child.pid ?? 0;
    process.kill(pid, 'SIGUSR1');
    expect((await fixture.authsome(['list'])).code).toBe(0);
    expect([listeningPorts(pid), isAlive(pid)]).toEqual([[], true]);
    expect(login.output.stderr).not.toMatch(/debugger|inspector/i);
    login.child.kill('SIGINT');
    expect((await login.ended).code).toBe(11);
  });

  it('reaches the child of a run, and opens no debugger in the command beside it', async () => {
    const script = 'trap "echo heard; exit 7" USR1; echo ready; while :; do sleep 0.05; done';
    const run = fixture.startAuthsome(['run', '--quiet', '--', 'sh', '-c', script]);
    await run.seen('stdout', /ready/);
    process.kill(run.child.pid ?? 0, 'SIGUSR1');
    expect(await run.ended).toMatchObject({ code: 7, stdout: 'ready\nheard\n', stderr: '' });
  });
});
