import { readPrivateFile, writePrivateFile } from '../../private-files/index.ts';

const lookMs = 1_000;

/**
 * Writes a private file, and writes it again whenever it is missing or differs, as long as `isOurs`. Keeps no process
 * alive. Throws when the first write fails; later ones are tried again.
 */
export function maintainFile(path: string, text: string, isOurs: () => boolean): { close(): void } {
  writePrivateFile(path, text);
  const timer = setInterval(() => {
    if (textOf(path) === text || !isOurs()) return;
    try {
      writePrivateFile(path, text);
    } catch {
      // The disk may be full: the next look tries again.
    }
  }, lookMs);
  timer.unref();
  return { close: () => clearInterval(timer) };
}

function textOf(path: string): string | undefined {
  try {
    // Never blocks: a pipe that somebody put there would stop the daemon.
    return readPrivateFile(path);
  } catch {
    return undefined;
  }
}
