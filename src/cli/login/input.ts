import { fstatSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { type Prompt, readAnswer } from './prompt.ts';

/** Where a person or a pipe may answer a waiting sign-in. */
export interface SignInInput {
  readonly isTerminal: boolean;
  /** Whether something may be piped in, now or later. */
  readonly isPipe: boolean;
  /** Lines typed or pasted, until `signal` aborts. */
  lines(signal: AbortSignal, take: (line: string) => void): void;
  /** The content of a pipe or file; `undefined` when stdin is neither, or is empty. */
  piped(signal: AbortSignal): Promise<string | undefined>;
  /**
   * One line, shown while it is typed; `undefined` when it was cancelled. `isFollowed`: another question follows at once,
   * and no key is echoed between the two.
   */
  text(
    message: string,
    signal: AbortSignal,
    more?: { readonly isFollowed: boolean },
  ): Promise<string | undefined>;
  /** A secret typed without being shown; `undefined` when it was cancelled. */
  secret(message: string, signal: AbortSignal): Promise<string | undefined>;
}

/** More than any key; a longer stream is not a key. */
const maxPipedBytes = 64 * 1024;

export function processInput(isTerminal: boolean): SignInInput {
  return {
    isTerminal,
    isPipe: !isTerminal && hasData(),
    lines(signal, take) {
      const reader = createInterface({ input: process.stdin });
      reader.on('line', take);
      signal.addEventListener('abort', () => {
        reader.close();
        process.stdin.unref();
      });
    },
    async piped(signal) {
      if (isTerminal || !hasData()) return undefined;
      return new Promise((resolve) => {
        let text = '';
        const { stdin } = process;
        stdin.setEncoding('utf8');
        stdin.on('data', (chunk: string) => {
          text += chunk;
          if (text.length > maxPipedBytes) stdin.destroy();
        });
        stdin.on('end', () => resolve(text.trim() === '' ? undefined : text.trim()));
        stdin.on('error', () => resolve(undefined));
        // A pipe that never ends must not keep the process running after the sign-in.
        signal.addEventListener('abort', () => {
          stdin.destroy();
          resolve(undefined);
        });
      });
    },
    text: (message, signal, more) => ask({ message, isShown: true, signal, ...more }),
    secret: (message, signal) => ask({ message, isShown: false, signal }),
  };
}

function ask(prompt: Omit<Prompt, 'input' | 'output'>): Promise<string | undefined> {
  return readAnswer({ input: process.stdin, output: process.stderr, ...prompt });
}

/** Pipes, files and sockets; not /dev/null, nor a descriptor that is closed. */
function hasData(): boolean {
  try {
    const stat = fstatSync(0);
    return stat.isFIFO() || stat.isFile() || stat.isSocket();
  } catch {
    return false;
  }
}
