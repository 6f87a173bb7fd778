import { readPrivateFile, writePrivateFile } from '../../private-files/index.ts';

const lookMs = 1_000;

/**
 * Writes a private file, and again whenever it is gone or holds something else, as long as its place is `ours`. Keeps no
 * process alive. Throws what keeps it from being written now; later it is tried again.
 */
export function keepFile(path: string, text: string, isOurs: () => boolean): { close(): void } {
  writePrivateFile(path, text);
  const timer = setInterval(() => {
    if (textOf(path) === text || !isOurs()) return;
    try {
      writePrivateFile(path, text);
    } catch {
      // A disk that is full now has space again later.
    }
  }, lookMs);
  timer.unref();
  return { close: () => clearInterval(timer) };
}

function textOf(path: string): string | undefined {
  try {
    // Never waits, whatever was put there: a pipe would hold the whole daemon up.
    return readPrivateFile(path);
  } catch {
    return undefined;
  }
}
