import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { shellWord } from '../../command-line.ts';
import { AuthsomeError } from '../../errors.ts';
import {
  makePrivateDirectory,
  readPrivateFile,
  requirePrivate,
  writePrivateFile,
} from '../../private-files/index.ts';
import { type Backup, parseBackup } from '../../scan/index.ts';

export interface StoredBackup {
  readonly name: string;
  readonly backup: Backup;
}

/** The files of one rewrite. */
export interface BackupSet {
  /** 1 for the oldest that is left. */
  readonly number: number;
  readonly at: string;
  readonly backups: readonly [StoredBackup, ...StoredBackup[]];
}

/** The sealed originals of rewritten files, in a directory of the home. */
export interface Backups {
  /** Writes it to disk. Returns the name by which it can be deleted. */
  store(backup: Backup): string;
  /** The oldest first. */
  list(): readonly StoredBackup[];
  forget(name: string): void;
}

/** The rewrites that can be undone, the oldest first. */
export function setsIn(backups: Pick<Backups, 'list'>): readonly BackupSet[] {
  const sets = new Map<string, [StoredBackup, ...StoredBackup[]]>();
  for (const stored of backups.list()) {
    const id = stored.backup.set ?? stored.name;
    const set = sets.get(id);
    if (set === undefined) sets.set(id, [stored]);
    else set.push(stored);
  }
  return [...sets.values()].map((set, index) => ({ number: index + 1, at: set[0].backup.at, backups: set }));
}

export function openBackups(home: string, randomBytes: (size: number) => Uint8Array): Backups {
  const directory = join(home, 'backups');
  return {
    store(backup) {
      makePrivateDirectory(directory);
      requirePrivate(directory, 'directory');
      const id = Buffer.from(randomBytes(8)).toString('hex');
      const name = `scan-${backup.at.replace(/[^0-9TZ]/g, '')}-${id}.json`;
      writePrivateFile(join(directory, name), `${JSON.stringify(backup)}\n`);
      return name;
    },
    list() {
      return namesIn(directory).map((name) => ({ name, backup: readBackup(join(directory, name)) }));
    },
    forget(name) {
      rmSync(join(directory, name), { force: true });
    },
  };
}

function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory)
      .filter((name) => /^scan-.*\.json$/.test(name))
      .sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw new AuthsomeError('HomeNotUsable', `${directory} cannot be read`, {
      hint: `Run: chmod 700 ${shellWord(directory)}`,
      cause: error,
    });
  }
}

function readBackup(path: string): Backup {
  let document: unknown;
  try {
    document = JSON.parse(readPrivateFile(path) ?? '');
  } catch (error) {
    if (error instanceof AuthsomeError) throw error;
    document = undefined;
  }
  const backup = parseBackup(document);
  if (backup !== undefined) return backup;
  throw new AuthsomeError('HomeNotUsable', `${path} is not a backup of a scan`, {
    hint: 'Move it out of that directory.',
  });
}
