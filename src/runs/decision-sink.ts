import { setTimeout as sleep } from 'node:timers/promises';
import type { AuditTrail, DecisionEvent } from '../audit/index.ts';
import type { DecisionSink } from '../proxy/index.ts';
import type { RunAudits } from './run-audits.ts';

/** Queued events from which on the proxy stops reading: about 4 MB. */
const congestionLimit = 4096;
const retryMs = 250;
/** Enough to see that somebody knocks, and to explain it to whoever used the credentials of a run that has ended. */
const strangersPerSecond = 20;

export interface DecisionSinkOptions {
  readonly trail: AuditTrail;
  readonly audits: RunAudits;
  readonly nowMs: () => number;
}

/**
 * Decisions on their way into the audit trail. Of a run's, none is dropped: on a full disk, traffic waits for space. Of
 * those on requests without a run's credentials, which anybody on the machine can make, a few each second are kept.
 */
export function createDecisionSink({ trail, audits, nowMs }: DecisionSinkOptions): DecisionSink {
  let second = 0;
  let strangers = 0;
  const isOneTooMany = (): boolean => {
    const now = Math.floor(nowMs() / 1000);
    if (now !== second) strangers = 0;
    second = now;
    strangers += 1;
    return strangers > strangersPerSecond;
  };
  const auditOf = (run: string | undefined) => (run === undefined ? undefined : audits.of(run)) ?? trail;
  return {
    record(decision: DecisionEvent) {
      if (decision.run === undefined && isOneTooMany()) return;
      auditOf(decision.run).append(decision);
    },
    failed: (failure) => auditOf(failure.run).append(failure),
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
