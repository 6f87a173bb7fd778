import { dirname } from 'node:path';
import { createPrivateFile, makePrivateDirectory, readPrivateFile } from '../private-files/index.ts';
import { encodeKey, parseKey } from './key-text.ts';

/**
 * The key in a private file, `undefined` when there is no such file. Throws `HomeNotUsable` for a symbolic link
 * and for a file that others can read, `WrongMasterKey` when the content is not a key.
 */
export function readKeyFile(path: string): Uint8Array | undefined {
  const text = readPrivateFile(path, 'anybody');
  return text === undefined ? undefined : parseKey(text, path);
}

/**
 * Writes `key` to a new private file and returns the key in that file: two processes that create it at once both get
 * the first one.
 */
export function createKeyFile(path: string, key: Uint8Array): Uint8Array {
  makePrivateDirectory(dirname(path));
  return parseKey(createPrivateFile(path, `${encodeKey(key)}\n`), path);
}
