import { setTimeout as sleep } from 'node:timers/promises';
import type { AuditTrail, DecisionEvent } from '../audit/index.ts';
import type { DecisionSink } from '../proxy/index.ts';

/** Queued events from which on the proxy stops reading: about 4 MB. */
const congestionLimit = 4096;
const retryMs = 250;

/** Decisions on their way into the audit trail. None is dropped: on a full disk, traffic waits for space. */
export function createDecisionSink(trail: AuditTrail): DecisionSink {
  return {
    record: (decision: DecisionEvent) => trail.append(decision),
    get congested() {
      return trail.pending >= congestionLimit;
    },
    async drained() {
      while (trail.pending >= congestionLimit) {
        try {
          await trail.flush();
        } catch {
          await sleep(retryMs);
        }
      }
    },
  };
}
