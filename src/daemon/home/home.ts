import { accessSync, constants, existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { shellWord } from '../../command-line.ts';
import { AuthsomeError } from '../../errors.ts';
import { type EntryFault, entryFault, makePrivateDirectory, parentFault } from '../../private-files/index.ts';

/** Absolute paths inside a home. */
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

/** Makes the directories that are missing, mode 0700. Throws `HomeNotUsable` with the command that fixes what is wrong. */
export function prepareHome(home: Home): void {
  requireNone(parentFault(home.path));
  for (const directory of [home.path, home.providers, home.server, home.logs, home.runs]) {
    makePrivateDirectory(directory);
  }
  requireNone(homeFaults(home)[0]);
}

function requireNone(fault: EntryFault | undefined): void {
  if (fault !== undefined) throw new AuthsomeError('HomeNotUsable', fault.message, { hint: fault.hint });
}

/** Everything that is wrong with the modes, owners and kinds of a home's entries, and of what leads to it. */
export function homeFaults(home: Home): readonly EntryFault[] {
  const parent = parentFault(home.path);
  const faults: EntryFault[] = parent === undefined ? [] : [parent];
  for (const directory of [home.path, home.providers, home.server, home.logs, home.runs]) {
    const fault = faultOf(directory);
    if (fault !== undefined) faults.push(fault);
  }
  if (faults.length > 0) return faults;
  for (const name of readdirSync(home.server)) {
    const fault = entryFault(join(home.server, name), 'file');
    if (fault !== undefined) faults.push(fault);
  }
  return faults;
}

function faultOf(path: string): EntryFault | undefined {
  const fault = entryFault(path, 'directory');
  if (fault !== undefined || !existsSync(path) || isWritable(path)) return fault;
  const fix = `chmod 700 ${shellWord(path)}`;
  return { message: `${path} is not writable`, hint: `Run: ${fix}`, fix };
}

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
