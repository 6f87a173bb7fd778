import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createPeers, type PeersOptions } from './peers.ts';

let server: Server;
const sockets: Socket[] = [];
beforeEach(async () => {
  server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
  server.close();
});

/** Our end of a new connection. */
async function accepted(): Promise<Socket> {
  const arriving = once(server, 'connection') as Promise<[Socket]>;
  sockets.push(connect((server.address() as AddressInfo).port, '127.0.0.1'));
  const [socket] = await arriving;
  sockets.push(socket);
  return socket;
}

const hex = (port = 0): string => `0100007F:${port.toString(16).toUpperCase().padStart(4, '0')}`;
const rows = (socket: Socket, uid: number, inode = 7): string => {
  const [peer, own] = [hex(socket.remotePort), hex(socket.localPort)];
  const end = '01 00000000:00000000 00:00000000 00000000 ';
  return ` 0: ${own} ${peer} ${end} 1000 0 5 1\n 1: ${peer} ${own} ${end} ${uid} 0 ${inode} 1\n`;
};
const linux = { self: 1000, allowed: [1500], platform: 'linux' } as const;

function failing(code: string): () => Promise<string> {
  return () => Promise.reject(Object.assign(new Error(code), { code }));
}

async function isAdmitted(
  uid: number,
  options: Partial<PeersOptions> = {},
  inode?: number,
): Promise<boolean> {
  const socket = await accepted();
  const readTable = async (name: string) => (name === 'tcp' ? rows(socket, uid, inode) : '');
  return createPeers({ ...linux, readTable, ...options }).check(socket, 'now').settled;
}

describe('other users', () => {
  it('are excluded where the system shows who connects, and none is allowed', () => {
    const excludes = (options: Partial<PeersOptions>): boolean =>
      createPeers({ ...linux, allowed: [], ...options }).excludesOthers;
    expect(excludes({})).toBe(true);
    expect(excludes({ allowed: [1500] })).toBe(false);
    expect(excludes({ platform: 'darwin' })).toBe(false);
    expect(excludes({ platform: 'win32', self: undefined })).toBe(false);
  });

  it('are not excluded where the system hides who connects', async () => {
    const peers = createPeers({ ...linux, allowed: [], readTable: async () => '' });
    expect(await peers.check(await accepted(), 'now').settled).toBe(true);
    expect(peers.excludesOthers).toBe(false);
  });

  it('are excluded again, when only one connection was too short to be seen', async () => {
    let table = '';
    const peers = createPeers({ ...linux, allowed: [], readTable: async () => table });
    await peers.check(await accepted(), 'now').settled;
    const socket = await accepted();
    table = rows(socket, 1000);
    expect(await peers.check(socket, 'now').settled).toBe(true);
    expect(peers.excludesOthers).toBe(true);
  });

  it('are excluded still, when one of them has left before the look', async () => {
    const socket = await accepted();
    const readTable = async () => rows(socket, 1000).split('\n')[0] ?? '';
    const peers = createPeers({ ...linux, allowed: [], readTable });
    expect(await peers.check(socket, 'now').settled).toBe(false);
    expect(peers.excludesOthers).toBe(true);
  });
});

describe('the user at the other end', () => {
  it('may be our own, root, or one that was allowed, and nobody else', async () => {
    expect(await isAdmitted(1000)).toBe(true);
    expect(await isAdmitted(0)).toBe(true);
    expect(await isAdmitted(1500)).toBe(true);
    expect(await isAdmitted(1001)).toBe(false);
    expect(await isAdmitted(65_534)).toBe(false);
  });

  it('is nobody once its process has left, though the kernel says root then', async () => {
    expect(await isAdmitted(0, {}, 0)).toBe(false);
    const socket = await accepted();
    socket.destroy();
    expect(await createPeers({ ...linux, readTable: async () => '' }).check(socket, 'now').settled).toBe(
      false,
    );
  });

  it('is nobody where a reset has ended the connection before the look', async () => {
    const socket = await accepted();
    const own = hex(socket.localPort);
    const listening = ` 0: ${own} 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000 0 5 1\n`;
    const readTable = async (name: string) => (name === 'tcp' ? listening : '');
    const peers = createPeers({ ...linux, allowed: [], readTable });
    expect(await peers.check(socket, 'now').settled).toBe(false);
    // The table does show who connects.
    expect(peers.excludesOthers).toBe(true);
  });

  it('is nobody while the table cannot be read for want of a descriptor or of memory', async () => {
    for (const code of ['EMFILE', 'ENFILE', 'ENOMEM']) {
      const peers = createPeers({ ...linux, allowed: [], readTable: failing(code) });
      expect(await peers.check(await accepted(), 'now').settled).toBe(false);
      expect(peers.excludesOthers).toBe(true);
    }
  });

  it('is let in where the system does not tell: no table, one without us, no users at all', async () => {
    for (const code of ['ENOENT', 'EACCES', 'EPERM']) {
      expect(await isAdmitted(1001, { readTable: failing(code) })).toBe(true);
    }
    expect(await isAdmitted(1001, { readTable: async () => '' })).toBe(true);
    expect(await isAdmitted(1001, { platform: 'darwin' })).toBe(true);
    expect(await isAdmitted(1001, { platform: 'win32', self: undefined })).toBe(true);
  });

  it.runIf(process.platform === 'linux')('is read from the real table', async () => {
    const self = process.getuid?.() ?? 0;
    const options = { allowed: [], platform: process.platform } as const;
    expect(await createPeers({ ...options, self }).check(await accepted(), 'now').settled).toBe(true);
    if (self === 0) return;
    expect(await createPeers({ ...options, self: self + 1 }).check(await accepted(), 'now').settled).toBe(
      false,
    );
  });
});

describe('the looks at the table', () => {
  it('serve all connections that wait, and one that is known needs none', async () => {
    const together = await Promise.all([accepted(), accepted(), accepted()]);
    let looks = 0;
    const peers = createPeers({
      ...linux,
      async readTable() {
        looks += 1;
        return together.map((socket) => rows(socket, 1000)).join('');
      },
    });
    const [first, ...rest] = together;
    const checks = [peers.check(first, 'now'), ...rest.map((socket) => peers.check(socket, 'soon'))];
    expect(checks.map(({ allowed }) => allowed)).toEqual([undefined, undefined, undefined]);
    expect(await Promise.all(checks.map(({ settled }) => settled))).toEqual([true, true, true]);
    expect(looks).toBeLessThanOrEqual(2);
    const before = looks;
    expect(peers.check(first, 'now').allowed).toBe(true);
    expect(looks).toBe(before);
  });
});
