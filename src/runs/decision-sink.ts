import { setTimeout as sleep } from 'node:timers/promises';
import type { AuditTrail, DecisionEvent, Strangers } from '../audit/index.ts';
import type { DecisionSink } from '../proxy/index.ts';
import type { RunAudits } from './run-audits.ts';

/** With this many queued events, about 4 MB, the proxy stops reading. */
const congestionLimit = 4096;
const retryMs = 250;
/** Enough to notice such requests, and to explain one that used the credentials of an ended run. */
const recordedPerSecond = 1;

export interface DecisionSinkOptions {
  readonly trail: AuditTrail;
  readonly audits: RunAudits;
  readonly strangers: Strangers;
  readonly nowMs: () => number;
}

/**
 * Writes decisions to the audit trail. None of a run's is dropped: on a full disk, traffic waits for space. Of requests
 * without a run's credentials, which anybody on the machine can make, a few each second are recorded.
 */
export function createDecisionSink({ trail, audits, strangers, nowMs }: DecisionSinkOptions): DecisionSink {
  let second = 0;
  let recorded = 0;
  const isOneTooMany = (): boolean => {
    const now = Math.floor(nowMs() / 1000);
    if (now !== second) recorded = 0;
    second = now;
    recorded += 1;
    return recorded > recordedPerSecond;
  };
  const auditOf = (run: string | undefined) => (run === undefined ? undefined : audits.of(run)) ?? trail;
  return {
    record(decision: DecisionEvent) {
      if (decision.outcome === 'PeerNotAllowed') {
        strangers.note('other-user');
        return;
      }
      if (decision.run === undefined) {
        strangers.note('no-run');
        if (isOneTooMany()) return;
      }
      auditOf(decision.run).append(decision);
    },
    failed(failure) {
      // A refused stranger that does not even read its refusal: that was counted.
      if (failure.run !== undefined) auditOf(failure.run).append(failure);
    },
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
