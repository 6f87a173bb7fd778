import { expect, it } from 'vitest';
import { fuzz } from './fuzz/campaign.ts';
import { corpus } from './fuzz/corpus.ts';
import { mutate } from './fuzz/mutation.ts';
import { play } from './fuzz/play.ts';

const minutes = Number(process.env.FUZZ_MINUTES ?? 0);

it('every input of the corpus keeps every rule', () => {
  for (const input of corpus) play(input);
});

it('both peers fuzzed at once, led by coverage: no crash, no credential in what was not read whole, no bytes of another request, no phantom in a body that was searched, nothing left', {
  timeout: 60_000 + minutes * 60_000,
}, async () => {
  const campaign = { code: /\/src\/proxy\/(?:http1|inject)\//, corpus, play, mutate };
  const figures = await fuzz(campaign, {
    seed: Number(process.env.FUZZ_SEED ?? 1),
    executions: minutes === 0 ? 20_000 : Number.POSITIVE_INFINITY,
    minutes: minutes === 0 ? 1 : minutes,
  });
  if (minutes > 0) console.log(JSON.stringify(figures, undefined, 1));
  expect(figures.finds).toEqual([]);
  expect(figures.blocks.after).toBeGreaterThan(figures.blocks.before);
});
