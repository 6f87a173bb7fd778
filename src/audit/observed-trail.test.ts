import { expect, it } from 'vitest';
import type { AuditEvent } from './index.ts';
import { observeTrail } from './observed-trail.ts';
import { memoryTrail } from './test-trail.ts';

const started: AuditEvent = { event: 'daemon.started', outcome: 'ok' };

it('wakes a waiting reader as soon as something happens', async () => {
  const trail = observeTrail(memoryTrail());
  trail.append(started);
  const next = trail.next({ limit: 10, after: 1 }, 60_000);
  await Promise.resolve();
  trail.append(started);
  expect((await next).map(({ sequence }) => sequence)).toEqual([2]);
});

it('answers at once when there is something already, and with nothing when the time is over', async () => {
  const trail = observeTrail(memoryTrail());
  expect(await trail.next({ limit: 10, after: 0 }, 1)).toEqual([]);
  trail.append(started);
  expect(await trail.next({ limit: 10, after: 0 }, 60_000)).toHaveLength(1);
});
