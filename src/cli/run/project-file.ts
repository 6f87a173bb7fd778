import { constants, openSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** A `.authsome.json` that is open for reading. It may be anything yet: a pipe, or a file of another user. */
export interface OpenProjectFile {
  readonly path: string;
  readonly descriptor: number;
  /** The directories below the one that has it, up from the working directory. */
  readonly below: readonly string[];
}

export const projectFileName = '.authsome.json';

// A pipe without a writer opens at once, and a link is not followed.
const flags = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0) | (constants.O_NOFOLLOW ?? 0);

/**
 * The nearest `.authsome.json`, from `directory` up to the home directory or the root: one open for each. Every run looks for
 * it, and most find none. Throws what the system says of one that is there and cannot be opened.
 */
export function openProjectFile(directory: string, homeDirectory: string): OpenProjectFile | undefined {
  const below: string[] = [];
  for (let at = directory; ; at = dirname(at)) {
    const path = join(at, projectFileName);
    try {
      return { path, descriptor: openSync(path, flags), below };
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      const isAbsent = code === 'ENOENT' || code === 'ENOTDIR' || (code === 'EACCES' && !isThere(path));
      if (!isAbsent) throw error;
    }
    if (at === homeDirectory || at === dirname(at)) return undefined;
    below.push(at);
  }
}

/** Not where its directory cannot be searched: that has nothing to say. */
function isThere(path: string): boolean {
  try {
    return statSync(path).size >= 0;
  } catch {
    return false;
  }
}
