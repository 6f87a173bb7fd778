import { isIPv4 } from 'node:net';
import { endianness } from 'node:os';

/** One side of a connection as Node writes it. */
export interface Address {
  readonly address: string;
  readonly port: number;
}

export interface Connection {
  /** The socket of the process in question. */
  readonly peer: Address;
  /** This process's own socket. */
  readonly own: Address;
}

/** What a table of the kernel says of the peer's socket. */
export type Finding =
  | {
      readonly kind: 'user';
      readonly uid: number /** The kernel's number of it. */;
      readonly socketId: number;
    }
  /** No process has it any more. The kernel then shows it as root's. */
  | { readonly kind: 'orphan' }
  /** It is not there, but this process's own is. */
  | { readonly kind: 'missing' }
  /** Neither is there, but the socket that accepted this process's own is: a reset has ended the connection. */
  | { readonly kind: 'gone' }
  /** The table could not be read this time. */
  | { readonly kind: 'unread' }
  /** Nothing of this process is there, so the table proves nothing. */
  | { readonly kind: 'unlisted' };

/** Looks for a connection in the text of `/proc/net/tcp` or `/proc/net/tcp6` (proc_pid_net(5)). */
export function findPeer(table: string, { peer, own }: Connection): Finding {
  const socket = rowOf(table, peer, own);
  if (socket === undefined) {
    if (rowOf(table, own, peer) !== undefined) return { kind: 'missing' };
    return { kind: isListening(table, own.port) ? 'gone' : 'unlisted' };
  }
  const [, , , , uid = '', , inode] = socket;
  if (inode === undefined || !/^[1-9]\d*$/.test(inode) || !/^\d+$/.test(uid)) return { kind: 'orphan' };
  return { kind: 'user', uid: Number(uid), socketId: Number(inode) };
}

/** The columns after both addresses: state, queues, timer, retransmits, uid, timeout, inode. */
function rowOf(table: string, local: Address, remote: Address): readonly string[] | undefined {
  for (const form of isIPv4(unmapped(local.address)) ? [hex4, hex6] : [hex6]) {
    const addresses = ` ${form(local)} ${form(remote)} `;
    const at = table.indexOf(addresses);
    if (at < 0) continue;
    const end = table.indexOf('\n', at);
    const rest = table.slice(at + addresses.length, end < 0 ? table.length : end);
    return rest.trim().split(/\s+/);
  }
  return undefined;
}

/** Whether a socket listens at this port, in state 0A (TCP_LISTEN) and without a peer. */
function isListening(table: string, port: number): boolean {
  return [8, 32].some((digits) => table.includes(`:${portHex(port)} ${'0'.repeat(digits)}:0000 0A `));
}

/** An IPv4 address that an IPv6 socket wrote. */
function unmapped(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/i, '');
}

function hex4({ address, port }: Address): string {
  return `${word(unmapped(address).split('.').map(Number))}:${portHex(port)}`;
}

function hex6({ address, port }: Address): string {
  const bytes = bytesOf6(address);
  return `${[0, 4, 8, 12].map((at) => word(bytes.slice(at, at + 4))).join('')}:${portHex(port)}`;
}

function bytesOf6(address: string): readonly number[] {
  const v4 = unmapped(address);
  if (isIPv4(v4)) return [...Array(10).fill(0), 0xff, 0xff, ...v4.split('.').map(Number)];
  const [text = ''] = address.split('%', 1);
  const [head = '', tail] = text.split('::');
  const before = groupsIn(head);
  const after = groupsIn(tail ?? '');
  const middle = Array(tail === undefined ? 0 : 8 - before.length - after.length).fill(0);
  return [...before, ...middle, ...after].flatMap((group) => [group >> 8, group & 0xff]);
}

function groupsIn(text: string): readonly number[] {
  return text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16));
}

/** Four bytes as the kernel prints them: as one number of this machine. */
function word(bytes: readonly number[]): string {
  const ordered = endianness() === 'LE' ? [...bytes].reverse() : bytes;
  return ordered
    .map((byte) => byte.toString(16).padStart(2, '0'))
    .join('')
    .toUpperCase();
}

function portHex(port: number): string {
  return port.toString(16).toUpperCase().padStart(4, '0');
}
