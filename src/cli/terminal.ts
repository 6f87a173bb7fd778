import { appendFileSync } from 'node:fs';
import { isatty } from 'node:tty';
import type { GlobalFlags } from './global-flags.ts';
import { safeJson, safeText } from './output/safe-text.ts';
import { type Style, styleFor } from './style.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** A stream that text goes to; process streams fit, and so does a list in a test. */
export interface Output {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/** Where a command writes: data to stdout, everything said to a person to stderr. */
export interface Terminal {
  readonly json: boolean;
  /** Styles for stdout and for stderr; plain unless that stream is a terminal that shows colours. */
  readonly style: Style;
  readonly noteStyle: Style;
  readonly isInteractive: boolean;
  /** Columns of stdout; `undefined` when it is not a terminal and nothing must be cut. */
  readonly width: number | undefined;
  /** Data with a line end added: verbatim, but for what would steer a terminal that reads it. */
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

export function openTerminal(options: TerminalOptions): Terminal {
  const { flags, stdout, stderr } = options;
  const log = (level: string, text: string): void => {
    if (flags.logFile === undefined) return;
    const at = new Date(options.now()).toISOString();
    appendFileSync(flags.logFile, `${at} ${level} ${safeText(plain(text))}\n`, { mode: 0o600 });
  };
  const shows = (stream: Output): boolean => showsColour(stream, options.environment, flags);
  return {
    json: flags.json,
    style: styleFor(shows(stdout)),
    noteStyle: styleFor(shows(stderr)),
    isInteractive: options.stdinIsTty && stderr.isTTY === true,
    width: stdout.isTTY === true ? stdout.columns : undefined,
    print: (text) => void stdout.write(`${stdout.isTTY === true ? safeText(text) : text}\n`),
    document: (value) => void stdout.write(`${safeJson(value)}\n`),
    note(text) {
      if (!flags.quiet) stderr.write(`${safeText(text)}\n`);
      log('info', text);
    },
    warn(text) {
      stderr.write(`${safeText(text)}\n`);
      log('warn', text);
    },
    detail(text) {
      if (flags.verbose) stderr.write(`${safeText(text)}\n`);
      log('debug', text);
    },
  };
}

/** The terminal of this process. `authsome list | head` ends like any tool in a pipe: at once, without a word. */
export function processTerminal(flags: GlobalFlags, environment: Environment): Terminal {
  const { stdout, stderr } = process;
  for (const stream of [stdout, stderr]) {
    if (stream.listenerCount('error') > 0) continue;
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') process.exit(0);
      throw error;
    });
  }
  return openTerminal({ flags, environment, stdout, stderr, stdinIsTty: isatty(0), now: Date.now });
}

/** NO_COLOR (any value but empty) wins, then --no-color, then FORCE_COLOR, then what the stream is. */
function showsColour(stream: Output, environment: Environment, flags: GlobalFlags): boolean {
  if (!flags.color || (environment.NO_COLOR ?? '') !== '') return false;
  const forced = environment.FORCE_COLOR;
  if (forced !== undefined) return forced !== '0' && forced !== 'false';
  return stream.isTTY === true && environment.TERM !== 'dumb';
}

/** The text without escape sequences, for files. */
function plain(text: string): string {
  return text.replace(/\u001b(?:\[[0-9;]*m|\]8;;[^\u001b]*\u001b\\)/g, '');
}
