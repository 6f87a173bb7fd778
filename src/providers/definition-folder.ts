import { constants } from 'node:fs';
import { open, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { AuthsomeError } from '../errors.ts';
import { makePrivateDirectory, writePrivateFile } from '../private-files/index.ts';

/** A person's own definitions, by provider name. */
export interface DefinitionFolder {
  names(): Promise<readonly string[]>;
  /** The text of one, `undefined` when there is none. */
  read(name: string): Promise<string | undefined>;
  write(name: string, text: string): Promise<void>;
  /** Whether there was one. */
  remove(name: string): Promise<boolean>;
}

const largestFile = 256 * 1024;
const fileName = /^([a-z0-9][a-z0-9-]{0,62})\.json$/;

/**
 * The definitions in a directory, one `<name>.json` each. Other users may read a person's files, but a symbolic link in
 * place of a definition is refused. The caller has checked the names with the parser.
 */
export function openDefinitionFolder(directory: string): DefinitionFolder {
  const pathOf = (name: string) => join(directory, `${name}.json`);
  return {
    async names() {
      const entries = await readdir(directory).catch(absentAs<string[]>([]));
      return entries.flatMap((entry) => fileName.exec(entry)?.[1] ?? []).sort();
    },

    async read(name) {
      const path = pathOf(name);
      // Opening a pipe in place of a file would block forever.
      const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(
        (error: unknown) => {
          if (codeOf(error) === 'ELOOP') throw unusable(path, 'is a symbolic link');
          return absentAs(undefined)(error);
        },
      );
      if (file === undefined) return undefined;
      try {
        const stats = await file.stat();
        const { size } = stats;
        if (!stats.isFile()) throw unusable(path, 'is not a regular file');
        if (size > largestFile) throw unusable(path, `is larger than ${largestFile} bytes`);
        return await file.readFile('utf8');
      } finally {
        await file.close();
      }
    },

    async write(name, text) {
      if (Buffer.byteLength(text) > largestFile) {
        throw new AuthsomeError('InvalidDefinition', `/: must not be larger than ${largestFile} bytes`);
      }
      makePrivateDirectory(directory);
      writePrivateFile(pathOf(name), text);
    },

    async remove(name) {
      return rm(pathOf(name)).then(() => true, absentAs(false));
    },
  };
}

function unusable(path: string, sentence: string): AuthsomeError {
  return new AuthsomeError('InvalidDefinition', `${path}: ${sentence}`, {
    hint: 'Replace or remove that file.',
  });
}

function absentAs<Value>(value: Value): (error: unknown) => Value {
  return (error) => {
    if (codeOf(error) === 'ENOENT') return value;
    throw error;
  };
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
