/** Networks and processes apart from the machine's, for tests that need a fixed port or a broad `pkill`. */
import { spawnSync } from 'node:child_process';

/** Brings up the loopback of a fresh network namespace; no program of the system's is needed for it. */
const loopbackUp = `import fcntl, socket, struct, os, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
fcntl.ioctl(s, 0x8914, struct.pack('16sh22x', b'lo', 1))
os.execvp(sys.argv[1], sys.argv[1:])`;

/** A network of its own, where nobody uses 7998; the machine's own where the kernel gives none (some containers). */
export function ownNetwork(): readonly string[] {
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

/**
 * As `ownNetwork`, with processes of its own too: a broad `pkill` reaches nobody else there. `undefined` where there is
 * none.
 */
export function ownProcesses(): readonly string[] | undefined {
  for (const flags of ['-npf', '-rnpf']) {
    const wrap = ['unshare', flags, '--mount-proc', 'python3', '-c', loopbackUp];
    const probe = spawnSync('unshare', [...wrap.slice(1), 'true']);
    if (probe.status === 0) return wrap;
  }
  return undefined;
}
