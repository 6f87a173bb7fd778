import { appendFileSync } from 'node:fs';
import { AuthsomeError } from '../errors.ts';
import { plainText, safeText } from './output/safe-text.ts';

/** A line of `--log-file`. Never throws: what was begun goes on without its log. */
export type LogLine = (level: 'info' | 'warn' | 'debug', text: string) => void;

/**
 * Adds lines to the file, which is there from now on, for its owner only. Throws `Usage` when it cannot be written:
 * that is known before anything is done. `failed` is called once, should that change later.
 */
export function openLogFile(file: string, now: () => number, failed: (why: string) => void): LogLine {
  const append = (text: string): void => appendFileSync(file, text, { mode: 0o600 });
  try {
    append('');
  } catch (error) {
    throw new AuthsomeError('Usage', why(file, error), {
      hint: 'Name a file in a folder that you can write: authsome --log-file <file> <command>',
      cause: error,
    });
  }
  let isBroken = false;
  return (level, text) => {
    if (isBroken) return;
    try {
      append(`${new Date(now()).toISOString()} ${level} ${safeText(plainText(text))}\n`);
    } catch (error) {
      isBroken = true;
      failed(why(file, error));
    }
  };
}

function why(file: string, error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown reason';
  return `the log file cannot be written: ${file} (${code})`;
}
