/**
 * All settings from the environment and `config.json`, parsed once into one readonly value. `main.ts` passes the real
 * environment; no other file reads `process.env`.
 */
import { readFileSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { shellWord } from './command-line.ts';
import type { Environment } from './environment.ts';
import { AuthsomeError, asAuthsomeError } from './errors.ts';
import { parseJson } from './json.ts';
import { isLoopbackHost } from './loopback.ts';

export const defaultPort = 7998;

export interface ResolveOverride {
  readonly host: string;
  readonly port: number;
  readonly address: string;
  readonly targetPort: number;
}

export interface Settings {
  /** Absolute path of `AUTHSOME_HOME`. */
  readonly home: string;
  /** Origin of the daemon to talk to, without a trailing slash. */
  readonly baseUrl: string;
  /** Whether that daemon runs on this machine, and may be started from here: a loopback `http:` origin. */
  readonly isLocal: boolean;
  readonly listenHost: string;
  readonly listenPort: number;
  readonly masterKey: string | undefined;
  readonly masterKeyFile: string | undefined;
  /** Path of a private file with the passphrase of a vault that has one. */
  readonly passphraseFile: string | undefined;
  /** Other users of this machine whose processes may connect to the daemon. */
  readonly allowedUsers: readonly number[];
  readonly identityHandle: string | undefined;
  readonly identityKey: string | undefined;
  /** Where a document about this client is published (https), for servers that take its URL as a client ID. */
  readonly clientMetadataUrl: string | undefined;
  /** PEM files with further roots, in the order given. */
  readonly extraCaFiles: readonly string[];
  readonly resolveOverrides: readonly ResolveOverride[];
  readonly logLevel: 'error' | 'warn' | 'info' | 'debug';
  /** `run` in `config.json`, or what is wrong with it, which concerns nobody but those who start a run. */
  readonly run: RunDefaults | AuthsomeError;
}

/** What a run is given where its options do not say. */
export interface RunDefaults {
  /** provider → connection. `true`: the person's default. */
  readonly connections?: Readonly<Record<string, string | true>>;
  /** The keys that say something about what this version does not have. */
  readonly withoutEffect: readonly string[];
  /** Keys that nothing reads, most likely misspelled. */
  readonly unknown: readonly string[];
}

const settingNames = [
  'BASE_URL',
  'HOST',
  'PORT',
  'ALLOW_UID',
  'MASTER_KEY',
  'MASTER_KEY_FILE',
  'PASSPHRASE_FILE',
  'IDENTITY',
  'IDENTITY_KEY',
  'CLIENT_METADATA_URL',
  'EXTRA_CA_CERTS',
  'RESOLVE',
  'LOG_LEVEL',
] as const;

/** Keys of a `config.json` that are no setting, most likely misspelled, such as `rule` for `rules`. */
export function unknownSettings(config: Readonly<Record<string, unknown>>): readonly string[] {
  const known = new Set<string>(['rules', 'run', ...settingNames.map((name) => name.toLowerCase())]);
  const run = runDefaultsIn(config);
  const within = run instanceof AuthsomeError ? [] : run.unknown.map((key) => `run.${key}`);
  return [...Object.keys(config).filter((key) => !known.has(key)), ...within];
}

/** `run` of a `config.json`, or the `Usage` error that says what is wrong with it. */
export function runDefaultsIn(config: Readonly<Record<string, unknown>>): RunDefaults | AuthsomeError {
  try {
    return parseRunDefaults(config.run ?? {}, (key) => `run${key} in config.json`);
  } catch (error) {
    return asAuthsomeError(error);
  }
}

/** A setting as it was written, and what to call it in an error. */
interface Given {
  readonly text: string;
  readonly where: string;
}

/** `config` is the parsed `config.json`: the variables' names without `AUTHSOME_`, in lower case. */
export function parseSettings(env: Environment, config: Readonly<Record<string, unknown>> = {}): Settings {
  const read = (name: (typeof settingNames)[number]): Given | undefined => {
    const variable = `AUTHSOME_${name}`;
    const fromEnv = env[variable];
    if (fromEnv !== undefined && fromEnv !== '') return { text: fromEnv, where: variable };
    const key = name.toLowerCase();
    const fromConfig = config[key];
    return fromConfig === undefined
      ? undefined
      : { text: String(fromConfig), where: `${key} in config.json` };
  };
  const setting = (name: (typeof settingNames)[number]): string | undefined => read(name)?.text;
  const explicitUrl = read('BASE_URL');
  const fromUrl = explicitUrl === undefined ? undefined : parseBaseUrl(explicitUrl);
  const isLocal = fromUrl === undefined || (fromUrl.protocol === 'http:' && isLoopbackHost(fromUrl.hostname));
  const localUrl = isLocal ? fromUrl : undefined;
  const listenHost =
    setting('HOST') ?? (localUrl === undefined ? '127.0.0.1' : localUrl.hostname.replace(/^\[|\]$/g, ''));
  const listenPort =
    parsePort(read('PORT')) ?? (localUrl === undefined ? defaultPort : Number(localUrl.port || 80));
  const baseUrl = fromUrl === undefined ? `http://${clientHost(listenHost)}:${listenPort}` : fromUrl.origin;
  return {
    home: homeOf(env),
    baseUrl,
    isLocal,
    listenHost,
    listenPort,
    masterKey: setting('MASTER_KEY'),
    masterKeyFile: setting('MASTER_KEY_FILE'),
    passphraseFile: setting('PASSPHRASE_FILE'),
    allowedUsers: parseUsers(read('ALLOW_UID')),
    identityHandle: setting('IDENTITY'),
    identityKey: setting('IDENTITY_KEY'),
    clientMetadataUrl: parseMetadataUrl(read('CLIENT_METADATA_URL')),
    extraCaFiles: [setting('EXTRA_CA_CERTS'), env.SSL_CERT_FILE, env.NODE_EXTRA_CA_CERTS].filter(
      (file): file is string => file !== undefined && file !== '',
    ),
    resolveOverrides: parseResolve(read('RESOLVE')),
    logLevel: parseLogLevel(read('LOG_LEVEL')),
    run: runDefaultsIn(config),
  };
}

/** The settings of this environment and of its home's `config.json`, which may be absent. */
export function loadSettings(env: Environment): Settings {
  return parseSettings(env, readConfig(join(homeOf(env), 'config.json')));
}

/** The content of `config.json`; empty when there is none. Throws `HomeNotUsable` or `Usage` when it cannot be read. */
export function readConfig(path: string): Readonly<Record<string, unknown>> {
  let text: string;
  try {
    // A pipe would make every command wait forever.
    if (!statSync(path).isFile()) throw new TypeError('not a file');
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // A home that is not a directory is reported by the code that needs one.
    if (code === 'ENOENT' || code === 'ENOTDIR') return {};
    if (!(error instanceof TypeError)) throw unreadable(path, ownerOf(dirname(path)), process.getuid?.());
    throw new AuthsomeError('HomeNotUsable', `${path} is not a file`, {
      hint: `Check what it is, and move it away: ls -ld ${shellWord(path)}`,
      cause: error,
    });
  }
  const document = parseJson(text);
  if (typeof document !== 'object' || document === null || Array.isArray(document)) {
    throw new AuthsomeError('Usage', `${path} is not a JSON object`, {
      hint: `Fix or move the file: ${path}`,
    });
  }
  return document as Readonly<Record<string, unknown>>;
}

/** The error for a `config.json` that cannot be read, most often because sudo created its home. */
export function unreadable(
  path: string,
  homeOwner: number | undefined,
  self: number | undefined,
): AuthsomeError {
  const home = dirname(path);
  if (self === undefined || homeOwner === undefined || homeOwner === self) {
    return new AuthsomeError('HomeNotUsable', `${path} cannot be read`, {
      hint: `Run: chmod 700 ${shellWord(home)}; chmod 600 ${shellWord(path)}\nOr set AUTHSOME_HOME to a directory of your own.`,
    });
  }
  return new AuthsomeError('HomeNotUsable', `${home} belongs to another user`, {
    hint: `Set AUTHSOME_HOME to a directory of your own.\nIf sudo created it, reclaim it with: sudo chown -R ${self} ${shellWord(home)}`,
  });
}

function ownerOf(directory: string): number | undefined {
  try {
    return statSync(directory).uid;
  } catch {
    return undefined;
  }
}

/** Absolute path of the home that this environment names. Throws `HomeNotUsable` when it cannot be determined. */
export function homeOf(env: Environment): string {
  const named = env.AUTHSOME_HOME;
  try {
    if (named !== undefined && named !== '') return isAbsolute(named) ? named : resolve(named);
    return join(env.HOME !== undefined && env.HOME !== '' ? env.HOME : homedir(), '.authsome');
  } catch (error) {
    // The system does not know this user, as in a container, or the current directory was removed.
    const what = 'authsome cannot tell where its home is';
    const reason = named ? 'the current directory no longer exists' : 'HOME is not set';
    throw new AuthsomeError('HomeNotUsable', `${what}: ${reason}`, {
      hint: 'Set AUTHSOME_HOME to the full path of a directory that you can write to.',
      cause: error,
    });
  }
}

function parseBaseUrl({ text, where }: Given): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new AuthsomeError('Usage', `${where} is not an http or https URL: ${withoutUserInfo(text)}`, {
      hint: 'Set it to something like http://127.0.0.1:7998, or unset it.',
    });
  }
  // Calls are signed but not sealed: keys and tokens would be readable on the way.
  if (url.protocol === 'http:' && !isLoopbackHost(url.hostname)) {
    throw new AuthsomeError(
      'Usage',
      `${where} is plain http to another machine, which would send secrets unencrypted: ${withoutUserInfo(text)}`,
      { hint: 'Use https, or a tunnel to a port on this machine, or unset it.' },
    );
  }
  return url;
}

function parseMetadataUrl(given: Given | undefined): string | undefined {
  if (given === undefined) return undefined;
  const { text, where } = given;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === 'https:' && url.username === '' && url.hash === '' && url.pathname !== '/')
    return text;
  throw new AuthsomeError('Usage', `${where} is not the https URL of a document: ${withoutUserInfo(text)}`, {
    hint: 'Set it to something like https://example.com/authsome-client.json, or unset it.',
  });
}

/** The part before the last `@` may be a password. */
function withoutUserInfo(url: string): string {
  return url.replace(/^([^/]*\/\/)?.*@/, '$1***@');
}

/** The host of a URL for a daemon that listens on this address. */
export function clientHost(listenHost: string): string {
  if (listenHost === '0.0.0.0') return '127.0.0.1';
  if (listenHost === '::') return '[::1]';
  return listenHost.includes(':') ? `[${listenHost}]` : listenHost;
}

function parsePort(given: Given | undefined): number | undefined {
  if (given === undefined) return undefined;
  const { text, where } = given;
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (!(port >= 1 && port <= 65_535)) {
    throw new AuthsomeError('Usage', `${where} is not a port number: ${text}`, {
      hint: 'Set it to a number from 1 to 65535, or unset it.',
    });
  }
  return port;
}

function parseUsers(given: Given | undefined): readonly number[] {
  if (given === undefined) return [];
  const { text, where } = given;
  return text.split(',').map((entry) => {
    if (/^\d{1,10}$/.test(entry.trim())) return Number(entry);
    throw new AuthsomeError('Usage', `${where} contains an invalid user ID: ${entry.trim()}`, {
      hint: 'Write numbers, separated by commas. For the number of a user: id -u <name>',
    });
  });
}

function parseResolve(given: Given | undefined): readonly ResolveOverride[] {
  if (given === undefined) return [];
  const { text, where } = given;
  return text.split(',').map((entry) => {
    const match =
      /^(\[[0-9a-fA-F:.]+\]|[^:[\]]+):(\d{1,5}):(\[[0-9a-fA-F:.]+\]|[^:[\]]+)(?::(\d{1,5}))?$/.exec(
        entry.trim(),
      );
    if (match === null) {
      throw new AuthsomeError('Usage', `${where} has an invalid entry: ${entry.trim()}`, {
        hint: 'Write host:port:address[:port], separated by commas, as for curl --resolve.',
      });
    }
    const [, host = '', port = '', address = '', targetPort = port] = match;
    return {
      host: host.toLowerCase(),
      port: Number(port),
      address: address.replace(/^\[|\]$/g, ''),
      targetPort: Number(targetPort),
    };
  });
}

function parseLogLevel(given: Given | undefined): Settings['logLevel'] {
  if (given === undefined) return 'info';
  const { text, where } = given;
  if (text === 'error' || text === 'warn' || text === 'info' || text === 'debug') return text;
  throw new AuthsomeError('Usage', `${where} is not a log level: ${text}`, {
    hint: 'Use one of: error, warn, info, debug.',
  });
}

/** The keys of `run` in `config.json`, and of a `.authsome.json`. */
export const runDefaultKeys = ['connections', 'egress', 'allow', 'sandbox'] as const;

/**
 * Throws `Usage` with the key of what cannot be meant. `where` says where a key is: it gets `.connections.github`, or
 * nothing for the whole.
 */
export function parseRunDefaults(value: unknown, where: (key: string) => string): RunDefaults {
  const record = objectAt(value, where(''));
  const { connections, egress, allow, sandbox } = record;
  if (egress !== undefined && egress !== 'open' && egress !== 'strict')
    throw wrongValue(where('.egress'), 'open or strict');
  if (sandbox !== undefined && typeof sandbox !== 'boolean')
    throw wrongValue(where('.sandbox'), 'true or false');
  if (allow !== undefined && !(Array.isArray(allow) && allow.every((host) => typeof host === 'string')))
    throw wrongValue(where('.allow'), 'a list of hosts');
  const known = new Set<string>(runDefaultKeys);
  const without = runDefaultKeys.filter((key) => key !== 'connections' && record[key] !== undefined);
  return {
    ...(connections === undefined ? {} : { connections: connectionsAt(connections, where) }),
    withoutEffect: without,
    unknown: Object.keys(record).filter((key) => !known.has(key)),
  };
}

function connectionsAt(
  value: unknown,
  where: (key: string) => string,
): Readonly<Record<string, string | true>> {
  const entries = Object.entries(objectAt(value, where('.connections')));
  for (const [provider, name] of entries) {
    const isName = typeof name === 'string' && name !== '';
    if (!isName && name !== true)
      throw wrongValue(where(`.connections.${provider}`), 'the name of a connection, or true');
  }
  return Object.fromEntries(entries) as Readonly<Record<string, string | true>>;
}

function objectAt(value: unknown, where: string): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Readonly<Record<string, unknown>>;
  throw wrongValue(where, 'an object');
}

function wrongValue(where: string, wanted: string): AuthsomeError {
  return new AuthsomeError('Usage', `${where} must be ${wanted}`, {
    hint: 'Correct it there, or remove it. See: authsome help run',
  });
}
