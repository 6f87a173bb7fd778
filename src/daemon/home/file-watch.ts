import { statSync } from 'node:fs';

const lookMs = 1_000;

/** Whether a path still leads to the file that it led to when this was made. */
export interface FileWatch {
  isIntact(): boolean;
  close(): void;
}

/** Calls `onGone` once when the file is removed or another one is put in its place. Keeps no process alive. */
export function watchFile(path: string, onGone: () => void): FileWatch {
  const original = identityOf(path);
  const isIntact = (): boolean => identityOf(path) === original;
  const timer = setInterval(() => {
    if (isIntact()) return;
    clearInterval(timer);
    onGone();
  }, lookMs);
  timer.unref();
  return { isIntact, close: () => clearInterval(timer) };
}

function identityOf(path: string): string | undefined {
  const stats = statSync(path, { bigint: true, throwIfNoEntry: false });
  return stats === undefined ? undefined : `${stats.dev}:${stats.ino}`;
}
