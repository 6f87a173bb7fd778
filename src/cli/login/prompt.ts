import type { Readable, Writable } from 'node:stream';
import { safe, type Text } from '../output/safe-text.ts';

/** A terminal's input, which can be switched to deliver each key at once and to echo none. */
export type KeyInput = Readable & { setRawMode?(raw: boolean): unknown };

export interface Prompt {
  readonly input: KeyInput;
  readonly output: Writable;
  /** The text before the answer, with its own space or line end. */
  readonly message: Text;
  /** Whether typed characters are shown; otherwise bullets are. */
  readonly isShown: boolean;
  /** Another prompt follows an answer at once: what was pasted for that must not be echoed in between. */
  readonly isFollowed?: boolean;
  readonly signal: AbortSignal;
}

const mask = '•';

/**
 * What a person typed or pasted up to Enter; `undefined` for Ctrl-C, Ctrl-D, the end of input and an abort. Restores
 * the terminal's mode afterwards, unless another prompt follows. Lines pasted after a shown answer are left for the
 * next prompt, which may be a masked one.
 */
export function readAnswer(prompt: Prompt): Promise<string | undefined> {
  const { input, output, message, isShown, isFollowed = false, signal } = prompt;
  return new Promise((resolve) => {
    let typed: readonly string[] = [];
    const finish = (answer: string | undefined): void => {
      input.off('data', take).off('end', giveUp);
      signal.removeEventListener('abort', giveUp);
      if (!isFollowed || answer === undefined) input.setRawMode?.(false);
      input.pause();
      output.write('\n');
      resolve(answer);
    };
    const giveUp = (): void => finish(undefined);
    const take = (chunk: string): void => {
      const keys = keysIn(chunk);
      for (const [index, key] of keys.entries()) {
        const next = pressed(typed, key);
        if (next.done) {
          finish(next.cancelled ? undefined : typed.join(''));
          const rest = textIn(keys.slice(index + 1));
          if (isShown && rest !== '') input.unshift(rest);
          return;
        }
        output.write(redrawn(typed, next.typed, isShown));
        typed = next.typed;
      }
    };
    if (signal.aborted) {
      // The prompt before may have counted on this one.
      input.setRawMode?.(false);
      resolve(undefined);
      return;
    }
    // The echo is off before anybody can answer.
    input.setRawMode?.(true);
    output.write(safe(message).written);
    input.setEncoding('utf8');
    input.on('data', take).on('end', giveUp);
    signal.addEventListener('abort', giveUp, { once: true });
    input.resume();
  });
}

interface Pressed {
  readonly typed: readonly string[];
  readonly done: boolean;
  readonly cancelled: boolean;
}

function pressed(typed: readonly string[], key: string): Pressed {
  const open = { done: false, cancelled: false };
  switch (key) {
    case '\r':
    case '\n':
      return { typed, done: true, cancelled: false };
    case '\u0003':
    case '\u0004':
      return { typed, done: true, cancelled: true };
    case '\u007f':
    case '\b':
      return { ...open, typed: typed.slice(0, -1) };
    case '\u0015':
      return { ...open, typed: [] };
    default:
      // Cursor keys, the marks around a pasted text, other control characters: no part of any key.
      return { ...open, typed: key < ' ' ? typed : [...typed, key] };
  }
}

/** One item for each key: an escape sequence is one key. */
function keysIn(chunk: string): readonly string[] {
  return chunk.match(/\u001b(?:\[[0-9;]*[A-Za-z~]|O?.)?|./gsu) ?? [];
}

/** What was typed ahead, without cursor keys and the marks around a paste; a CR LF is one Enter. */
function textIn(keys: readonly string[]): string {
  return keys
    .filter((key) => !key.startsWith('\u001b'))
    .join('')
    .replace(/^\n/, '');
}

function redrawn(before: readonly string[], after: readonly string[], isShown: boolean): string {
  if (after.length < before.length) return '\b \b'.repeat(before.length - after.length);
  // What was pasted is a stranger's text as well.
  const added = after.slice(before.length).map((key) => (/[\p{Cc}\p{Bidi_Control}]/u.test(key) ? '?' : key));
  return isShown ? added.join('') : mask.repeat(added.length);
}
