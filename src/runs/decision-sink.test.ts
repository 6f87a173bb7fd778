import { expect, it } from 'vitest';
import { type DecisionEvent, Strangers } from '../audit/index.ts';
import { memoryTrail } from '../audit/test-trail.ts';
import { createDecisionSink } from './decision-sink.ts';
import { RunAudits } from './run-audits.ts';

it('slows the proxy down while the disk is full, and drops no decision', async () => {
  const trail = memoryTrail(1);
  const sink = createDecisionSink({
    trail,
    audits: new RunAudits(),
    strangers: new Strangers({ append: trail.append }),
    nowMs: () => 0,
  });
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

it('records a few requests without a run each second, so that none can fill the disk', async () => {
  const trail = memoryTrail();
  let nowMs = 5_000;
  const sink = createDecisionSink({
    trail,
    audits: new RunAudits(),
    strangers: new Strangers({ append: trail.append }),
    nowMs: () => nowMs,
  });
  const refusal: DecisionEvent = {
    event: 'decision',
    id: 'dec_1',
    outcome: 'ProxyAuthenticationRequired',
    action: 'refused',
    reason: 'this proxy serves only runs that authsome started',
    request: { method: 'GET', host: 'api.example', port: 80, path: '/' },
    candidates: [],
  };
  for (let count = 0; count < 1000; count += 1) sink.record(refusal);
  expect(await trail.recent({ limit: 10_000 })).toHaveLength(1);
  sink.record({ ...refusal, run: 'run_1' });
  nowMs += 1_000;
  sink.record(refusal);
  expect(await trail.recent({ limit: 10_000 })).toHaveLength(3);
});
