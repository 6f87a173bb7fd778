import { AuthsomeError } from '../errors.ts';

/** Options that are allowed before or after any command. */
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

/** The flags with the global flag at the head of `args`, and the words after it; `undefined` when there is none. */
export function readGlobalFlag(
  flags: GlobalFlags,
  args: readonly string[],
): { readonly flags: GlobalFlags; readonly rest: readonly string[] } | undefined {
  if (namesNoLogFile(args)) throw missingLogFile();
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
      return { flags: { ...flags, logFile: next }, rest: others };
    default:
      if (!head.startsWith('--log-file=')) return undefined;
      return { flags: { ...flags, logFile: head.slice('--log-file='.length) }, rest };
  }
}

/** The global flags among `args`, wherever they stand before `--`, and the rest in its order. `--help` stays in it. */
export function takeGlobalFlags(args: readonly string[]): {
  readonly flags: GlobalFlags;
  readonly rest: readonly string[];
} {
  let flags = noFlags;
  let left = args;
  const rest: string[] = [];
  while (left.length > 0 && left[0] !== '--') {
    const read = left[0] === '--help' || left[0] === '-h' ? undefined : readGlobalFlag(flags, left);
    if (read === undefined) {
      rest.push(...left.slice(0, 1));
      left = left.slice(1);
    } else {
      flags = read.flags;
      left = read.rest;
    }
  }
  return { flags, rest: [...rest, ...left] };
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

/** Options that take a value as a separate word. That word is neither a flag nor a command. */
const valueOptions = new Set(['--provider', '-p', '--connection']);

/**
 * The flags in `args`, even if other words are wrong: a caller that asked for JSON also gets errors as JSON. Words after
 * `--` and those of a run's child do not count.
 */
export function flagsMeant(args: readonly string[]): GlobalFlags {
  let flags = noFlags;
  let rest = args;
  let isRun = false;
  for (;;) {
    const [word] = rest;
    if (word === undefined || word === '--' || (isRun && !word.startsWith('-'))) return flags;
    const read = namesNoLogFile(rest) ? undefined : readGlobalFlag(flags, rest);
    if (read !== undefined) ({ flags, rest } = read);
    else {
      if (word === 'run') isRun = true;
      rest = rest.slice(valueOptions.has(word) ? 2 : 1);
    }
  }
}

function namesNoLogFile([head, next]: readonly string[]): boolean {
  return head === '--log-file=' || (head === '--log-file' && next === undefined);
}

function missingLogFile(): AuthsomeError {
  return new AuthsomeError('Usage', '--log-file needs a file name', {
    hint: 'Write: authsome --log-file authsome.log <command>',
  });
}

/** The provider and the connection in `--connection` of `run`, and of commands that tell about a run. Throws `Usage`. */
export function connectionOf(pair: string): readonly [provider: string, connection: string] {
  const equals = pair.indexOf('=');
  if (equals < 1 || equals === pair.length - 1) {
    throw new AuthsomeError('Usage', `--connection needs PROVIDER=NAME, not: ${pair}`, {
      hint: 'For example: authsome run --connection github=work -- git push',
    });
  }
  return [pair.slice(0, equals), pair.slice(equals + 1)];
}
