import { Chance } from '../soak/payload.ts';
import { corpus } from './corpus.ts';
import { Coverage } from './coverage.ts';
import { mutate } from './mutation.ts';
import { type Input, play } from './play.ts';

export interface FuzzOptions {
  readonly seed: number;
  readonly executions: number;
  readonly minutes: number;
}

export interface FuzzFigures {
  readonly executions: number;
  /** Inputs that reached code that no earlier one reached. */
  readonly kept: number;
  readonly blocks: { readonly before: number; readonly after: number };
  /** What broke a rule, and how: the first of each kind. */
  readonly finds: readonly { readonly rule: string; readonly input: Input }[];
}

const batchSize = 25;

/** Both peers of the HTTP/1.1 core at once: inputs that reach new blocks are kept, and changed further. */
export function fuzz({ seed, executions, minutes }: FuzzOptions): FuzzFigures {
  const chance = new Chance(seed);
  const coverage = new Coverage((url) => /\/src\/proxy\/(?:http1|inject)\//.test(url));
  const pool = [...corpus];
  const finds = new Map<string, Input>();
  const attempt = (input: Input): void => {
    try {
      play(input);
    } catch (error) {
      const rule = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
      if (!finds.has(rule)) finds.set(rule, input);
    }
  };
  const deadline = performance.now() + minutes * 60_000;
  let done = 0;
  try {
    for (const input of pool) attempt(input);
    coverage.take();
    const before = coverage.blocks;
    while (done < executions && performance.now() < deadline) {
      const batch = Array.from({ length: batchSize }, () =>
        // What was found late is what leads further, more often than not.
        mutate(
          chance,
          pool[Math.floor(pool.length * Math.sqrt(chance.fraction()))] as Input,
          chance.pick(pool),
        ),
      );
      for (const input of batch) attempt(input);
      done += batch.length;
      if (coverage.take() === 0) continue;
      // Which of them it was is not known: each is as good as the other to go on from, and few batches come here.
      pool.push(...batch);
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
