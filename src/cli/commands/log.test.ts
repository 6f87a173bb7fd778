import { expect, it } from 'vitest';
import type { LogDocument } from '../../client/index.ts';
import { testContext } from '../test-context.ts';
import { log } from './log.ts';

const all = Array.from({ length: 2_500 }, (_, index) => ({
  sequence: index + 1,
  id: `evt_${index + 1}`,
  at: '2026-01-01T00:00:00Z',
  event: 'token.refreshed',
  outcome: 'ok',
}));

/** As the daemon answers: a thousand at most. */
function trail(asked: unknown[]) {
  return {
    audit: async (options: { limit?: number; before?: string } = {}): Promise<LogDocument> => {
      asked.push(options);
      const before = Number(options.before ?? Number.MAX_SAFE_INTEGER);
      const older = all.filter(({ sequence }) => sequence < before);
      return { v: 1, events: older.slice(-Math.min(options.limit ?? 50, 1_000)) };
    },
  };
}

it.each([
  [20, [20]],
  [1_000, [1_000]],
  [2_100, [1_000, 1_000, 100]],
  [9_000, [1_000, 1_000, 1_000]],
])('shows the newest %i, oldest first, and asks for no more than that', async (limit, limits) => {
  const asked: { limit: number }[] = [];
  const { context, output } = testContext({ client: trail(asked), json: true });
  await log(context, { limit, follow: false, all: false });
  const { events } = JSON.parse(output.stdout) as LogDocument;
  expect(events.map(({ sequence }) => sequence)).toEqual(
    all.slice(-Math.min(limit, all.length)).map(({ sequence }) => sequence),
  );
  expect(asked.map((options) => options.limit)).toEqual(limits);
});
