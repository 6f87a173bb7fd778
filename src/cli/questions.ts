import type { Prompt } from './login/prompt.ts';
import type { Terminal } from './terminal.ts';

/** What a command may ask the person at its terminal. */
export interface Questions {
  /** Whether the answer is yes. Anything else is no: just Enter, Ctrl-C, the end of input. */
  confirm(question: string): Promise<boolean>;
  /** What was typed without being shown; `undefined` when it was cancelled. */
  secret(message: string): Promise<string | undefined>;
}

/** The questions of this process; `undefined` where nobody can answer, or where a program reads the output. */
export function processQuestions({ isInteractive, json }: Terminal): Questions | undefined {
  if (!isInteractive || json) return undefined;
  return {
    async confirm(question) {
      const answer = await answerTo({ message: `${question} [y/N] `, isShown: true });
      return isYes(answer ?? '');
    },
    secret: secretFrom,
  };
}

/** Whether what was typed is a yes. Anything else is a no. */
export function isYes(answer: string): boolean {
  return /^\s*y(?:es)?\s*$/i.test(answer);
}

/** What the person at this process's terminal types, without being shown; `undefined` when it was cancelled. */
export function secretFrom(message: string): Promise<string | undefined> {
  return answerTo({ message, isShown: false });
}

async function answerTo(prompt: Pick<Prompt, 'message' | 'isShown'>): Promise<string | undefined> {
  // Loaded only to ask: most commands never do.
  const { readAnswer } = await import('./login/prompt.ts');
  const { stdin: input, stderr: output } = process;
  return readAnswer({ input, output, signal: new AbortController().signal, ...prompt });
}
