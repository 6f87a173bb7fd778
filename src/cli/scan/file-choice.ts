import { type Dirent, lstatSync, readdirSync } from 'node:fs';
import { isAbsolute, join, resolve } from 'node:path';
import { AuthsomeError, systemReason } from '../../errors.ts';
import { type Reader, readerMet, readerOf, readers, type Where } from '../../scan/index.ts';

export interface ChosenFile {
  /** As a person would name it: relative where they were, or from their home (`~/.netrc`). */
  readonly shown: string;
  /** Absolute. */
  readonly path: string;
  /** Whether somebody named this very file: then it must be readable. */
  readonly isNamed: boolean;
  readonly reader: Reader;
}

export interface Choice {
  readonly files: readonly ChosenFile[];
  /** What was not looked at, as sentences. */
  readonly omissions: readonly string[];
}

/** How far a directory is searched. */
export interface Limits {
  /** Levels of directories below the named one. */
  readonly depth: number;
  /** Files and directories that are looked at. */
  readonly entries: number;
}

const usualLimits: Limits = { depth: 8, entries: 50_000 };
/** What others have written, or what is made again: nobody keeps keys there. */
const passedOver = new Set(['.git', '.hg', '.svn', 'node_modules', '.venv', 'venv', '__pycache__', '.tox']);

/** The files among `named`, and in the directories among them (in `directory` when nothing is named) those that readers know. */
export function chooseFiles(
  named: readonly string[],
  directory: string,
  limits: Limits = usualLimits,
): Choice {
  const files: ChosenFile[] = [];
  const omissions: string[] = [];
  for (const name of named.length === 0 ? [''] : named) {
    const path = isAbsolute(name) ? name : resolve(directory, name);
    if (!isDirectory(path)) files.push({ shown: name, path, isNamed: true, reader: readerOf(path) });
    else searchDirectory({ shown: name, path }, { files, omissions }, limits);
  }
  return { files: withoutRepetition(files), omissions };
}

/** The files that tools keep in well-known places, as far as there are any. */
export function machineFiles(where: Where): readonly ChosenFile[] {
  const files = readers.flatMap((reader) =>
    reader.places(where).map((path) => ({ path, shown: fromHome(path, where.home), isNamed: false, reader })),
  );
  return withoutRepetition(files).filter(({ path }) => {
    const stats = statsOf(path);
    return stats !== undefined && !stats.isDirectory();
  });
}

/** Level by level, so that a limit leaves out what is deepest. Symbolic links are not followed. */
function searchDirectory(
  root: { readonly shown: string; readonly path: string },
  found: { readonly files: ChosenFile[]; readonly omissions: string[] },
  limits: Limits,
): void {
  let level: readonly { readonly shown: string; readonly path: string }[] = [root];
  let entries = 0;
  for (let depth = 0; level.length > 0; depth += 1) {
    const below: { readonly shown: string; readonly path: string }[] = [];
    for (const directory of level) {
      for (const entry of entriesOf(directory.path, depth === 0, found.omissions)) {
        entries += 1;
        if (entries > limits.entries) {
          found.omissions.push(
            `Stopped after ${limits.entries} files and directories in ${root.path}. Name a directory further down to search it.`,
          );
          return;
        }
        const path = join(directory.path, entry.name);
        const shown = join(directory.shown, entry.name);
        if (entry.isDirectory()) {
          if (depth < limits.depth && !passedOver.has(entry.name)) below.push({ shown, path });
          continue;
        }
        const reader = readerMet(path);
        if (reader !== undefined) found.files.push({ shown, path, isNamed: false, reader });
      }
    }
    level = below;
  }
}

/** In the order of their names. A directory that somebody named must be readable. */
function entriesOf(path: string, isNamed: boolean, omissions: string[]): readonly Dirent[] {
  try {
    const entries = readdirSync(path, { withFileTypes: true });
    return entries.sort((left, right) => (left.name < right.name ? -1 : 1));
  } catch (error) {
    const what = `${path} cannot be listed: ${systemReason(error)}`;
    if (isNamed) throw new AuthsomeError('Usage', what, { cause: error });
    omissions.push(`Skipped: ${what}`);
    return [];
  }
}

function withoutRepetition(files: readonly ChosenFile[]): readonly ChosenFile[] {
  const seen = new Set<string>();
  return files.filter(({ path }) => !seen.has(path) && seen.add(path));
}

function fromHome(path: string, home: string): string {
  return path.startsWith(join(home, '/')) ? `~${path.slice(home.length)}` : path;
}

function isDirectory(path: string): boolean {
  return statsOf(path)?.isDirectory() === true;
}

/** `undefined` for what is not there, or cannot be seen. */
function statsOf(path: string) {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}
