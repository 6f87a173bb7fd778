import { closeSync, fstatSync, mkdirSync, openSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { AuthsomeError, isStorageFull, systemReason } from '../errors.ts';
import type { Roots } from './roots.ts';

export interface CaFiles {
  /** The run's CA alone. */
  readonly caFile: string;
  /** The system's roots, the caller's extra ones, and the run's CA. */
  readonly caBundleFile: string;
}

/** `runs/<id>/` (0700) of one run, with the CA files (0600) for its programs. */
export interface RunDirectory {
  readonly id: string;
  /** Once: completes both files. `callerRoots` go into the bundle too. Throws `StorageFull` or `HomeNotUsable`. */
  write(caPem: string, callerRoots: string): CaFiles;
}

export interface RunDirectories {
  /** A directory for the next run. Throws `StorageFull` or `HomeNotUsable`. */
  take(): RunDirectory;
  /** Removes the prepared one. */
  close(): void;
}

export interface RunDirectoriesOptions {
  /** `runs/` of the home. */
  readonly directory: string;
  readonly roots: Roots;
  readonly newId: () => string;
}

/** Gives the run that was just opened time to start. */
const pauseMs = 50;

/**
 * The directories of runs. One is always prepared, with the roots in its bundle: making a directory and two files takes
 * longer than everything else in opening a run.
 */
export function createRunDirectories(options: RunDirectoriesOptions): RunDirectories {
  const { directory, roots, newId } = options;
  let ready: Draft | undefined;
  let timer: NodeJS.Timeout | undefined;
  let isClosed = false;

  const prepare = (): void => {
    timer = undefined;
    try {
      ready ??= createDraft(directory, newId(), roots.system());
    } catch {
      // The next run tries again, and reports why it fails.
    }
  };
  const prepareSoon = (): void => {
    if (!isClosed) timer ??= setTimeout(prepare, pauseMs).unref();
  };
  const takeReady = (): Draft | undefined => {
    const draft = ready;
    ready = undefined;
    if (draft === undefined || draft.files.every(isInPlace)) return draft;
    draft.discard();
    return undefined;
  };
  prepareSoon();

  return {
    take() {
      const draft = takeReady() ?? orThrow(directory, () => createDraft(directory, newId(), roots.system()));
      prepareSoon();
      const [ca, bundle] = draft.files;
      return {
        id: draft.id,
        write: (caPem, callerRoots) =>
          orThrow(directory, () => {
            try {
              // Synchronously: a queue of jobs in the thread pool takes far longer.
              writeFileSync(ca.descriptor, caPem);
              writeFileSync(bundle.descriptor, callerRoots + caPem);
            } finally {
              for (const { descriptor } of draft.files) closeSync(descriptor);
            }
            return { caFile: ca.path, caBundleFile: bundle.path };
          }),
      };
    },
    close() {
      isClosed = true;
      clearTimeout(timer);
      ready?.discard();
      ready = undefined;
    },
  };
}

/** A file that is open for writing. */
interface OpenFile {
  readonly path: string;
  readonly descriptor: number;
}

/** A directory with an empty file for the CA, and a bundle that lacks only the CA at its end. */
interface Draft {
  readonly id: string;
  readonly files: readonly [ca: OpenFile, bundle: OpenFile];
  discard(): void;
}

function createDraft(directory: string, id: string, systemRoots: string): Draft {
  const path = join(directory, id);
  const opened: number[] = [];
  const open = (name: string): OpenFile => {
    const file = join(path, name);
    const descriptor = openSync(file, 'wx', 0o600);
    opened.push(descriptor);
    return { path: file, descriptor };
  };
  const discard = (): void => {
    for (const descriptor of opened) closeSync(descriptor);
    rmSync(path, { recursive: true, force: true });
  };
  mkdirSync(path, { mode: 0o700 });
  try {
    const files = [open('ca.pem'), open('bundle.pem')] as const;
    writeFileSync(files[1].descriptor, systemRoots);
    return { id, files, discard };
  } catch (error) {
    discard();
    throw error;
  }
}

/** Whether the path still leads to the open file, which somebody may have removed. */
function isInPlace({ path, descriptor }: OpenFile): boolean {
  return statSync(path, { throwIfNoEntry: false })?.ino === fstatSync(descriptor).ino;
}

function orThrow<T>(directory: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (isStorageFull(code)) {
      throw new AuthsomeError('StorageFull', `no space left to write ${directory}`);
    }
    throw new AuthsomeError('HomeNotUsable', `${directory} cannot be written: ${systemReason(error)}`, {
      hint: 'Run: authsome doctor',
      cause: error,
    });
  }
}

/** Removes the directories that a killed daemon has left. */
export async function removeStaleRuns(directory: string): Promise<void> {
  const names = await readdir(directory);
  await Promise.all(names.map((name) => rm(join(directory, name), { recursive: true, force: true })));
}
