import { lstatSync, readFileSync, readlinkSync, realpathSync, type Stats } from 'node:fs';
import { dirname, join, parse, resolve, sep } from 'node:path';
import { shellWord } from '../command-line.ts';
import type { EntryFault } from './entry.ts';

/** As many symbolic links as the kernel follows in one path. */
const mostLinks = 40;

/** Who counts as a stranger: everybody but root and these. */
export interface Trusted {
  readonly self: number;
  /** The number that stands for every user whom this process has no number for, if there are such. */
  readonly unmapped: number | undefined;
}

/**
 * Why a directory that leads to `path` is in the hands of others: they could put another entry in the place of the
 * whole path. The rule is that of ssh's StrictModes, but a sticky directory such as /tmp is fine: nobody replaces what
 * is somebody else's there. A directory that cannot be read is left to the code that needs it.
 *
 * A group that can write is refused even if it is the user's own and has nobody else in it. Files do not tell that: with an
 * access control list, the group's bits are what its other entries may have at most (acl(5)), and a group can have a
 * password, members in a directory service, or processes that kept it.
 */
export function parentFault(path: string, trusted: Trusted | undefined = current()): EntryFault | undefined {
  return trusted === undefined ? undefined : walk(dirname(resolve(path)), trusted, mostLinks);
}

/** `undefined` on Windows, where owners and modes mean nothing. */
function current(): Trusted | undefined {
  const self = process.getuid?.();
  return self === undefined ? undefined : { self, unmapped: unmappedUser() };
}

function walk(path: string, trusted: Trusted, linksLeft: number): EntryFault | undefined {
  const { root } = parse(path);
  let at = root;
  for (const part of ['', ...path.slice(root.length).split(sep)]) {
    at = join(at, part);
    const stats = statsOf(at);
    if (stats === undefined) return undefined;
    const fault = faultIn(at, stats, trusted);
    if (fault !== undefined) return fault;
    if (!stats.isSymbolicLink()) continue;
    const target = linksLeft > 0 ? targetOf(at) : undefined;
    const beyond = target === undefined ? undefined : walk(target, trusted, linksLeft - 1);
    if (beyond !== undefined) return beyond;
  }
  return undefined;
}

function faultIn(path: string, stats: Stats, { self, unmapped }: Trusted): EntryFault | undefined {
  if (![0, self, unmapped].includes(stats.uid)) {
    return {
      message: `${path} belongs to another user, who could replace the home in it`,
      hint: `Set AUTHSOME_HOME to a directory of your own.\nOr, if ${shellWord(path)} is yours: sudo chown ${self} ${shellWord(path)}`,
      fix: undefined,
    };
  }
  // The modes of a symbolic link mean nothing.
  if (stats.isSymbolicLink() || (stats.mode & 0o022) === 0 || (stats.mode & 0o1000) !== 0) return undefined;
  const isGroupOnly = (stats.mode & 0o002) === 0;
  const who = isGroupOnly ? 'its group' : 'other users';
  const fix = `${stats.uid === self ? '' : 'sudo '}chmod ${isGroupOnly ? 'g-w' : 'go-w'} ${shellWord(path)}`;
  const mode = (stats.mode & 0o7777).toString(8).padStart(4, '0');
  return {
    message: `${path} can be written by ${who} (mode ${mode}), who could replace the home in it`,
    hint: `Run: ${fix}\nOr set AUTHSOME_HOME to a directory that only you can write to.`,
    fix,
  };
}

function targetOf(link: string): string | undefined {
  try {
    return resolve(realpathSync(dirname(link)), readlinkSync(link));
  } catch {
    return undefined;
  }
}

function statsOf(path: string): Stats | undefined {
  try {
    return lstatSync(path);
  } catch {
    return undefined;
  }
}

/**
 * In a user namespace of a sandbox, `/` belongs to a user without a number, whom the kernel shows as the overflow user.
 * It cannot be distinguished from root then. Outside of one, that number is a user like any other.
 */
function unmappedUser(): number | undefined {
  try {
    const [inside, outside, count] = readFileSync('/proc/self/uid_map', 'utf8').trim().split(/\s+/);
    if (inside === '0' && outside === '0' && count === '4294967295') return undefined;
    return Number(readFileSync('/proc/sys/kernel/overflowuid', 'utf8'));
  } catch {
    return undefined;
  }
}
