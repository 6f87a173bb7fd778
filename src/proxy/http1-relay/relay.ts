import type { Duplex } from 'node:stream';
import type { Timeouts } from '../contract.ts';

interface Relayed extends Duplex {
  allowHalfOpen: boolean;
}

/**
 * Bytes go both ways untouched, with backpressure, until both sides have ended; either end alone passes on as a
 * half-close. When one side breaks, the other is cut as well.
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
      // One that is over both ways leaves the other alone, which may still have much to hand on.
      if (!side.readableEnded || !side.writableFinished) cut();
    });
  }
  a.pipe(b);
  b.pipe(a);
}

/** How long nothing may move between them now. */
export function relayIdleMs(a: Duplex, b: Duplex, timeouts: Timeouts): number {
  return a.readableEnded || b.readableEnded ? timeouts.halfClosedMs : timeouts.tunnelMs;
}
