import { expect, it } from 'vitest';
import { type PlayFigures, play } from './fuzz/http2/play.ts';

const minutes = Number(process.env.FUZZ_MINUTES ?? 0);
const firstSeed = Number(process.env.FUZZ_SEED ?? 1);
const plays = minutes === 0 ? 40 : Number.POSITIVE_INFINITY;

it('both HTTP/2 peers fuzzed at once: no crash, no credential in what was not read whole, no bytes of another request, nothing left', {
  timeout: 60_000 + minutes * 60_000,
}, async () => {
  const deadline = performance.now() + (minutes === 0 ? 60_000 : minutes * 60_000);
  const finds: string[] = [];
  const sum = { plays: 0, requests: 0, reached: 0, answered: 0 };
  const add = (figures: PlayFigures): void => {
    sum.requests += figures.requests;
    sum.reached += figures.reached;
    sum.answered += figures.answered;
  };
  for (; sum.plays < plays && performance.now() < deadline && finds.length < 10; sum.plays += 1) {
    const seed = firstSeed + sum.plays;
    await play(seed).then(add, (error: unknown) =>
      finds.push(`FUZZ_SEED=${seed}: ${error instanceof Error ? error.stack : error}`),
    );
  }
  if (minutes > 0) console.log(JSON.stringify(sum));
  expect(finds).toEqual([]);
  expect(sum.reached).toBeGreaterThan(sum.plays);
  expect(sum.answered).toBeGreaterThan(sum.plays);
});
