import { join, resolve } from 'node:path';
import type { Environment } from '../environment.ts';

/**
 * What the daemon needs from the environment of the process that starts it. It gets nothing else: a process that lives
 * for weeks has no use for the API keys that one terminal exported.
 */
const wanted = new Set([
  ...['HOME', 'USER', 'LOGNAME', 'PATH', 'SHELL', 'TMPDIR', 'TMP', 'TEMP', 'TZ', 'LANG', 'LANGUAGE'],
  ...['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY', 'NO_PROXY'],
  ...['SSL_CERT_FILE', 'SSL_CERT_DIR', 'NODE_EXTRA_CA_CERTS'],
  // How the keychain is reached.
  'DBUS_SESSION_BUS_ADDRESS',
  ...['SYSTEMROOT', 'WINDIR', 'USERPROFILE', 'APPDATA', 'LOCALAPPDATA', 'COMSPEC', 'PATHEXT'],
]);
const wantedPrefixes = ['AUTHSOME_', 'XDG_', 'LC_', 'OTEL_'] as const;
/** Identities belong to callers. The daemon never has their keys. */
const unwanted = new Set(['AUTHSOME_IDENTITY', 'AUTHSOME_IDENTITY_KEY']);

/** What a run sets for its child. A daemon with these would connect through its own proxy. */
const setByRuns = /^(HTTPS?_PROXY|ALL_PROXY|SSL_CERT_FILE|SSL_CERT_DIR|NODE_EXTRA_CA_CERTS)$/;

/**
 * What decides whom the daemon reaches and believes, and who may reach it. An agent that could set these would get the
 * credentials of the runs to come, so they are not taken from inside of a run.
 */
const personal: ReadonlySet<string> = new Set([
  'AUTHSOME_RESOLVE',
  'AUTHSOME_EXTRA_CA_CERTS',
  'AUTHSOME_ALLOW_UID',
  // With 0.0.0.0, the network reaches the pages and the proxy.
  'AUTHSOME_HOST',
  'AUTHSOME_CLIENT_METADATA_URL',
]);

/** Files that a person names from where they are. The daemon is elsewhere: in its home. */
const files = new Set([
  ...['AUTHSOME_MASTER_KEY_FILE', 'AUTHSOME_PASSPHRASE_FILE', 'AUTHSOME_EXTRA_CA_CERTS'],
  ...['SSL_CERT_FILE', 'NODE_EXTRA_CA_CERTS'],
]);

/** The environment to start the daemon of `home` with. */
export function daemonEnvironment(
  environment: Environment,
  home: string,
  isInside: boolean,
): Record<string, string> {
  const inherited = Object.entries(environment).filter((entry): entry is [string, string] => {
    const [name, value] = entry;
    const upper = name.toUpperCase();
    if (value === undefined || unwanted.has(upper)) return false;
    if (isInside && isLeftOut(upper)) return false;
    return wanted.has(upper) || wantedPrefixes.some((prefix) => upper.startsWith(prefix));
  });
  const absolute = inherited.map(([name, value]) => [
    name,
    files.has(name.toUpperCase()) && value !== '' ? resolve(value) : value,
  ]);
  return { ...Object.fromEntries(absolute), AUTHSOME_HOME: home };
}

function isLeftOut(name: string): boolean {
  return setByRuns.test(name) || personal.has(name);
}

/** Says which settings a start from inside of a run does not take; `undefined` when none is set. */
export function leftOutNote(environment: Environment): string | undefined {
  const names = [...personal].filter((name) => (environment[name] ?? '') !== '');
  return names.length === 0
    ? undefined
    : `Ignored, since the daemon starts from inside of a run: ${names.join(', ')}.`;
}

/** The environment for a daemon in this process, and what was left out of it. */
export async function environmentToServe(
  environment: Environment,
  home: string,
): Promise<{ readonly environment: Environment; readonly note: string | undefined }> {
  if (!(await isInsideRun(environment, home))) return { environment, note: undefined };
  const kept = Object.entries(environment).filter(([name]) => !isLeftOut(name.toUpperCase()));
  return { environment: Object.fromEntries(kept), note: leftOutNote(environment) };
}

/**
 * Whether this process descends from a run, by its environment and, where the system shows them, by those of the processes
 * above it. For what is decided without the daemon.
 */
export async function isInsideRun(environment: Environment, home: string): Promise<boolean> {
  // Loaded only here: most commands do without it.
  const { descendsFromRun, procTable, runMarksIn } = await import('../peers/index.ts');
  const runs = join(home, 'runs');
  const variables = Object.entries(environment).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  );
  return runMarksIn(variables, runs).isMarked || descendsFromRun(process.pid, procTable, runs);
}
