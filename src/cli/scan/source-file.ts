import { closeSync, constants, fstatSync, openSync, readFileSync, readlinkSync, type Stats } from 'node:fs';
import { AuthsomeError, systemReason } from '../../errors.ts';

/** A text file as it was read. */
export interface SourceFile {
  readonly path: string;
  readonly bytes: Uint8Array;
  /** A byte order mark stays in it: encoded again, it is these bytes. */
  readonly text: string;
  readonly stats: Stats;
}

const maxBytes = 1024 * 1024;

/** The regular UTF-8 file at `path`, a symbolic link not followed. Fails with `Usage`, which says what it is instead. */
export function readSourceFile(path: string): SourceFile {
  let descriptor: number;
  try {
    // Without O_NONBLOCK, opening a named pipe would block until somebody writes to it.
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    throw openFailure(path, error);
  }
  try {
    const stats = fstatSync(descriptor);
    if (!stats.isFile()) throw unfit(path, 'is not a regular file');
    if (stats.size > maxBytes) {
      throw unfit(path, 'is larger than 1 MiB', 'Keys are usually in small files.');
    }
    const bytes = readFileSync(descriptor);
    if (bytes.includes(0)) throw unfit(path, 'is not a text file: it contains NUL bytes');
    return { path, bytes, text: decode(path, bytes), stats };
  } finally {
    closeSync(descriptor);
  }
}

function decode(path: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw unfit(path, 'is not UTF-8 text', 'Convert it first, for example with iconv.');
  }
}

function openFailure(path: string, error: unknown): AuthsomeError {
  const { code } = error as NodeJS.ErrnoException;
  switch (code) {
    case 'ENOENT':
      return unfit(path, 'does not exist');
    case 'EACCES':
    case 'EPERM':
      return unfit(path, 'cannot be read: permission denied');
    case 'ELOOP':
    case 'EMLINK':
      return unfit(path, 'is a symbolic link', `Name the file itself: ${linkTarget(path)}`);
    case 'ENXIO':
      return unfit(path, 'is not a regular file');
    default:
      return unfit(path, `cannot be read: ${systemReason(error)}`);
  }
}

function linkTarget(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return 'its target';
  }
}

function unfit(path: string, what: string, hint = 'Nothing was changed.'): AuthsomeError {
  return new AuthsomeError('Usage', `${path} ${what}`, { hint });
}
