import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { programName, readStat, socketIn, variablesIn } from './process-text.ts';

/** What the system shows of the processes of this machine. Of a process that it hides, nothing. */
export interface ProcessTable {
  /** Newest first. */
  pids(): readonly number[];
  /** `undefined` for one that is not there, or hidden. */
  statOf(pid: number): { readonly parent: number; readonly name: string } | undefined;
  programOf(pid: number, name: string): string;
  /** The kernel's numbers of its sockets. */
  socketsOf(pid: number): ReadonlySet<number>;
  /** Whether it is there, and the system does not show its open files: they are another user's, or it has asked for that. */
  hidesFiles(pid: number): boolean;
  /** The environment that it was started with. */
  variablesOf(pid: number): Iterable<readonly [string, string]>;
}

const denied: ReadonlySet<string | undefined> = new Set(['EACCES', 'EPERM']);

/** Reads `/proc` (proc(5)). Synchronously: each read takes microseconds, and a queue of jobs for them far longer. */
export const procTable: ProcessTable = {
  pids() {
    const names = orElse([], () => readdirSync('/proc'));
    return names
      .filter((name) => /^\d+$/.test(name))
      .map(Number)
      .sort((a, b) => b - a);
  },
  statOf: (pid) => orElse(undefined, () => readStat(readFileSync(`/proc/${pid}/stat`, 'latin1'))),
  programOf: (pid, name) =>
    programName(
      orElse(undefined, () => readlinkSync(`/proc/${pid}/exe`)),
      name,
    ),
  socketsOf(pid) {
    const directory = `/proc/${pid}/fd`;
    const sockets = new Set<number>();
    for (const name of orElse([], () => readdirSync(directory))) {
      const socket = socketIn(orElse('', () => readlinkSync(`${directory}/${name}`)));
      if (socket !== undefined) sockets.add(socket);
    }
    return sockets;
  },
  hidesFiles(pid) {
    try {
      readdirSync(`/proc/${pid}/fd`);
      return false;
    } catch (error) {
      return denied.has((error as NodeJS.ErrnoException).code);
    }
  },
  variablesOf: (pid) => variablesIn(orElse('', () => readFileSync(`/proc/${pid}/environ`, 'utf8'))),
};

/** The process may end, or be hidden, at any moment. */
function orElse<T>(fallback: T, read: () => T): T {
  try {
    return read();
  } catch {
    return fallback;
  }
}
