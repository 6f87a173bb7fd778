import { join, sep } from 'node:path';
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
const setByRuns = /^(HTTPS?_PROXY|ALL_PROXY|SSL_CERT_FILE|NODE_EXTRA_CA_CERTS)$/;

/** The environment to start the daemon of `home` with. */
export function daemonEnvironment(environment: Environment, home: string): Record<string, string> {
  const runs = `${join(home, 'runs')}${sep}`;
  const isInsideRun = Object.values(environment).some((value) => value?.startsWith(runs) === true);
  const inherited = Object.entries(environment).filter((entry): entry is [string, string] => {
    const [name, value] = entry;
    const upper = name.toUpperCase();
    if (value === undefined || unwanted.has(upper)) return false;
    if (isInsideRun && setByRuns.test(upper)) return false;
    return wanted.has(upper) || wantedPrefixes.some((prefix) => upper.startsWith(prefix));
  });
  return { ...Object.fromEntries(inherited), AUTHSOME_HOME: home };
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
