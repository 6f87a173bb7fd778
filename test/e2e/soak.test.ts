import { expect, it } from 'vitest';
import { soak } from '../soak/soak.ts';

it('mixed load with everybody misbehaving loses, doubles and mixes up no answer, and leaves nothing open', {
  timeout: 180_000,
}, async () => {
  const figures = await soak({
    seed: 7,
    requests: 1_500,
    minutes: 2,
    rate: 80,
    clients: 12,
    changeEvery: 250,
  });
  expect(figures.violations).toEqual([]);
  expect(figures.open).toBe(0);
  expect(figures.openFiles.after).toBeLessThanOrEqual(figures.openFiles.before);
  // It was what it says: most is answered, much breaks, and credentials changed meanwhile.
  const { counts } = figures;
  expect(counts.whole).toBeGreaterThan(figures.requests / 2);
  for (const seen of ['broken', 'problem', 'echo', 'arrived again', 'audit: injected', 'audit: passed']) {
    expect([seen, counts[seen] ?? 0]).toEqual([seen, expect.any(Number)]);
    expect(counts[seen] ?? 0).toBeGreaterThan(0);
  }
  expect(figures.changes).toBeGreaterThanOrEqual(5);
});
