import { closeSync, lstatSync, openSync, readFileSync, unlinkSync, writeSync } from 'node:fs';
import { fileFailure } from '../../private-files/index.ts';
import { isAlive } from '../liveness.ts';

/** How long the holder may take to write its number into the lock. */
const numberingMs = 1_000;

/**
 * Whether this process is the one that starts the daemon now. A lock that its holder left behind is removed: it has died,
 * or has held it for longer than `longestMs`.
 */
export function takeStartLock(lock: string, nowMs: number, longestMs: number): boolean {
  let descriptor: number;
  try {
    descriptor = openSync(lock, 'wx', 0o600);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw fileFailure(lock, 'written', error);
    if (isAbandoned(lock, nowMs, longestMs)) removeStartLock(lock);
    return false;
  }
  try {
    writeSync(descriptor, String(process.pid));
    return true;
  } catch (error) {
    removeStartLock(lock);
    throw fileFailure(lock, 'written', error);
  } finally {
    closeSync(descriptor);
  }
}

export function removeStartLock(lock: string): void {
  try {
    unlinkSync(lock);
  } catch {
    // Another process was quicker.
  }
}

/** Its holder has died, before or after it wrote its number, or the number now belongs to another process. */
function isAbandoned(lock: string, nowMs: number, longestMs: number): boolean {
  const holder = Number(readLock(lock));
  const isNumbered = Number.isSafeInteger(holder) && holder > 0;
  if (isNumbered && !isAlive(holder)) return true;
  return nowMs - writtenAtMs(lock) > (isNumbered ? longestMs : numberingMs);
}

function writtenAtMs(lock: string): number {
  return lstatSync(lock, { throwIfNoEntry: false })?.mtimeMs ?? Number.POSITIVE_INFINITY;
}

function readLock(lock: string): string {
  try {
    return lstatSync(lock).isFile() ? readFileSync(lock, 'utf8') : '';
  } catch {
    return '';
  }
}
