import { closeSync, constants, fstatSync, openSync, renameSync, rmSync, type Stats, statSync } from 'node:fs';
import { pino } from 'pino';

/** Where a log's lines go, whole and in order. */
export interface LogDestination {
  write(line: string): void;
}

export interface LogFile {
  /** What the starter of a daemon in the background points its stderr at. */
  readonly path: string;
  /** About as large it may grow; as large are the two before it, `.1` and the older `.2`. */
  readonly maxBytes: number;
}

/**
 * Lines to a file descriptor. While that is `file`, which this process alone goes on writing to, it is moved aside once
 * it is full, and another takes its place. A terminal, or a supervisor's pipe, is never touched.
 */
export function logDestination(descriptor: number, file: LogFile): LogDestination {
  let current = lineWriter(descriptor);
  const opened = fstatSync(descriptor);
  if (!isSame(opened, statSync(file.path, { throwIfNoEntry: false }))) return current;
  let writing = descriptor;
  let bytes = opened.size;
  return {
    write(line) {
      current.write(line);
      bytes += Buffer.byteLength(line);
      if (bytes < file.maxBytes) return;
      const next = replaceFull(file.path);
      // Without one this goes on where it is: a line too many is better than a line too few.
      if (next !== undefined) {
        current = lineWriter(next);
        // The one that was given is its giver's: a process that crashes writes there.
        if (writing !== descriptor) closeSync(writing);
        writing = next;
      }
      bytes = 0;
    },
  };
}

/** Synchronous: a line is written before anything that comes after it happens. */
function lineWriter(descriptor: number): LogDestination {
  const destination = pino.destination({ fd: descriptor, sync: true });
  // A full disk or a terminal that is gone: a line is lost, the daemon goes on.
  destination.on('error', () => {});
  return destination;
}

/** An open file in the place of the full one, which is the first of the older ones now. */
function replaceFull(path: string): number | undefined {
  const fresh = `${path}.new`;
  let descriptor: number | undefined;
  try {
    rmSync(fresh, { force: true });
    const { O_WRONLY, O_APPEND, O_CREAT, O_EXCL } = constants;
    descriptor = openSync(fresh, O_WRONLY | O_APPEND | O_CREAT | O_EXCL, 0o600);
    if (statSync(`${path}.1`, { throwIfNoEntry: false }) !== undefined) renameSync(`${path}.1`, `${path}.2`);
    renameSync(path, `${path}.1`);
    renameSync(fresh, path);
    return descriptor;
  } catch {
    if (descriptor !== undefined) closeSync(descriptor);
    return undefined;
  }
}

function isSame(one: Stats, other: Stats | undefined): boolean {
  return one.isFile() && one.dev === other?.dev && one.ino === other.ino;
}
