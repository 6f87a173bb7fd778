import { AuthsomeError } from '../errors.ts';

/** The longest that a long poll waits. */
export const longestWaitMs = 30_000;

/** A query parameter as a whole number from 0 to `max` (larger ones are cut); `Usage` for anything else. */
export function wholeNumber(text: string | undefined, name: string, fallback: number, max: number): number {
  if (text === undefined) return fallback;
  if (!/^\d{1,15}$/.test(text)) {
    throw new AuthsomeError('Usage', `the query parameter ${name} is not a whole number`);
  }
  return Math.min(Number(text), max);
}
