import { endianness } from 'node:os';
import { describe, expect, it } from 'vitest';
import { findPeer } from './socket-table.ts';

const header =
  '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n';
const row = (local: string, remote: string, uid: number, inode: number): string =>
  `   1: ${local} ${remote} 01 00000000:00000000 00:00000000 00000000  ${uid}        0 ${inode} 1 0000000000000000 20 4 30 10 -1\n`;
const client = { address: '127.0.0.1', port: 0x9c40 };
const daemon = { address: '127.0.0.1', port: 7998 };
const connection = { peer: client, own: daemon };
const [a, b] = ['0100007F:9C40', '0100007F:1F3E'];
const mapped = (text: string): string => `0000000000000000FFFF0000${text}`;

describe.runIf(endianness() === 'LE')('the kernel’s table of sockets', () => {
  it('names the user of the socket at the other end, not of this one', () => {
    const table = header + row(b, a, 1000, 7) + row(a, b, 1001, 8);
    expect(findPeer(table, connection)).toEqual({ kind: 'user', uid: 1001, socketId: 8 });
  });

  it('knows an IPv6 socket that speaks IPv4, and one that speaks IPv6', () => {
    expect(findPeer(header + row(mapped(a), mapped(b), 5, 8), connection)).toEqual({
      kind: 'user',
      uid: 5,
      socketId: 8,
    });
    const six = row('00000000000000000000000001000000:9C40', '00000000000000000000000001000000:1F3E', 6, 9);
    const overSix = {
      peer: { address: '::1', port: client.port },
      own: { address: '::1', port: daemon.port },
    };
    expect(findPeer(header + six, overSix)).toEqual({ kind: 'user', uid: 6, socketId: 9 });
    const asMapped = { peer: { ...client, address: '::ffff:127.0.0.1' }, own: daemon };
    expect(findPeer(header + row(a, b, 1001, 8), asMapped)).toEqual({ kind: 'user', uid: 1001, socketId: 8 });
  });

  it('does not take a socket that its process has left for root’s', () => {
    expect(findPeer(header + row(a, b, 0, 0), connection)).toEqual({ kind: 'orphan' });
    expect(findPeer(header + row(a, b, 0, 12), connection)).toEqual({ kind: 'user', uid: 0, socketId: 12 });
  });

  it('says whether it lists this side, since one that does not proves nothing', () => {
    expect(findPeer(header + row(b, a, 1000, 7), connection)).toEqual({ kind: 'missing' });
    expect(findPeer(header, connection)).toEqual({ kind: 'unlisted' });
    // The same ports between other addresses are another connection.
    expect(findPeer(header + row('0200007F:9C40', b, 1000, 7), connection)).toEqual({ kind: 'unlisted' });
  });

  it('says that the connection is gone, where it lists only the socket that accepted it', () => {
    const listening = (local: string, nobody: string): string =>
      header + row(local, nobody, 1000, 5).replace(' 01 ', ' 0A ');
    const gone = { kind: 'gone' };
    expect(findPeer(listening(b, '00000000:0000'), connection)).toEqual(gone);
    expect(findPeer(listening('00000000:1F3E', '00000000:0000'), connection)).toEqual(gone);
    const zeros = '0'.repeat(32);
    expect(findPeer(listening(`${zeros}:1F3E`, `${zeros}:0000`), connection)).toEqual(gone);
    expect(findPeer(listening(a, '00000000:0000'), connection)).toEqual({ kind: 'unlisted' });
  });
});
