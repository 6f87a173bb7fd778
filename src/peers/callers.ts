import type { Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { descendsFromRun, lineageOf, type Relative } from './lineage.ts';
import type { Peers } from './peers.ts';
import type { ProcessTable } from './process-table.ts';

/** The process at the other end of a connection. */
export type CallingProcess =
  /** It, its parent, and so on. */
  | { readonly kind: 'known'; readonly lineage: readonly Relative[] }
  /** The system does not show it: another platform, another user's, or one in another container. */
  | { readonly kind: 'hidden' }
  /** It has left, so it cannot be told any more. */
  | { readonly kind: 'gone' };

export interface Callers {
  /** `claimed`: the pid that the caller says it has, which is tried first. One that is wrong costs time, nothing else. */
  find(socket: Socket, claimed: number | undefined): Promise<CallingProcess>;
}

export interface CallersOptions {
  readonly peers: Peers;
  readonly table: ProcessTable;
  /** `runs/` of the home. */
  readonly runs: string;
  readonly monotonicMs: () => number;
}

/** How long a search may keep other work waiting at a time. */
const longestTurnMs = 1;

/**
 * Finds the process behind a connection: the kernel's table of sockets gives the socket's number, and the process has an
 * open file of that number. That is searched once for each connection.
 */
export function createCallers({ peers, table, runs, monotonicMs }: CallersOptions): Callers {
  const known = new WeakMap<Socket, Promise<CallingProcess>>();

  const holderOf = async (socketId: number, claimed: number | undefined): Promise<number | undefined> => {
    if (claimed !== undefined && table.socketsOf(claimed).has(socketId)) return claimed;
    let startedMs = monotonicMs();
    // A caller is young, most of the time.
    for (const pid of table.pids()) {
      if (table.socketsOf(pid).has(socketId)) return pid;
      if (monotonicMs() - startedMs < longestTurnMs) continue;
      await turn();
      startedMs = monotonicMs();
    }
    return undefined;
  };

  /**
   * A part of a run whose files are not shown, such as a program that may be run and not be read. Where nobody else has the
   * socket, it is taken for its holder: its parents are shown, whatever it hides of itself.
   */
  const hiddenInRun = async (): Promise<number | undefined> => {
    let startedMs = monotonicMs();
    for (const pid of table.pids()) {
      if (table.hidesFiles(pid) && descendsFromRun(pid, table, runs)) return pid;
      if (monotonicMs() - startedMs < longestTurnMs) continue;
      await turn();
      startedMs = monotonicMs();
    }
    return undefined;
  };

  const look = async (socket: Socket, claimed: number | undefined): Promise<CallingProcess> => {
    const socketId = await peers.socketId(socket, 'checked');
    if (socketId === undefined) return { kind: 'hidden' };
    const pid = (await holderOf(socketId, claimed)) ?? (await hiddenInRun());
    const lineage = pid === undefined ? [] : lineageOf(pid, table, runs);
    if (lineage.length > 0) return { kind: 'known', lineage };
    return (await peers.socketId(socket, 'now')) === socketId ? { kind: 'hidden' } : { kind: 'gone' };
  };

  return {
    find(socket, claimed) {
      const before = known.get(socket);
      if (before !== undefined) return before;
      const looking = look(socket, claimed);
      known.set(socket, looking);
      return looking;
    },
  };
}
