import { randomBytes } from 'node:crypto';
import {
  accessSync,
  closeSync,
  constants,
  fsyncSync,
  lstatSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  type Stats,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { AuthsomeError } from '../errors.ts';
import { makePrivateDirectory } from '../private-files/index.ts';

/** Absolute paths inside a home; the directories among them exist, mode 0700, and are ours. */
export interface Home {
  readonly path: string;
  readonly providers: string;
  readonly server: string;
  readonly logs: string;
  readonly runs: string;
  readonly databaseFile: string;
  readonly lockFile: string;
  readonly masterKeyFile: string;
  readonly daemonFile: string;
  readonly logFile: string;
  readonly configFile: string;
}

export function homeAt(path: string): Home {
  const server = join(path, 'server');
  return {
    path,
    providers: join(path, 'providers'),
    server,
    logs: join(path, 'logs'),
    runs: join(path, 'runs'),
    databaseFile: join(server, 'authsome.db'),
    lockFile: join(server, 'daemon.lock'),
    masterKeyFile: join(server, 'master.key'),
    daemonFile: join(server, 'daemon.json'),
    logFile: join(path, 'logs', 'daemon.log'),
    configFile: join(path, 'config.json'),
  };
}

/** Makes what is missing, mode 0700. Throws `HomeNotUsable` with the command that mends what is wrong. */
export function prepareHome(home: Home): void {
  for (const directory of [home.path, home.providers, home.server, home.logs, home.runs]) {
    if (statsOf(directory) === undefined) makePrivateDirectory(directory);
  }
  const fault = homeFaults(home)[0];
  if (fault !== undefined) throw new AuthsomeError('HomeNotUsable', fault.message, { hint: fault.hint });
}

interface HomeFault {
  readonly message: string;
  readonly hint: string;
  /** A shell command, where one mends it. */
  readonly fix: string | undefined;
}

/** Everything that is wrong with the modes, owners and kinds of a home's entries. */
export function homeFaults(home: Home): readonly HomeFault[] {
  const faults: HomeFault[] = [];
  for (const directory of [home.path, home.providers, home.server, home.logs, home.runs]) {
    const fault = entryFault(directory, 'directory');
    if (fault !== undefined) faults.push(fault);
  }
  if (faults.length > 0) return faults;
  for (const name of readdirSync(home.server)) {
    const fault = entryFault(join(home.server, name), 'file');
    if (fault !== undefined) faults.push(fault);
  }
  return faults;
}

function entryFault(path: string, expected: 'directory' | 'file'): HomeFault | undefined {
  const stats = statsOf(path);
  if (stats === undefined) return undefined;
  if (stats.isSymbolicLink()) {
    const hint = 'Put a real one in its place, or set AUTHSOME_HOME to the real path.';
    return { message: `${path} is a symbolic link`, hint, fix: undefined };
  }
  if (expected === 'directory' ? !stats.isDirectory() : !stats.isFile()) {
    return {
      message: `${path} is not a ${expected}`,
      hint: 'Move it away, or set AUTHSOME_HOME to another path.',
      fix: undefined,
    };
  }
  const uid = process.getuid?.();
  if (uid !== undefined && stats.uid !== uid) {
    const fix = `sudo chown ${uid} ${shellWord(path)}`;
    return { message: `${path} belongs to another user`, hint: `Run: ${fix}`, fix };
  }
  if (process.platform !== 'win32' && (stats.mode & 0o077) !== 0) {
    const fix = `chmod ${expected === 'directory' ? '700' : '600'} ${shellWord(path)}`;
    const mode = (stats.mode & 0o777).toString(8).padStart(4, '0');
    return { message: `${path} can be reached by other users (mode ${mode})`, hint: `Run: ${fix}`, fix };
  }
  if (expected === 'directory' && !isWritable(path)) {
    const fix = `chmod 700 ${shellWord(path)}`;
    return { message: `${path} is not writable`, hint: `Run: ${fix}`, fix };
  }
  return undefined;
}

function statsOf(path: string): Stats | undefined {
  try {
    return lstatSync(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    throw new AuthsomeError('HomeNotUsable', `${path} cannot be read (${code ?? 'unknown reason'})`, {
      hint: 'Set AUTHSOME_HOME to a directory that you can write to.',
      cause: error,
    });
  }
}

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** A shell word, quoted only where it needs to be: hints are meant to be pasted. */
function shellWord(text: string): string {
  return /^[A-Za-z0-9_/.:@%+=,-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/** Writes a file that is 0600 from its first byte and that readers see whole or not at all. */
export function writePrivateFile(path: string, text: string): void {
  const temporary = `${path}.${randomBytes(6).toString('hex')}`;
  try {
    const descriptor = openSync(temporary, 'wx', 0o600);
    try {
      writeSync(descriptor, text);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOSPC') throw new AuthsomeError('StorageFull', `no space left to write ${path}`);
    throw new AuthsomeError('HomeNotUsable', `${path} cannot be written (${code ?? 'unknown reason'})`, {
      hint: 'Run: authsome doctor',
      cause: error,
    });
  }
}
