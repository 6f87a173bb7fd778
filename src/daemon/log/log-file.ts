import { closeSync, constants, fstatSync, openSync, renameSync, rmSync, type Stats, statSync } from 'node:fs';
import { pino } from 'pino';

/** Where a log's lines are written, each complete and in order. */
export interface LogDestination {
  write(line: string): void;
}

export interface LogFile {
  /** The file that the stderr of a background daemon is redirected to. */
  readonly path: string;
  /** About how large it may grow. The two before it, `.1` and the older `.2`, are as large. */
  readonly maxBytes: number;
}

/**
 * Writes lines to a file descriptor. If that is `file`, the file is moved aside once it is full and a new one takes its
 * place. A terminal, or a supervisor's pipe, is left alone.
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
      // Without a new file the old one grows: better a line too many than a line lost.
      if (next !== undefined) {
        current = lineWriter(next);
        // The descriptor that was given stays open: Node writes to it when the process crashes.
        if (writing !== descriptor) closeSync(writing);
        writing = next;
      }
      bytes = 0;
    },
  };
}

/** Synchronous: a line is written before anything that comes after it can happen. */
function lineWriter(descriptor: number): LogDestination {
  const destination = pino.destination({ fd: descriptor, sync: true });
  // When the disk is full or the terminal closed, a line is lost and the daemon continues.
  destination.on('error', () => {});
  return destination;
}

/** Opens a new file in place of the full one, which becomes `.1`. */
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
