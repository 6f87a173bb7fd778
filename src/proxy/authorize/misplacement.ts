import { decide, phantomMisplaced, type Refusal } from '../decide/index.ts';
import type { PlacedPhantom } from '../phantoms/index.ts';
import type { LiveRun } from '../runs/index.ts';
import { decisionInputOf } from './decision-input.ts';
import type { RequestRecord } from './request-record.ts';

/** The refusal of a request for a phantom that was found after its head, once the request had been decided on. */
export function misplacementOf({ run, facts }: RequestRecord, placed: PlacedPhantom): Refusal {
  const decision = decide(decisionInputOf(run as LiveRun), { ...facts, phantoms: [placed] });
  if (decision.kind === 'refuse' && decision.code === 'PhantomMisplaced') return decision;
  const { route, considered } = decision.trace;
  const why =
    route === undefined ? ({ kind: 'other-path' } as const) : ({ kind: 'other-place', route } as const);
  return phantomMisplaced(placed, why, considered);
}
