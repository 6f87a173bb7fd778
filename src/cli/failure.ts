import { asAuthsomeError, errorDocument, exitCodeOf } from '../errors.ts';
import type { Terminal } from './terminal.ts';

/** The exit code of `error`, after it has been shown: as a document under `--json`, else as text with its hint. */
export function showFailure(terminal: Terminal, error: unknown): number {
  const failure = asAuthsomeError(error);
  if (terminal.json) terminal.document(errorDocument(failure));
  else terminal.warn(failureText(terminal, failure));
  if (failure.code === 'Unexpected') terminal.detail(traceOf(failure.cause));
  return exitCodeOf(failure.code);
}

/** `Error: <message>`, then the hint, indented. */
export function failureText(
  terminal: Terminal,
  failure: { readonly message: string; readonly hint?: string | undefined },
): string {
  const { red, bold } = terminal.noteStyle;
  return [`${bold(red('Error:'))} ${failure.message}`, ...indented(failure.hint)].join('\n');
}

function indented(hint: string | undefined): readonly string[] {
  return hint === undefined ? [] : hint.split('\n').map((line) => `  ${line}`);
}

/** Where it happened, without the error's own text: that may quote a value nobody should see. */
function traceOf(cause: unknown): string {
  const frames =
    cause instanceof Error ? (cause.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line)) : [];
  return frames.slice(0, 8).join('\n');
}
