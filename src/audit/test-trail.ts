import type { AuditEvent, AuditTrail, RecordedEvent } from './event.ts';

/** A trail in memory whose `flush` fails `failures` times. */
export function memoryTrail(failures = 0): AuditTrail & { readonly flushes: () => number } {
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
