import { lstatSync, realpathSync } from 'node:fs';
import { join, resolve, sep } from 'node:path';
import { AuthsomeError } from '../../errors.ts';
import { type BackupKey, contentHash, openBackup } from '../../scan/index.ts';
import { type BackupSet, type Backups, type StoredBackup, setsIn } from './backups.ts';
import { replaceSourceFile, writeAtOnce } from './file-replacement.ts';
import { canonicalPath } from './rewrite.ts';
import { readSourceFile, type SourceFile } from './source-file.ts';

export interface UndoOptions {
  readonly paths: readonly string[];
  readonly directory: string;
  /** Also restores a file that was changed since, or is missing. */
  readonly force: boolean;
  readonly backups: Backups;
  readonly key: BackupKey;
  readonly randomBytes: (size: number) => Uint8Array;
}

interface Restoration extends StoredBackup {
  readonly original: Uint8Array;
  readonly current: SourceFile | undefined;
}

export interface UndoOutcome {
  /** Absolute paths. */
  readonly restored: readonly string[];
  /** Files of the same rewrite that could not be written. Their backups are kept. */
  readonly failures: readonly AuthsomeError[];
  readonly rewrite: { readonly number: number; readonly at: string };
  /** How many rewrites can still be undone. */
  readonly left: number;
}

/** Restores the files of the latest rewrite, or those of its files that are asked for. Checks all before it changes one. */
export function undoRewrite(options: UndoOptions): UndoOutcome {
  const sets = setsIn(options.backups);
  const latest = sets.map((set) => wantedOf(set, options)).findLast((set) => set !== undefined);
  if (latest === undefined) {
    const where = options.paths.length === 0 ? '' : ` in ${options.paths.join(', ')}`;
    throw new AuthsomeError('OperationNotAllowed', `no rewrite is left to undo${where}`, {
      hint: 'Nothing was changed. Rewrites are undone from the latest to the first.',
    });
  }
  const backups = [...latest.backups].sort((left, right) => (left.backup.file < right.backup.file ? -1 : 1));
  const restorations = backups.map((stored) => prepare(stored, options));
  const restored: string[] = [];
  const failures: AuthsomeError[] = [];
  for (const restoration of restorations) {
    try {
      restore(restoration, options);
      restored.push(restoration.backup.file);
    } catch (error) {
      if (!(error instanceof AuthsomeError)) throw error;
      failures.push(error);
    }
  }
  const { number, at } = latest;
  return { restored, failures, rewrite: { number, at }, left: setsIn(options.backups).length };
}

/** The part of a rewrite that is asked for: all of it, unless paths say which. */
function wantedOf(set: BackupSet, { paths, directory }: UndoOptions): BackupSet | undefined {
  const wanted = paths.map((path) => resolve(directory, path));
  const isWanted = (file: string): boolean =>
    wanted.some((path) => {
      const isDirectory = lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
      return isDirectory ? file.startsWith(join(realpathSync(path), sep)) : file === canonicalPath(path);
    });
  if (paths.length === 0) return set;
  const [first, ...others] = set.backups.filter(({ backup }) => isWanted(backup.file));
  return first === undefined ? undefined : { ...set, backups: [first, ...others] };
}

function prepare(stored: StoredBackup, { key, force }: UndoOptions): Restoration {
  const { name, backup } = stored;
  const { file } = backup;
  const exists = lstatSync(file, { throwIfNoEntry: false }) !== undefined;
  const current = exists ? readSourceFile(file) : undefined;
  const isFitting = current !== undefined && backup.rewritten === contentHash(current.bytes);
  if (backup.did !== key.did) {
    throw new AuthsomeError(
      'OperationNotAllowed',
      `the backup of ${backup.file} belongs to another identity`,
      {
        hint: `Use the identity that rewrote it (AUTHSOME_IDENTITY): ${backup.did}`,
      },
    );
  }
  const original = openBackup(backup, key);
  if (original === undefined) {
    throw new AuthsomeError('OperationNotAllowed', `the backup of ${backup.file} was modified`, {
      hint: 'The values are still in the vault: authsome export <provider>',
    });
  }
  // A crash between the backup and the rewriting left the file as it was.
  const isOriginal = current !== undefined && Buffer.compare(current.bytes, original) === 0;
  if (!isFitting && !isOriginal && !force) {
    const what = exists ? 'was changed since it was rewritten' : 'no longer exists';
    throw new AuthsomeError('OperationNotAllowed', `${backup.file} ${what}`, {
      hint: 'Nothing was written. To restore it anyway: authsome scan --undo --force',
    });
  }
  return { name, backup, original, current };
}

function restore({ name, backup, original, current }: Restoration, options: UndoOptions): void {
  const suffix = Buffer.from(options.randomBytes(8)).toString('hex');
  if (current === undefined) {
    writeAtOnce(backup.file, original, { mode: backup.mode, owner: undefined, suffix });
  } else {
    replaceSourceFile(current, original, suffix);
  }
  options.backups.forget(name);
}
