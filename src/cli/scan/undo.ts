import { lstatSync, realpathSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { AuthsomeError } from '../../errors.ts';
import { type BackupKey, contentHash, openBackup } from '../../scan/index.ts';
import type { Backups, StoredBackup } from './backups.ts';
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

/** Restores files as they were before their last rewrite; their absolute paths. Checks all before it changes one. */
export function undoRewrites(options: UndoOptions): readonly string[] {
  const byFile = new Map<string, [StoredBackup, ...StoredBackup[]]>();
  for (const stored of options.backups.list()) {
    const { file } = stored.backup;
    if (isWanted(file, options)) byFile.set(file, [stored, ...(byFile.get(file) ?? [])]);
  }
  if (byFile.size === 0) {
    const where = options.paths.length === 0 ? 'this directory' : options.paths.join(', ');
    throw new AuthsomeError('OperationNotAllowed', `nothing to undo in ${where}`, {
      hint: 'Name the file or its directory: authsome scan --undo <path>',
    });
  }
  const restorations = [...byFile.values()].map((stored) => prepare(stored, options));
  for (const restoration of restorations) restore(restoration, options);
  return restorations.map(({ backup }) => backup.file);
}

function isWanted(file: string, { paths, directory }: UndoOptions): boolean {
  const wanted = paths.length === 0 ? [directory] : paths.map((path) => resolve(directory, path));
  return wanted.some((path) => {
    const isDirectory = lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
    return isDirectory ? dirname(file) === realpathSync(path) : file === canonicalPath(path);
  });
}

function prepare(
  stored: readonly [StoredBackup, ...StoredBackup[]],
  { key, force }: UndoOptions,
): Restoration {
  const [newest] = stored;
  const { file } = newest.backup;
  const exists = lstatSync(file, { throwIfNoEntry: false }) !== undefined;
  const current = exists ? readSourceFile(file) : undefined;
  const hash = current === undefined ? undefined : contentHash(current.bytes);
  // The newest by the clock, unless the file itself says which rewriting it comes from.
  const fitting = stored.find(({ backup }) => backup.rewritten === hash);
  const { name, backup } = fitting ?? newest;
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
  if (fitting === undefined && !isOriginal && !force) {
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
