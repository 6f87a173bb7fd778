import { isatty } from 'node:tty';
import type { Environment } from '../environment.ts';
import { exitCodeOf, isStorageFull } from '../errors.ts';
import type { GlobalFlags } from './global-flags.ts';
import { openLogFile } from './log-file.ts';
import { safe, safeJson, safeLines, type Text, text } from './output/safe-text.ts';
import { type Style, styleFor } from './output/style.ts';
import { wrapText } from './output/wrap.ts';

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
  /** For a person, with a line end added. */
  print(text: Text): void;
  /** For a program, with a line end added: verbatim, except that a terminal gets no characters that could control it. */
  data(text: string): void;
  /** One JSON document on one line. */
  document(value: unknown): void;
  /** For a person; silent under `--quiet`. */
  note(text: Text): void;
  /** For a person who must see it even under `--quiet`. */
  warn(text: Text): void;
  /** Shown under `--verbose` only; always in the log file. */
  detail(text: Text): void;
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
      : openLogFile(flags.logFile, now, (why) => void stderr.write(`${text`Warning: ${why}`.written}\n`));
  const say = (shown: Text): void => {
    const { written } = safe(shown);
    const columns = stderr.isTTY === true ? stderr.columns : undefined;
    stderr.write(`${columns === undefined || columns === 0 ? written : wrapText(written, columns)}\n`);
  };
  const shows = (stream: Output): boolean => showsColor(stream, options.environment, flags);
  return {
    json: flags.json,
    style: styleFor(shows(stdout)),
    noteStyle: styleFor(shows(stderr)),
    isInteractive: options.stdinIsTty && stderr.isTTY === true,
    width: stdout.isTTY === true ? stdout.columns : undefined,
    print: (shown) => void stdout.write(`${safe(shown).written}\n`),
    data: (shown) => void stdout.write(`${stdout.isTTY === true ? safeLines(shown) : shown}\n`),
    document: (value) => void stdout.write(`${safeJson(value)}\n`),
    note(shown) {
      if (!flags.quiet) say(shown);
      log('info', shown);
    },
    warn(shown) {
      say(shown);
      log('warn', shown);
    },
    detail(shown) {
      if (flags.verbose) say(shown);
      log('debug', shown);
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
