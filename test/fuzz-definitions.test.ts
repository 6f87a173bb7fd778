import { expect, it } from 'vitest';
import { fuzz } from './fuzz/campaign.ts';
import { corpus } from './fuzz/definitions/corpus.ts';
import { mutate } from './fuzz/definitions/mutation.ts';
import { play } from './fuzz/definitions/play.ts';

const minutes = Number(process.env.FUZZ_MINUTES ?? 0);

it('every definition of the corpus keeps every rule', () => {
  for (const input of corpus) play(input);
});

it('definitions fuzzed: no error but a fault with its place, no variable outside the rule, no foreign host', {
  timeout: 60_000 + minutes * 60_000,
}, async () => {
  const campaign = { code: /\/src\/providers\//, corpus, play, mutate };
  const figures = await fuzz(campaign, {
    seed: Number(process.env.FUZZ_SEED ?? 1),
    executions: minutes === 0 ? 10_000 : Number.POSITIVE_INFINITY,
    minutes: minutes === 0 ? 1 : minutes,
  });
  if (minutes > 0) console.log(JSON.stringify(figures, undefined, 1));
  expect(figures.finds).toEqual([]);
  expect(figures.blocks.after).toBeGreaterThan(figures.blocks.before);
});
