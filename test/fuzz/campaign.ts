import { Chance } from '../soak/payload.ts';
import { Coverage } from './coverage.ts';

export interface FuzzOptions {
  readonly seed: number;
  readonly executions: number;
  readonly minutes: number;
}

/** What is fuzzed, and with what. */
export interface Campaign<Input> {
  /** The code whose coverage leads: matched against the URL of a module. */
  readonly code: RegExp;
  readonly corpus: readonly Input[];
  /** Throws where the code breaks a rule. */
  readonly play: (input: Input) => void | Promise<void>;
  readonly mutate: (chance: Chance, input: Input, other: Input) => Input;
}

export interface FuzzFigures<Input> {
  readonly executions: number;
  /** Inputs that were kept beside the corpus. */
  readonly kept: number;
  readonly blocks: { readonly before: number; readonly after: number };
  /** What broke a rule, and how: the first of each kind. */
  readonly finds: readonly { readonly rule: string; readonly input: Input }[];
}

const batchSize = 25;

/** Inputs that reach new blocks of the code are kept, and changed further. */
export async function fuzz<Input>(
  { code, corpus, play, mutate }: Campaign<Input>,
  { seed, executions, minutes }: FuzzOptions,
): Promise<FuzzFigures<Input>> {
  const chance = new Chance(seed);
  const coverage = new Coverage((url) => code.test(url));
  const pool = [...corpus];
  const finds = new Map<string, Input>();
  const attempt = async (input: Input): Promise<void> => {
    try {
      await play(input);
    } catch (error) {
      const rule = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
      if (!finds.has(rule)) finds.set(rule, input);
    }
  };
  // What was found late is what leads further, more often than not.
  const late = (): Input => pool[Math.floor(pool.length * Math.sqrt(chance.fraction()))] as Input;
  const deadline = performance.now() + minutes * 60_000;
  let done = 0;
  try {
    for (const input of pool) await attempt(input);
    coverage.take();
    const before = coverage.blocks;
    while (done < executions && performance.now() < deadline) {
      const batch = Array.from({ length: batchSize }, () => mutate(chance, late(), chance.pick(pool)));
      for (const input of batch) await attempt(input);
      done += batch.length;
      // Which of them it was is not known: each is as good as the other to go on from, and few batches come here.
      if (coverage.take() > 0) pool.push(...batch);
    }
    return {
      executions: done,
      kept: pool.length - corpus.length,
      blocks: { before, after: coverage.blocks },
      finds: [...finds].map(([rule, input]) => ({ rule, input })),
    };
  } finally {
    coverage.close();
  }
}

/** Text with a part taken out, doubled or replaced, or with one of `pieces` put in. */
export function withText(chance: Chance, text: string, pieces: readonly string[]): string {
  const at = chance.below(text.length + 1);
  const to = Math.min(text.length, at + chance.size(40));
  switch (chance.below(4)) {
    case 0:
      return text.slice(0, at) + text.slice(to);
    case 1:
      return text.slice(0, at) + chance.pick(pieces) + text.slice(at);
    case 2:
      return text.slice(0, to) + text.slice(at);
    default:
      return text.slice(0, at) + String.fromCharCode(chance.below(0x10000)) + text.slice(at + 1);
  }
}
