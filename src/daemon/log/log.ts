import { pino } from 'pino';
import type { AuthsomeError } from '../../errors.ts';
import { type LogFile, logDestination } from './log-file.ts';

/** Fields that are safe to write. An error is never one of them: see {@link failureFields}. */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

export interface Log {
  error(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  debug(message: string, fields?: LogFields): void;
}

/** A log on a file descriptor. For a background daemon, 2 (stderr) is `file`. */
export function openLog(descriptor: number, level: 'error' | 'warn' | 'info' | 'debug', file: LogFile): Log {
  const logger = pino(
    { level, base: { pid: process.pid }, timestamp: pino.stdTimeFunctions.isoTime },
    logDestination(descriptor, file),
  );
  return {
    error: (message, fields = {}) => logger.error(fields, message),
    warn: (message, fields = {}) => logger.warn(fields, message),
    info: (message, fields = {}) => logger.info(fields, message),
    debug: (message, fields = {}) => logger.debug(fields, message),
  };
}

/** What may be logged of an authsome error. */
export function failureFields(error: AuthsomeError): LogFields {
  return { code: error.code, detail: error.message };
}

/**
 * What may be logged of an unexpected error: its class and where it was thrown. Its message may quote anything (a header
 * value, a URL), so it is left out.
 */
export function unexpectedFields(error: unknown): LogFields {
  if (!(error instanceof Error)) return { class: typeof error };
  const { code } = error as NodeJS.ErrnoException;
  const frames = (error.stack ?? '')
    .split('\n')
    .filter((line) => /^ {4}at /.test(line))
    .slice(0, 8)
    .map((line) => line.trim())
    .join(' < ');
  return { class: error.name, code: typeof code === 'string' ? code : undefined, frames };
}

/** Logs failed calls: expected failures at level debug, bugs at level error. */
export function failureLog(log: Log): {
  expected(message: string, error: AuthsomeError): void;
  unexpected(message: string, thrown: unknown): void;
} {
  return {
    expected: (message, error) => log.debug(message, failureFields(error)),
    unexpected: (message, thrown) => log.error(message, unexpectedFields(thrown)),
  };
}
