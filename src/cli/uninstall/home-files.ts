import { type Dirent, lstatSync, readdirSync, rmdirSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { AuthsomeError } from '../../errors.ts';
import { parentFault, requirePrivate } from '../../private-files/index.ts';
import { isKnownDirectory, isKnownFile } from './known-files.ts';

/** What is in a home. All paths are absolute. */
export interface HomeFiles {
  /** What authsome has made, files before the directories that they are in. */
  readonly files: readonly string[];
  readonly directories: readonly string[];
  /** What somebody else has put there: it stays. */
  readonly others: readonly string[];
  readonly bytes: number;
}

const nothing: HomeFiles = { files: [], directories: [], others: [], bytes: 0 };

/**
 * What is in the home. A symbolic link is never followed, and authsome makes none: it is somebody else's. `isForeign` says
 * of a file with a known name that its content is not authsome's. Throws `HomeNotUsable` for a home that is a link, or that
 * others can enter or replace.
 */
export function readHomeFiles(home: string, isForeign: (path: string) => boolean): HomeFiles {
  const fault = parentFault(home);
  if (fault !== undefined) throw new AuthsomeError('HomeNotUsable', fault.message, { hint: fault.hint });
  if (!requirePrivate(home, 'directory')) return nothing;
  return readDirectory(home, [], isForeign);
}

function readDirectory(
  home: string,
  names: readonly string[],
  isForeign: (path: string) => boolean,
): HomeFiles {
  const path = join(home, ...names);
  const found = readdirSync(path, { withFileTypes: true }).map((entry): HomeFiles => {
    const inner = [...names, entry.name];
    if (entry.isDirectory() && isKnownDirectory(inner)) return readDirectory(home, inner, isForeign);
    return readFile(join(path, entry.name), names, entry, isForeign);
  });
  return {
    files: found.flatMap(({ files }) => files),
    directories: [...found.flatMap(({ directories }) => directories), path],
    others: found.flatMap(({ others }) => others),
    bytes: found.reduce((sum, { bytes }) => sum + bytes, 0),
  };
}

function readFile(
  path: string,
  directory: readonly string[],
  entry: Dirent,
  isForeign: (path: string) => boolean,
): HomeFiles {
  const isOurs = entry.isFile() && isKnownFile(directory, entry.name) && !isForeign(path);
  return isOurs
    ? { ...nothing, files: [path], bytes: lstatSync(path, { throwIfNoEntry: false })?.size ?? 0 }
    : { ...nothing, others: [path] };
}

/** Deletes what authsome has made, and the directories that are empty then. Returns what stays. */
export function removeHomeFiles({ files, directories, others }: HomeFiles): readonly string[] {
  const kept = [...others];
  for (const file of files) if (!isGone(() => unlinkSync(file))) kept.push(file);
  // One with something in it stays, for the sake of what is in it.
  for (const directory of directories) isGone(() => rmdirSync(directory));
  return kept;
}

function isGone(remove: () => void): boolean {
  try {
    remove();
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT';
  }
}
