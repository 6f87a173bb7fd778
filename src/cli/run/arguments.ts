import { AuthsomeError } from '../../errors.ts';
import { closest } from '../../suggestion.ts';
import { type GlobalFlags, readGlobalFlag } from '../global-flags.ts';

/** `--connection PROVIDER=NAME[:VARIABLE]`. */
export interface NamedConnection {
  readonly provider: string;
  readonly connection: string;
  readonly variable?: string;
}

/** Options without a value, and what each sets. */
const switches = {
  '--trusted': 'isTrusted',
  '--inherit-secrets': 'inheritsSecrets',
  '--strict': 'isStrict',
  '--dry-run': 'isDryRun',
} as const;

/** The arguments of `authsome run`, with those of the child unmodified. */
export interface RunArguments {
  readonly flags: GlobalFlags;
  /** `provider` or `provider/connection`, in the order given. */
  readonly providers: readonly string[];
  /** provider → connection: the first of each that was named without a variable. */
  readonly connections: Readonly<Record<string, string>>;
  /** The others. */
  readonly further: readonly NamedConnection[];
  /** Whether the run may do what is refused inside others. */
  readonly isTrusted: boolean;
  /** Whether the command gets the secrets of this environment as they are. */
  readonly inheritsSecrets: boolean;
  /** Whether a misplaced phantom ends the run. */
  readonly isStrict: boolean;
  /** Whether to say what the run would have, and start nothing. */
  readonly isDryRun: boolean;
  /** Empty when there is none. */
  readonly command: string;
  readonly commandArguments: readonly string[];
}

const ownOptions = [
  '--provider',
  '--connection',
  ...Object.keys(switches),
  '--json',
  '--quiet',
  '--verbose',
  '--no-color',
  '--log-file',
  '--help',
];

/**
 * Reads up to the child's command and no further: `authsome run git log -p -- x` needs no `--`, and one before the
 * command is removed. Throws `Usage`.
 */
export function readRunArguments(args: readonly string[], given: GlobalFlags): RunArguments {
  let flags = given;
  let rest = args;
  const providers: string[] = [];
  const named: NamedConnection[] = [];
  const set = { isTrusted: false, inheritsSecrets: false, isStrict: false, isDryRun: false };
  while (rest[0]?.startsWith('-') === true && rest[0] !== '--') {
    const global = readGlobalFlag(flags, rest);
    if (global !== undefined) {
      ({ flags, rest } = global);
      continue;
    }
    const [head = '', next] = rest;
    const name = switches[head as keyof typeof switches];
    if (name !== undefined) {
      set[name] = true;
      rest = rest.slice(1);
      continue;
    }
    const equals = head.indexOf('=');
    const option = equals === -1 ? head : head.slice(0, equals);
    if (option !== '--provider' && option !== '--connection' && option !== '-p') throw unknownOption(option);
    const value = equals === -1 ? next : head.slice(equals + 1);
    if (value === undefined || value === '') throw missingValue(option);
    if (option === '--connection') named.push(namedConnection(value));
    else providers.push(value);
    rest = rest.slice(equals === -1 ? 2 : 1);
  }
  if (rest[0] === '--') rest = rest.slice(1);
  const [command = '', ...commandArguments] = rest;
  return {
    flags,
    providers,
    ...sorted(named),
    ...set,
    command,
    commandArguments,
  };
}

function namedConnection(value: string): NamedConnection {
  const parts = /^([^=]+)=([^:]+)(?::(.+))?$/.exec(value);
  const [, provider, connection, variable] = parts ?? [];
  if (provider === undefined || connection === undefined) {
    throw new AuthsomeError('Usage', `--connection needs PROVIDER=NAME[:VARIABLE], not: ${value}`, {
      hint: 'For example: authsome run --connection github=work -- git push',
    });
  }
  return variable === undefined ? { provider, connection } : { provider, connection, variable };
}

function sorted(named: readonly NamedConnection[]): Pick<RunArguments, 'connections' | 'further'> {
  const connections: Record<string, string> = {};
  const further: NamedConnection[] = [];
  for (const each of named) {
    const { provider, connection, variable } = each;
    const isFirst = variable === undefined && !Object.hasOwn(connections, provider);
    if (isFirst) connections[provider] = connection;
    else further.push(each);
  }
  return { connections, further };
}

function missingValue(option: string): AuthsomeError {
  return new AuthsomeError('Usage', `${option} needs a value`, {
    hint:
      option === '--connection'
        ? 'Write: --connection PROVIDER=NAME[:VARIABLE]'
        : 'Write: --provider PROVIDER',
  });
}

function unknownOption(option: string): AuthsomeError {
  const near = closest(option, ownOptions);
  return new AuthsomeError('Usage', `unknown option: ${option}`, {
    hint:
      near === undefined
        ? 'Options of your command go after it: authsome run -- <command> [args…]'
        : `Did you mean ${near}? Options of your command go after it: authsome run -- <command> [args…]`,
  });
}
