import { readFile } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { isLoopbackAddress } from '../loopback.ts';
import { type Connection, type Finding, findPeer } from './socket-table.ts';

/** Whether the process at the other end is allowed: `undefined` until that is known. */
export interface PeerCheck {
  readonly allowed: boolean | undefined;
  /** `allowed`, once it is known. Never rejects. */
  readonly settled: Promise<boolean>;
}

export interface Peers {
  /**
   * Whether nobody but this user, and root, gets through, as far as the connections until now have shown. Where not, what
   * is in a program's arguments is of use to others.
   */
  readonly excludesOthers: boolean;
  /**
   * Checks a connection, once: call it when the connection is accepted. `soon` waits for others, so that many connections
   * cost one look at the kernel's table.
   */
  check(socket: Socket, when: 'now' | 'soon'): PeerCheck;
  /**
   * The kernel's number of the socket at the other end: as the check found it, or as it is now. `undefined` where the system
   * does not show it, or no longer.
   */
  socketId(socket: Socket, when: 'checked' | 'now'): Promise<number | undefined>;
}

export interface PeersOptions {
  /** The user that this process runs as; `undefined` where there are no such numbers. */
  readonly self: number | undefined;
  /** Other users that may connect. */
  readonly allowed: readonly number[];
  readonly platform: NodeJS.Platform;
  /** The text of `/proc/net/tcp` or `/proc/net/tcp6`. */
  readonly readTable?: (name: 'tcp' | 'tcp6') => Promise<string>;
}

/** The kernel walks all of its table for each look, which costs more than a new connection does. */
const pauseMs = 10;
/** A table is read in pieces while it changes, so one look may miss a socket. */
const looks = 3;
/** The errors of a system that does not show its tables. */
const hides: ReadonlySet<string | undefined> = new Set(['ENOENT', 'EACCES', 'EPERM']);

interface Waiting {
  readonly connection: Connection;
  readonly isUrgent: boolean;
  looksLeft: number;
  /** What the tables have shown instead of the peer. */
  last: Exclude<Finding['kind'], 'user' | 'orphan'>;
  readonly settle: (finding: Finding) => void;
}

/** Distinguishes users on Linux. Elsewhere everybody is admitted, and the other checks must suffice. */
export function createPeers(options: PeersOptions): Peers {
  const { self, platform, readTable = (name) => readFile(`/proc/net/${name}`, 'latin1') } = options;
  if (platform !== 'linux' || self === undefined) {
    return { excludesOthers: false, check: () => everybody, socketId: async () => undefined };
  }
  // As for ssh-agent, root is admitted: it can read the home and the daemon's memory anyway.
  const users = new Set([0, self, ...options.allowed]);
  const known = new WeakMap<Socket, Check>();
  const looker = new Looker(readTable);
  const check = (socket: Socket, when: 'now' | 'soon'): Check => {
    const before = known.get(socket);
    if (before !== undefined) return before;
    const created = new Check(looker, users, connectionOf(socket), when === 'now');
    known.set(socket, created);
    return created;
  };
  return {
    get excludesOthers() {
      return options.allowed.length === 0 && !looker.hasFoundNothing;
    },
    check,
    async socketId(socket, when) {
      if (when === 'now') return socketIdIn(await findingOf(looker, connectionOf(socket), true));
      const checked = check(socket, 'now');
      await checked.settled;
      return checked.socketId;
    },
  };
}

const everybody: PeerCheck = { allowed: true, settled: Promise.resolve(true) };

class Check implements PeerCheck {
  allowed: boolean | undefined;
  socketId: number | undefined;
  readonly settled: Promise<boolean>;

  constructor(
    looker: Looker,
    users: ReadonlySet<number>,
    connection: Connection | undefined,
    isUrgent: boolean,
  ) {
    this.settled = findingOf(looker, connection, isUrgent).then((finding) => {
      this.allowed = isAllowed(finding, users, connection?.peer.address);
      this.socketId = socketIdIn(finding);
      return this.allowed;
    });
  }
}

/** A process that left before this look could have been anybody's. */
function findingOf(looker: Looker, connection: Connection | undefined, isUrgent: boolean): Promise<Finding> {
  return connection === undefined ? Promise.resolve({ kind: 'missing' }) : looker.find(connection, isUrgent);
}

function socketIdIn(finding: Finding): number | undefined {
  return finding.kind === 'user' ? finding.socketId : undefined;
}

function isAllowed(finding: Finding, users: ReadonlySet<number>, address = ''): boolean {
  switch (finding.kind) {
    case 'user':
      return users.has(finding.uid);
    case 'orphan':
      // Not root: a process that sends something and leaves at once would be shown as root.
      return false;
    case 'gone':
    case 'unread':
      // What came before a reset can still be read. So can what came while no file can be opened, which many connections
      // can cause. Either could be anybody's.
      return false;
    case 'missing':
      // The kernel knows no user for another machine, which a daemon that listens beyond loopback expects.
      return address !== '' && !isLoopbackAddress(address);
    case 'unlisted':
      return true;
  }
}

function connectionOf(socket: Socket): Connection | undefined {
  const { remoteAddress, remotePort, localAddress, localPort } = socket;
  if (remoteAddress === undefined || remotePort === undefined) return undefined;
  if (localAddress === undefined || localPort === undefined) return undefined;
  return {
    peer: { address: remoteAddress, port: remotePort },
    own: { address: localAddress, port: localPort },
  };
}

/** Looks into the kernel's tables for all that wait, one look after the other. */
class Looker {
  readonly #readTable: (name: 'tcp' | 'tcp6') => Promise<string>;
  /** Whether the tables were without the last connection that was looked for: the system hides them. */
  hasFoundNothing = false;
  #waiting: Waiting[] = [];
  #isLooking = false;
  #lastMs = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;

  constructor(readTable: (name: 'tcp' | 'tcp6') => Promise<string>) {
    this.#readTable = readTable;
  }

  find(connection: Connection, isUrgent: boolean): Promise<Finding> {
    return new Promise((settle) => {
      this.#waiting.push({ connection, isUrgent, looksLeft: looks, last: 'unlisted', settle });
      this.#plan();
    });
  }

  #plan(): void {
    if (this.#isLooking || this.#waiting.length === 0) return;
    const pause = this.#lastMs + pauseMs - performance.now();
    if (pause <= 0 || this.#waiting.some(({ isUrgent }) => isUrgent)) {
      clearTimeout(this.#timer);
      this.#timer = undefined;
      void this.#look();
    } else {
      this.#timer ??= setTimeout(() => {
        this.#timer = undefined;
        this.#plan();
      }, Math.ceil(pause));
    }
  }

  async #look(): Promise<void> {
    this.#isLooking = true;
    this.#lastMs = performance.now();
    let left: readonly Waiting[] = this.#waiting;
    const all = left.length;
    this.#waiting = [];
    // Most sockets are in the first table; those of an IPv6 socket that speaks IPv4 are in the second.
    for (const name of ['tcp', 'tcp6'] as const) {
      if (left.length > 0) left = settleFrom(await this.#textOf(name), left);
    }
    if (left.length < all) this.hasFoundNothing = false;
    left = left.filter((entry) => !this.#isGivenUp(entry));
    this.#waiting.unshift(...left);
    this.#isLooking = false;
    this.#plan();
  }

  /** Whether this look was the last for it. */
  #isGivenUp(entry: Waiting): boolean {
    entry.looksLeft -= 1;
    if (entry.looksLeft > 0) return false;
    if (entry.last === 'unlisted') this.hasFoundNothing = true;
    entry.settle({ kind: entry.last });
    return true;
  }

  /** Empty where the system hides the table from this process: then nobody is listed. `undefined` for any other failure. */
  async #textOf(name: 'tcp' | 'tcp6'): Promise<string | undefined> {
    try {
      return await this.#readTable(name);
    } catch (error) {
      return hides.has((error as NodeJS.ErrnoException).code) ? '' : undefined;
    }
  }
}

/** Resolves those that the table knows; returns the others. */
function settleFrom(table: string | undefined, waiting: readonly Waiting[]): readonly Waiting[] {
  return waiting.filter((entry) => {
    const finding: Finding = table === undefined ? { kind: 'unread' } : findPeer(table, entry.connection);
    if (finding.kind === 'user' || finding.kind === 'orphan') {
      entry.settle(finding);
      return false;
    }
    // Of two tables, the one that shows more counts.
    if (finding.kind !== 'unlisted' && entry.last !== 'missing') entry.last = finding.kind;
    return true;
  });
}
