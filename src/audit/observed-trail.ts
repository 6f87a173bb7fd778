import type { AuditEvent, AuditTrail, EventFilter, RecordedEvent } from './event.ts';

/** An audit trail whose readers can wait for the next event. */
export interface ObservedTrail extends AuditTrail {
  /** As `recent`; when there is nothing yet, waits for the next event, at most `timeoutMs`. */
  next(filter: EventFilter, timeoutMs: number): Promise<readonly RecordedEvent[]>;
  /** Called for each event from now on, but of the proxy's decisions only where one is about a misplaced phantom. */
  onEvent(listener: (event: AuditEvent) => void): void;
}

export function observeTrail(trail: AuditTrail): ObservedTrail {
  const waiting = new Set<() => void>();
  const listeners: ((event: AuditEvent) => void)[] = [];
  return {
    append(event: AuditEvent) {
      trail.append(event);
      for (const wake of [...waiting]) wake();
      if (event.event !== 'decision' || event.outcome === 'PhantomMisplaced')
        for (const listener of listeners) listener(event);
    },
    onEvent: (listener) => void listeners.push(listener),
    flush: () => trail.flush(),
    recent: (filter: EventFilter) => trail.recent(filter),
    decision: (id, isWanted) => trail.decision(id, isWanted),
    sequel: (decision) => trail.sequel(decision),
    firstBrokenLink: () => trail.firstBrokenLink(),
    get pending() {
      return trail.pending;
    },
    async next(filter, timeoutMs) {
      const deadline = performance.now() + timeoutMs;
      for (;;) {
        // Listening begins before the read, so that an event between the two is not missed.
        const wait = nextWake(waiting, deadline - performance.now());
        const events = await trail.recent(filter);
        if (events.length > 0 || performance.now() >= deadline) {
          wait.cancel();
          return events;
        }
        await wait.promise;
      }
    },
  };
}

function nextWake(waiting: Set<() => void>, timeoutMs: number) {
  let wake = (): void => {};
  const promise = new Promise<void>((resolve) => {
    wake = () => {
      clearTimeout(timer);
      waiting.delete(wake);
      resolve();
    };
  });
  const timer = setTimeout(() => wake(), Math.max(0, timeoutMs));
  waiting.add(wake);
  return { promise, cancel: () => wake() };
}
