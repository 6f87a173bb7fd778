import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import type { AuthsomeError } from '../../errors.ts';
import { parseJson } from '../../json.ts';
import { errorOf } from '../exchange.ts';

/** How much of the log's end is searched. */
const tailBytes = 64 * 1024;
// Windows does not have this flag.
const nonBlocking = constants.O_NONBLOCK ?? 0;

/** The last error document in what the daemon logged after offset `start`. */
export function lastErrorAfter(logFile: string, start: number): AuthsomeError | undefined {
  const descriptor = openSync(logFile, constants.O_RDONLY | nonBlocking);
  try {
    const { size } = fstatSync(descriptor);
    // A file that is smaller than before has replaced one that was full.
    const from = Math.max(start > size ? 0 : start, size - tailBytes);
    const bytes = Buffer.alloc(Math.max(0, size - from));
    readSync(descriptor, bytes, 0, bytes.length, from);
    return lastErrorIn(bytes.toString('utf8'));
  } finally {
    closeSync(descriptor);
  }
}

/** The last error document among the lines of `text`. */
export function lastErrorIn(text: string): AuthsomeError | undefined {
  for (const line of text.split('\n').reverse()) {
    const error = line.startsWith('{') ? errorOf(parseJson(line)) : undefined;
    if (error !== undefined) return error;
  }
  return undefined;
}
