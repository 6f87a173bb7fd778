import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  fsyncSync,
  openSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { shellWord } from '../../command-line.ts';
import { AuthsomeError, isStorageFull, systemReason } from '../../errors.ts';
import { readSourceFile, type SourceFile } from './source-file.ts';

export interface WriteOptions {
  readonly mode: number;
  /** `undefined`: the user that writes it. */
  readonly owner: { readonly uid: number; readonly gid: number } | undefined;
  /** Makes the temporary file's name unique. */
  readonly suffix: string;
  /** Throws when the new file must not take the old one's place after all. */
  readonly check?: () => void;
}

/**
 * Replaces a file that was read before by `content`, with the same mode and owner. A reader sees the old or the new
 * content, never a part. Fails, and changes nothing, when another program has written to the file since.
 */
export function replaceSourceFile(before: SourceFile, content: Uint8Array, suffix: string): void {
  const { path, stats } = before;
  if (stats.nlink > 1) {
    throw new AuthsomeError('OperationNotAllowed', `${path} has ${stats.nlink} hard links`, {
      hint: 'Its other names would keep the secret. Replace it with a copy of itself first: cp, then mv.',
    });
  }
  requireReplaceable(before, process.getuid?.());
  const check = (): void => {
    if (Buffer.compare(readSourceFile(path).bytes, before.bytes) === 0) return;
    throw new AuthsomeError('OperationNotAllowed', `${path} was changed by another program`, {
      hint: 'Nothing was written. Run the command again.',
    });
  };
  const owner = { uid: stats.uid, gid: stats.gid };
  writeAtOnce(path, content, { mode: stats.mode & 0o7777, owner, suffix, check });
}

/** Refuses what its owner has not meant to be changed by this user. Root may write to all files, and keeps their owners. */
export function requireReplaceable(
  { path, stats }: Pick<SourceFile, 'path' | 'stats'>,
  self: number | undefined,
): void {
  if (self !== undefined && self !== 0 && stats.uid !== self) {
    throw new AuthsomeError('OperationNotAllowed', `${path} belongs to another user`, {
      hint: 'The file is unchanged. Ask its owner to move the keys in it.',
    });
  }
  if ((stats.mode & 0o200) === 0) {
    throw new AuthsomeError('OperationNotAllowed', `${path} is read-only`, {
      hint: `The file is unchanged. To let it be rewritten: chmod u+w ${shellWord(path)}`,
    });
  }
}

/** Writes a file under a temporary name beside `path`, then renames it, unless `check` throws. */
export function writeAtOnce(path: string, content: Uint8Array, options: WriteOptions): void {
  const { mode, owner, suffix, check } = options;
  const directory = dirname(path);
  const temporary = join(directory, `.authsome-${suffix}.tmp`);
  let isMade = false;
  try {
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
    const descriptor = openSync(temporary, flags, 0o600);
    isMade = true;
    try {
      writeFileSync(descriptor, content);
      if (owner !== undefined) keepOwner(descriptor, owner);
      fchmodSync(descriptor, mode);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    check?.();
    renameSync(temporary, path);
    isMade = false;
    syncDirectory(directory);
  } catch (error) {
    if (error instanceof AuthsomeError) throw error;
    throw writeFailure(path, error);
  } finally {
    if (isMade) rmSync(temporary, { force: true });
  }
}

function keepOwner(descriptor: number, { uid, gid }: { readonly uid: number; readonly gid: number }): void {
  const made = fstatSync(descriptor);
  if (made.uid !== uid || made.gid !== gid) fchownSync(descriptor, uid, gid);
}

function syncDirectory(directory: string): void {
  const descriptor = openSync(directory, constants.O_RDONLY);
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function writeFailure(path: string, error: unknown): AuthsomeError {
  const { code } = error as NodeJS.ErrnoException;
  if (isStorageFull(code)) {
    return new AuthsomeError('StorageFull', `no space left to write ${path}`, { cause: error });
  }
  const reason =
    code === 'EPERM'
      ? 'its owner or mode could not be preserved'
      : code === 'EACCES' || code === 'EROFS'
        ? 'its directory is not writable'
        : systemReason(error);
  return new AuthsomeError('OperationNotAllowed', `${path} cannot be replaced: ${reason}`, {
    hint: 'The file is unchanged.',
    cause: error,
  });
}
