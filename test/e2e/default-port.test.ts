import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { start } from '../../demo/product.ts';
import { createWorld, entry, inWorld } from './harness.ts';

/** Brings up the loopback of a fresh network namespace; no program of the system's is needed for it. */
const loopbackUp = `import fcntl, socket, struct, os, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
fcntl.ioctl(s, 0x8914, struct.pack('16sh22x', b'lo', 1))
os.execvp(sys.argv[1], sys.argv[1:])`;

/** A network of its own, where nobody holds 7998; the machine's own where the kernel gives none (some containers). */
function ownNetwork(): readonly string[] {
  for (const wrap of [
    ['unshare', '-n'],
    ['unshare', '-rn'],
  ]) {
    const [program = '', ...args] = wrap;
    const probe = spawnSync(program, [...args, 'python3', '-c', loopbackUp, 'true']);
    if (probe.status === 0) return [...wrap, 'python3', '-c', loopbackUp];
  }
  return ['env'];
}

it('listens on 127.0.0.1:7998 unless it is told otherwise, and redirects come back to one exact URI there', async () => {
  await inWorld(await createWorld(), async (world) => {
    const { AUTHSOME_PORT: _, ...env } = world.env;
    const script = `"$0" "$1" inspect github --json && "$0" "$1" whoami --json && "$0" "$1" daemon stop --quiet`;
    const [program = '', ...args] = [...ownNetwork(), 'sh', '-c', script, process.execPath, entry];
    const outcome = await start({ program, args, env }).ended;
    expect([outcome.code, outcome.stderr]).toEqual([0, '']);
    expect(outcome.stdout).toContain('http://127.0.0.1:7998/auth/callback/oauth');
    expect(outcome.stdout).toMatch(/"url":\s*"http:\/\/127\.0\.0\.1:7998"/);
  });
});
