import type { Duplex } from 'node:stream';
import type { Timeouts } from '../contract.ts';

interface Relayed extends Duplex {
  allowHalfOpen: boolean;
}

/**
 * Relays bytes both ways unchanged, with backpressure, until both sides have ended. One end alone passes on as a
 * half-close. If one side breaks, the other is cut too.
 */
export function relay(a: Relayed, b: Relayed): void {
  a.allowHalfOpen = true;
  b.allowHalfOpen = true;
  const cut = (): void => {
    a.destroy();
    b.destroy();
  };
  for (const side of [a, b]) {
    side.on('error', cut);
    side.on('close', () => {
      // A side that ended both ways leaves the other alone, which may still have data to deliver.
      if (!side.readableEnded || !side.writableFinished) cut();
    });
  }
  a.pipe(b);
  b.pipe(a);
}

/** How long the relay may be idle now. */
export function relayIdleMs(a: Duplex, b: Duplex, timeouts: Timeouts): number {
  return a.readableEnded || b.readableEnded ? timeouts.halfClosedMs : timeouts.tunnelMs;
}
