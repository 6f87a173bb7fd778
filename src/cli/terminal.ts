import { isatty } from 'node:tty';
import type { Environment } from '../environment.ts';
import { exitCodeOf, isStorageFull } from '../errors.ts';
import type { GlobalFlags } from './global-flags.ts';
import { openLogFile } from './log-file.ts';
import { safeJson, safeText } from './output/safe-text.ts';
import { wrapText } from './output/wrap.ts';
import { type Style, styleFor } from './style.ts';

/** A stream to write text to, such as a process stream or a list in a test. */
export interface Output {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/** Where a command writes: data to stdout, messages for a person to stderr. */
export interface Terminal {
  readonly json: boolean;
  /** Styles for stdout and for stderr; plain unless that stream is a terminal that shows colors. */
  readonly style: Style;
  readonly noteStyle: Style;
  readonly isInteractive: boolean;
  /** Columns of stdout; `undefined` when it is not a terminal and nothing must be cut. */
  readonly width: number | undefined;
  /** Data with a line end added. Verbatim, except that a terminal gets no characters that could control it. */
  print(text: string): void;
  /** One JSON document on one line. */
  document(value: unknown): void;
  /** For a person; silent under `--quiet`. */
  note(text: string): void;
  /** For a person who must see it even under `--quiet`. */
  warn(text: string): void;
  /** Shown under `--verbose` only; always in the log file. */
  detail(text: string): void;
}

export interface TerminalOptions {
  readonly flags: GlobalFlags;
  readonly environment: Environment;
  readonly stdout: Output;
  readonly stderr: Output;
  readonly stdinIsTty: boolean;
  readonly now: () => number;
}

/** Throws `Usage` when the log file cannot be written. */
export function openTerminal(options: TerminalOptions): Terminal {
  const { flags, stdout, stderr, now } = options;
  const log =
    flags.logFile === undefined
      ? () => {}
      : openLogFile(flags.logFile, now, (why) => void stderr.write(`Warning: ${safeText(why)}\n`));
  const say = (text: string): void => {
    const safe = safeText(text);
    const columns = stderr.isTTY === true ? stderr.columns : undefined;
    stderr.write(`${columns === undefined || columns === 0 ? safe : wrapText(safe, columns)}\n`);
  };
  const shows = (stream: Output): boolean => showsColor(stream, options.environment, flags);
  return {
    json: flags.json,
    style: styleFor(shows(stdout)),
    noteStyle: styleFor(shows(stderr)),
    isInteractive: options.stdinIsTty && stderr.isTTY === true,
    width: stdout.isTTY === true ? stdout.columns : undefined,
    print: (text) => void stdout.write(`${stdout.isTTY === true ? safeText(text) : text}\n`),
    document: (value) => void stdout.write(`${safeJson(value)}\n`),
    note(text) {
      if (!flags.quiet) say(text);
      log('info', text);
    },
    warn(text) {
      say(text);
      log('warn', text);
    },
    detail(text) {
      if (flags.verbose) say(text);
      log('debug', text);
    },
  };
}

/**
 * The terminal of this process. `authsome list | head` ends like any tool in a pipe: at once, without a message. Data
 * that cannot be written is a failure; a message without a reader is not.
 */
export function processTerminal(flags: GlobalFlags, environment: Environment): Terminal {
  const { stdout, stderr } = process;
  if (stdout.listenerCount('error') === 0) stdout.on('error', endWithoutOutput);
  if (stderr.listenerCount('error') === 0) stderr.on('error', () => {});
  return openTerminal({ flags, environment, stdout, stderr, stdinIsTty: isatty(0), now: Date.now });
}

/** Ends with the exit code of the failure that was to be printed, if there was one. */
function endWithoutOutput({ code }: NodeJS.ErrnoException): never {
  if (code === 'EPIPE') process.exit();
  process.stderr.write(`Error: the output cannot be written (${code})\n`);
  process.exit(exitCodeOf(isStorageFull(code) ? 'StorageFull' : 'Unexpected'));
}

/** NO_COLOR (any value but empty) wins, then --no-color, then FORCE_COLOR, then what the stream is. */
function showsColor(stream: Output, environment: Environment, flags: GlobalFlags): boolean {
  if (!flags.color || (environment.NO_COLOR ?? '') !== '') return false;
  const forced = environment.FORCE_COLOR;
  if (forced !== undefined) return forced !== '0' && forced !== 'false';
  return stream.isTTY === true && environment.TERM !== 'dumb';
}
