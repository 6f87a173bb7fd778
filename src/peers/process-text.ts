import { basename } from 'node:path';

/** The parent in the text of `/proc/<pid>/stat` (proc_pid_stat(5)), and the name in it; `undefined` if it is malformed. */
export function readStat(text: string): { readonly parent: number; readonly name: string } | undefined {
  // The name may contain anything, even spaces and parentheses.
  const end = text.lastIndexOf(')');
  const parent = Number(text.slice(end + 2).split(' ')[1]);
  if (end < 0 || !Number.isSafeInteger(parent)) return undefined;
  return { parent, name: text.slice(text.indexOf('(') + 1, end) };
}

/** The number of the socket that a link of `/proc/<pid>/fd` leads to (`socket:[123]`), if it is one. */
export function socketIn(link: string): number | undefined {
  const match = /^socket:\[(\d+)\]$/.exec(link);
  return match === null ? undefined : Number(match[1]);
}

/** The variables in the text of `/proc/<pid>/environ`. */
export function* variablesIn(text: string): Iterable<readonly [string, string]> {
  for (const entry of text.split('\0')) {
    const equals = entry.indexOf('=');
    if (equals > 0) yield [entry.slice(0, equals), entry.slice(equals + 1)];
  }
}

const longestName = 64;
/** The kernel cuts the name of a process to this length. */
const longestStatName = 15;

/**
 * What to call a program in a record: its file's name, and the name that it gave itself where that is another. Never an
 * argument, which may be a secret. Control characters are replaced, so that it can be printed.
 */
export function programName(executable: string | undefined, statName: string): string {
  const file = executable === undefined ? '' : printable(basename(executable.replace(/ \(deleted\)$/, '')));
  const own = printable(statName);
  // Newer versions of Node name their main thread, not the program.
  const saysNothing =
    own === '' || own.endsWith('MainThread') || file.startsWith(own.slice(0, longestStatName));
  if (file === '') return saysNothing ? 'unknown' : own;
  return saysNothing ? file : `${file} (${own})`;
}

function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?').slice(0, longestName);
}
