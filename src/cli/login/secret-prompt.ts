import type { Readable, Writable } from 'node:stream';

/** A terminal's input: it can be told to hand over every key at once and to echo none. */
export type KeyInput = Readable & { setRawMode?(raw: boolean): unknown };

export interface SecretPrompt {
  readonly input: KeyInput;
  readonly output: Writable;
  readonly message: string;
  readonly signal: AbortSignal;
}

const mask = '•';

/**
 * What a person typed or pasted up to Enter, shown as bullets; `undefined` for Ctrl-C, Ctrl-D, the end of input and an
 * abort. The terminal is as it was afterwards.
 */
export function readSecret({ input, output, message, signal }: SecretPrompt): Promise<string | undefined> {
  return new Promise((resolve) => {
    let secret: readonly string[] = [];
    const finish = (answer: string | undefined): void => {
      input.off('data', take).off('end', giveUp);
      signal.removeEventListener('abort', giveUp);
      input.setRawMode?.(false);
      input.pause();
      output.write('\n');
      resolve(answer);
    };
    const giveUp = (): void => finish(undefined);
    const take = (chunk: string): void => {
      for (const key of keysIn(chunk)) {
        const next = pressed(secret, key);
        if (next.done) {
          finish(next.cancelled ? undefined : secret.join(''));
          return;
        }
        output.write(redrawn(secret.length, next.secret.length));
        secret = next.secret;
      }
    };
    if (signal.aborted) {
      resolve(undefined);
      return;
    }
    output.write(`${message}: `);
    input.setRawMode?.(true);
    input.setEncoding('utf8');
    input.on('data', take).on('end', giveUp);
    signal.addEventListener('abort', giveUp, { once: true });
    input.resume();
  });
}

interface Pressed {
  readonly secret: readonly string[];
  readonly done: boolean;
  readonly cancelled: boolean;
}

function pressed(secret: readonly string[], key: string): Pressed {
  const open = { done: false, cancelled: false };
  switch (key) {
    case '\r':
    case '\n':
      return { secret, done: true, cancelled: false };
    case '\u0003':
    case '\u0004':
      return { secret, done: true, cancelled: true };
    case '\u007f':
    case '\b':
      return { ...open, secret: secret.slice(0, -1) };
    case '\u0015':
      return { ...open, secret: [] };
    default:
      // Cursor keys, the marks around a pasted text, other control characters: no part of any key.
      return { ...open, secret: key < ' ' ? secret : [...secret, key] };
  }
}

/** One item for each key: an escape sequence is one key. */
function keysIn(chunk: string): readonly string[] {
  return chunk.match(/\u001b(?:\[[0-9;]*[A-Za-z~]|O?.)?|./gsu) ?? [];
}

function redrawn(before: number, after: number): string {
  return after >= before ? mask.repeat(after - before) : '\b \b'.repeat(before - after);
}
