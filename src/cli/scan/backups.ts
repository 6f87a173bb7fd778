import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { shellWord } from '../../command-line.ts';
import { AuthsomeError } from '../../errors.ts';
import { isPrivateDirectory, makePrivateDirectory } from '../../private-files/index.ts';
import { type Backup, parseBackup } from '../../scan/index.ts';
import { writeWhole } from './file-replacement.ts';
import { readSourceFile } from './source-file.ts';

export interface StoredBackup {
  readonly name: string;
  readonly backup: Backup;
}

/** The sealed originals of rewritten files, in a directory of the home. */
export interface Backups {
  /** On disk when it returns. The name forgets it again. */
  store(backup: Backup): string;
  /** The oldest first. */
  list(): readonly StoredBackup[];
  forget(name: string): void;
}

/** The longest file that is read, in base64, with what is said about it. */
const maxBytes = 2 * 1024 * 1024;

export function openBackups(home: string, randomBytes: (size: number) => Uint8Array): Backups {
  const directory = join(home, 'backups');
  return {
    store(backup) {
      makePrivateDirectory(directory);
      isPrivateDirectory(directory);
      const id = Buffer.from(randomBytes(8)).toString('hex');
      const name = `scan-${backup.at.replace(/[^0-9TZ]/g, '')}-${id}.json`;
      const content = Buffer.from(`${JSON.stringify(backup)}\n`);
      writeWhole(join(directory, name), content, { mode: 0o600, owner: undefined }, id);
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
  const { text } = readSourceFile(path, maxBytes);
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    document = undefined;
  }
  const backup = parseBackup(document);
  if (backup !== undefined) return backup;
  throw new AuthsomeError('HomeNotUsable', `${path} is not a backup of a scan`, {
    hint: 'Move it away.',
  });
}
