import { AuthsomeError } from '../errors.ts';

/** What can be said before or after any command. */
export interface GlobalFlags {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly verbose: boolean;
  readonly color: boolean;
  readonly logFile: string | undefined;
  readonly version: boolean;
  readonly help: boolean;
}

export const noFlags: GlobalFlags = {
  json: false,
  quiet: false,
  verbose: false,
  color: true,
  logFile: undefined,
  version: false,
  help: false,
};

/** One global flag at the head of `args` taken in, and what follows it; `undefined` when there is none there. */
export function readGlobalFlag(
  flags: GlobalFlags,
  args: readonly string[],
): { readonly flags: GlobalFlags; readonly rest: readonly string[] } | undefined {
  const [head = '', next, ...others] = args;
  const rest = args.slice(1);
  switch (head) {
    case '--json':
      return { flags: { ...flags, json: true }, rest };
    case '-q':
    case '--quiet':
      return { flags: { ...flags, quiet: true }, rest };
    case '-v':
    case '--verbose':
      return { flags: { ...flags, verbose: true }, rest };
    case '--no-color':
      return { flags: { ...flags, color: false }, rest };
    case '-V':
    case '--version':
      return { flags: { ...flags, version: true }, rest };
    case '-h':
    case '--help':
      return { flags: { ...flags, help: true }, rest };
    case '--log-file':
      if (next === undefined) throw missingLogFile();
      return { flags: { ...flags, logFile: next }, rest: others };
    default:
      if (!head.startsWith('--log-file=')) return undefined;
      if (head === '--log-file=') throw missingLogFile();
      return { flags: { ...flags, logFile: head.slice('--log-file='.length) }, rest };
  }
}

/** The flags in front of the command, the command's own name, and everything after it. */
export function readHead(args: readonly string[]): {
  readonly flags: GlobalFlags;
  readonly command: string | undefined;
  readonly rest: readonly string[];
} {
  let flags = noFlags;
  let rest = args;
  for (;;) {
    const read = readGlobalFlag(flags, rest);
    if (read === undefined) break;
    flags = read.flags;
    rest = read.rest;
  }
  return { flags, command: rest[0], rest: rest.slice(1) };
}

/** Options of ours that take a value as a word of its own: that word is no flag, and no command either. */
const valueOptions = new Set(['--provider', '-p', '--connection', '--log-file']);

/**
 * Whether `--json` is meant, however broken the rest may be: a caller that asked for JSON gets its failures as
 * JSON too. What follows `--` or belongs to the child of a run does not count.
 */
export function asksForJson(args: readonly string[]): boolean {
  const end = args.indexOf('--');
  const own = end === -1 ? args : args.slice(0, end);
  let isRun = false;
  for (let index = 0; index < own.length; index++) {
    const word = own[index] ?? '';
    if (word === '--json') return true;
    if (valueOptions.has(word)) index++;
    else if (isRun && !word.startsWith('-')) return false;
    else if (word === 'run') isRun = true;
  }
  return false;
}

function missingLogFile(): AuthsomeError {
  return new AuthsomeError('Usage', '--log-file needs a file name', {
    hint: 'Write: authsome --log-file authsome.log <command>',
  });
}
