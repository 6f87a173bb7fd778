import { askPerson, shellWord } from '../command-line.ts';
import {
  AuthsomeError,
  asAuthsomeError,
  errorDocument,
  exitCodeOf,
  isErrorCode,
  topicOf,
} from '../errors.ts';
import { joined, type SafeText, safe, text } from './output/safe-text.ts';
import type { Terminal } from './terminal.ts';

/** The error with the command as it was typed where only a person may run it. The daemon cannot know its exact words. */
export function withTypedCommand(error: unknown, args: readonly string[]): unknown {
  if (!(error instanceof AuthsomeError) || error.code !== 'DeniedInRun') return error;
  const hint = askPerson(['authsome', ...args.map((word) => safe(shellWord(word)).written)].join(' '));
  return new AuthsomeError(error.code, error.message, { hint, cause: error });
}

/** Prints `error`, as a document under `--json`, else as text with its hint. Returns its exit code. */
export function showFailure(terminal: Terminal, error: unknown): number {
  const failure = asAuthsomeError(error);
  const code = exitCodeOf(failure.code);
  // Before anything is printed: without a reader, the first write ends the process.
  process.exitCode = code;
  if (terminal.json) terminal.document(errorDocument(failure));
  else terminal.warn(failureText(terminal, failure, failure.code));
  if (failure.code === 'Unexpected') terminal.detail(traceOf(failure.cause));
  return code;
}

/** `Error: <message>`, then the indented hint, and the page of the manual about this code. */
export function failureText(
  terminal: Terminal,
  failure: { readonly message: string; readonly hint?: string | undefined },
  code?: string,
): SafeText {
  const { red, bold, dim } = terminal.noteStyle;
  const topic = isErrorCode(code) ? topicOf(code) : undefined;
  const more = topic === undefined ? [] : [text`  ${dim(text`More: authsome help ${topic}`)}`];
  const first = text`${bold(red(safe('Error:')))} ${failure.message}`;
  return joined([first, ...indented(failure.hint), ...more], '\n');
}

function indented(hint: string | undefined): readonly string[] {
  return hint === undefined ? [] : hint.split('\n').map((line) => `  ${line}`);
}

/** The stack without the error's message, which may quote a secret. */
function traceOf(cause: unknown): SafeText {
  const frames =
    cause instanceof Error ? (cause.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line)) : [];
  return joined(frames.slice(0, 8), '\n');
}
