import { expect, it } from 'vitest';
import { fuzz } from './fuzz/campaign.ts';
import { corpus } from './fuzz/documents/corpus.ts';
import { mutate } from './fuzz/documents/mutation.ts';
import { play } from './fuzz/documents/play.ts';

const minutes = Number(process.env.FUZZ_MINUTES ?? 0);

it('every document of the corpus keeps every rule', async () => {
  for (const input of corpus) await play(input);
});

it('metadata and token documents fuzzed: no crash, no secret in a message, no endpoint on a forbidden scheme', {
  timeout: 60_000 + minutes * 60_000,
}, async () => {
  const campaign = { code: /\/src\/oauth\//, corpus, play, mutate };
  const figures = await fuzz(campaign, {
    seed: Number(process.env.FUZZ_SEED ?? 1),
    executions: minutes === 0 ? 5_000 : Number.POSITIVE_INFINITY,
    minutes: minutes === 0 ? 1 : minutes,
  });
  if (minutes > 0) console.log(JSON.stringify(figures, undefined, 1));
  expect(figures.finds).toEqual([]);
  expect(figures.blocks.after).toBeGreaterThan(figures.blocks.before);
});
