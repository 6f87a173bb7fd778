import { Chance } from '../../soak/payload.ts';
import { Coverage } from '../coverage.ts';
import type { FuzzOptions } from '../fuzz.ts';
import { corpus, type DefinitionInput } from './corpus.ts';
import { mutate } from './mutation.ts';
import { play } from './play.ts';

export interface DefinitionFigures {
  readonly executions: number;
  readonly blocks: { readonly before: number; readonly after: number };
  /** What broke a rule, and how: the first of each kind. */
  readonly finds: readonly { readonly rule: string; readonly input: DefinitionInput }[];
}

const batchSize = 25;

/** Definitions from strangers: those that reach new code of the parser are kept, and changed further. */
export function fuzzDefinitions({ seed, executions, minutes }: FuzzOptions): DefinitionFigures {
  const chance = new Chance(seed);
  const coverage = new Coverage((url) => /\/src\/providers\//.test(url));
  const pool = [...corpus];
  const finds = new Map<string, DefinitionInput>();
  const attempt = (input: DefinitionInput): void => {
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
        mutate(chance, chance.pick(pool), chance.pick(pool)),
      );
      for (const input of batch) attempt(input);
      done += batch.length;
      if (coverage.take() > 0) pool.push(...batch);
    }
    return {
      executions: done,
      blocks: { before, after: coverage.blocks },
      finds: [...finds].map(([rule, input]) => ({ rule, input })),
    };
  } finally {
    coverage.close();
  }
}
