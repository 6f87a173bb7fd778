import { expect, it } from 'vitest';
import { createDecisionSink } from '../runs/index.ts';
import type { AuditEvent, AuditTrail, DecisionEvent, RecordedEvent } from './index.ts';
import { observeTrail } from './observed-trail.ts';

/** A trail in memory whose `flush` fails as often as it is told to. */
function fakeTrail(failures = 0): AuditTrail & { readonly flushes: () => number } {
  const events: RecordedEvent[] = [];
  let queued = 0;
  let flushes = 0;
  return {
    append(event: AuditEvent) {
      queued += 1;
      const sequence = events.length + 1;
      events.push({ id: `evt_${sequence}`, ...event, sequence, at: '2026-01-01T00:00:00Z' } as RecordedEvent);
    },
    async flush() {
      flushes += 1;
      if (flushes <= failures) throw new Error('the disk is full');
      queued = 0;
    },
    recent: async ({ limit, after = 0 }) => events.filter(({ sequence }) => sequence > after).slice(0, limit),
    decision: async () => undefined,
    sequel: async () => undefined,
    firstBrokenLink: async () => undefined,
    get pending() {
      return queued;
    },
    flushes: () => flushes,
  };
}

const started: AuditEvent = { event: 'daemon.started', outcome: 'ok' };

it('wakes whoever waits as soon as something happens', async () => {
  const trail = observeTrail(fakeTrail());
  trail.append(started);
  const next = trail.next({ limit: 10, after: 1 }, 60_000);
  await Promise.resolve();
  trail.append(started);
  expect((await next).map(({ sequence }) => sequence)).toEqual([2]);
});

it('answers at once when there is something already, and with nothing when the time is over', async () => {
  const trail = observeTrail(fakeTrail());
  expect(await trail.next({ limit: 10, after: 0 }, 1)).toEqual([]);
  trail.append(started);
  expect(await trail.next({ limit: 10, after: 0 }, 60_000)).toHaveLength(1);
});

it('holds the proxy back while the disk is full, and drops no decision', async () => {
  const trail = fakeTrail(1);
  const sink = createDecisionSink(trail, () => 0);
  const decision: DecisionEvent = {
    event: 'decision',
    id: 'dec_1',
    run: 'run_1',
    outcome: 'injected',
    action: 'injected',
    reason: 'A route matches.',
    request: { method: 'GET', host: 'api.example', port: 443, path: '/' },
    candidates: [],
  };
  expect(sink.congested).toBe(false);
  for (let count = 0; count < 5000; count += 1) sink.record(decision);
  expect(sink.congested).toBe(true);
  await sink.drained();
  expect(trail.flushes()).toBe(2);
  expect(sink.congested).toBe(false);
  expect(await trail.recent({ limit: 10_000 })).toHaveLength(5000);
});

it('keeps a few of the requests of strangers each second, so that none can fill the disk', async () => {
  const trail = fakeTrail();
  let nowMs = 5_000;
  const sink = createDecisionSink(trail, () => nowMs);
  const refusal: DecisionEvent = {
    event: 'decision',
    id: 'dec_1',
    outcome: 'ProxyAuthenticationRequired',
    action: 'refused',
    reason: 'this proxy serves only the runs that authsome has started',
    request: { method: 'GET', host: 'api.example', port: 80, path: '/' },
    candidates: [],
  };
  for (let count = 0; count < 1000; count += 1) sink.record(refusal);
  expect(await trail.recent({ limit: 10_000 })).toHaveLength(20);
  sink.record({ ...refusal, run: 'run_1' });
  nowMs += 1_000;
  sink.record(refusal);
  expect(await trail.recent({ limit: 10_000 })).toHaveLength(22);
});
