import { statSync } from 'node:fs';

const lookMs = 1_000;

/** A watch on one file: whether its path still leads to it. */
export interface FileWatch {
  isIntact(): boolean;
  close(): void;
}

/** Calls `onReplaced` once when the file is removed or replaced. Keeps no process alive. */
export function watchFile(path: string, onReplaced: () => void): FileWatch {
  const original = identityOf(path);
  const isIntact = (): boolean => original !== undefined && identityOf(path) === original;
  const timer = setInterval(() => {
    if (isIntact()) return;
    clearInterval(timer);
    onReplaced();
  }, lookMs);
  timer.unref();
  return { isIntact, close: () => clearInterval(timer) };
}

/** `undefined` for a file that cannot be reached, for whatever reason: it is not the one that it was. */
function identityOf(path: string): string | undefined {
  try {
    const stats = statSync(path, { bigint: true, throwIfNoEntry: false });
    return stats === undefined ? undefined : `${stats.dev}:${stats.ino}`;
  } catch {
    return undefined;
  }
}
