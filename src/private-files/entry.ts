import { lstatSync, type Stats } from 'node:fs';
import { shellWord } from '../command-line.ts';
import { AuthsomeError, systemReason } from '../errors.ts';

export interface EntryFault {
  readonly message: string;
  readonly hint: string;
  /** The shell command that fixes it, where one can. */
  readonly fix: string | undefined;
}

type Kind = 'directory' | 'file';

/** Why an entry of a home is not private to this user; `undefined` when it is, or when it does not exist. */
export function entryFault(path: string, expected: Kind): EntryFault | undefined {
  const stats = statsOf(path);
  return stats === undefined ? undefined : faultIn(path, stats, expected, 'us');
}

/** Throws `HomeNotUsable` for an entry that is not private to this user. Returns whether it exists. */
export function requirePrivate(path: string, expected: Kind): boolean {
  const stats = statsOf(path);
  if (stats !== undefined) requirePrivateStats(path, stats, expected, 'us');
  return stats !== undefined;
}

/** As `requirePrivate`, for an entry whose stats are known. */
export function requirePrivateStats(
  path: string,
  stats: Stats,
  expected: Kind,
  owner: 'us' | 'anybody',
): void {
  const fault = faultIn(path, stats, expected, owner);
  if (fault !== undefined) throw new AuthsomeError('HomeNotUsable', fault.message, { hint: fault.hint });
}

function faultIn(
  path: string,
  stats: Stats,
  expected: Kind,
  owner: 'us' | 'anybody',
): EntryFault | undefined {
  if (stats.isSymbolicLink()) {
    const hint = 'Put a real one in its place, or set AUTHSOME_HOME to the real path.';
    return { message: `${path} is a symbolic link`, hint, fix: undefined };
  }
  if (expected === 'directory' ? !stats.isDirectory() : !stats.isFile()) {
    const hint = 'Move it away, or set AUTHSOME_HOME to another path.';
    return { message: `${path} is not a ${expected}`, hint, fix: undefined };
  }
  const uid = process.getuid?.();
  if (owner === 'us' && uid !== undefined && stats.uid !== uid) {
    const fix = `sudo chown ${uid} ${shellWord(path)}`;
    return { message: `${path} belongs to another user`, hint: `Run: ${fix}`, fix };
  }
  // Modes mean nothing on Windows.
  if (process.platform !== 'win32' && (stats.mode & 0o077) !== 0) {
    const fix = `chmod ${expected === 'directory' ? '700' : '600'} ${shellWord(path)}`;
    const mode = (stats.mode & 0o777).toString(8).padStart(4, '0');
    return { message: `${path} can be reached by other users (mode ${mode})`, hint: `Run: ${fix}`, fix };
  }
  return undefined;
}

function statsOf(path: string): Stats | undefined {
  try {
    return lstatSync(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    throw new AuthsomeError('HomeNotUsable', `${path} cannot be read: ${systemReason(error)}`, {
      hint: `Check it: ls -ld ${shellWord(path)}; or set AUTHSOME_HOME to a directory that you can write to.`,
      cause: error,
    });
  }
}
