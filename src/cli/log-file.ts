import { appendFileSync } from 'node:fs';
import { AuthsomeError, systemReason } from '../errors.ts';
import { plainText, safe, type Text } from './output/safe-text.ts';

/** Writes a line of `--log-file`. Never throws: the command continues without its log. */
export type LogLine = (level: 'info' | 'warn' | 'debug', text: Text) => void;

/**
 * Opens a log file, which only its owner can read. Throws `Usage` when it cannot be written, before the command does
 * anything. Calls `failed` once if writing fails later.
 */
export function openLogFile(file: string, now: () => number, failed: (why: string) => void): LogLine {
  const append = (text: string): void => appendFileSync(file, text, { mode: 0o600 });
  try {
    append('');
  } catch (error) {
    throw new AuthsomeError('Usage', why(file, error), {
      hint: 'Name a file in a directory that you can write to: authsome --log-file <file> <command>',
      cause: error,
    });
  }
  let isBroken = false;
  return (level, text) => {
    if (isBroken) return;
    try {
      append(`${new Date(now()).toISOString()} ${level} ${plainText(safe(text).written)}\n`);
    } catch (error) {
      isBroken = true;
      failed(why(file, error));
    }
  };
}

function why(file: string, error: unknown): string {
  return `the log file cannot be written: ${file} (${systemReason(error)})`;
}
