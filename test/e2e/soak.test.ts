import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Figures } from '../soak/soak.ts';
import { root } from '../support/fixture.ts';
import { start } from '../support/product.ts';

it('mixed load with everybody misbehaving loses, doubles and mixes up no response, and leaves nothing open', {
  timeout: 180_000,
}, async () => {
  // In a process of its own: cutting TLS off in the middle, thousands of times, can take Node 20 itself down.
  const load = start({
    program: process.execPath,
    args: [
      join(root, 'scripts/soak.mjs'),
      '--no-build',
      ...['--seed', '7', '--requests', '1500', '--minutes', '2'],
      ...['--rate', '80', '--clients', '12', '--change-every', '250'],
    ],
    env: { PATH: process.env.PATH ?? '' },
    cwd: root,
  });
  const { stdout, stderr } = await load.ended;
  if (!stdout.startsWith('{')) throw new Error(stderr);
  const { violations, open, openSockets, counts, requests, changes } = JSON.parse(stdout) as Figures;
  expect(violations).toEqual([]);
  expect(open).toBe(0);
  expect(openSockets.after).toBeLessThanOrEqual(openSockets.before);
  // The soak did what it says: most requests were answered, many broke, and credentials changed.
  expect(counts.whole).toBeGreaterThan(requests / 2);
  for (const seen of ['broken', 'problem', 'echo', 'arrived again', 'audit: injected', 'audit: passed']) {
    expect([seen, counts[seen] ?? 0]).toEqual([seen, expect.any(Number)]);
    expect(counts[seen] ?? 0).toBeGreaterThan(0);
  }
  expect(changes).toBeGreaterThanOrEqual(5);
});
