import { Chance } from '../../soak/payload.ts';
import { Coverage } from '../coverage.ts';
import type { FuzzOptions } from '../fuzz.ts';
import { corpus, type DocumentInput } from './corpus.ts';
import { mutate } from './mutation.ts';
import { play } from './play.ts';

export interface DocumentFigures {
  readonly executions: number;
  readonly blocks: { readonly before: number; readonly after: number };
  /** What broke a rule, and how: the first of each kind. */
  readonly finds: readonly { readonly rule: string; readonly input: DocumentInput }[];
}

const batchSize = 25;

/** Documents from strangers: those that reach new code of the OAuth client are kept, and changed further. */
export async function fuzzDocuments({ seed, executions, minutes }: FuzzOptions): Promise<DocumentFigures> {
  const chance = new Chance(seed);
  const coverage = new Coverage((url) => /\/src\/oauth\//.test(url));
  const pool = [...corpus];
  const finds = new Map<string, DocumentInput>();
  const attempt = async (input: DocumentInput): Promise<void> => {
    try {
      await play(input);
    } catch (error) {
      const rule = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
      if (!finds.has(rule)) finds.set(rule, input);
    }
  };
  const deadline = performance.now() + minutes * 60_000;
  let done = 0;
  try {
    for (const input of pool) await attempt(input);
    coverage.take();
    const before = coverage.blocks;
    while (done < executions && performance.now() < deadline) {
      const batch = Array.from({ length: batchSize }, () =>
        mutate(chance, chance.pick(pool), chance.pick(pool)),
      );
      for (const input of batch) await attempt(input);
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
