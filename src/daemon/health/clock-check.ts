import { type Check, check, ok } from './checks.ts';

export interface ClockCheckOptions {
  readonly nowMs: () => number;
  /** Milliseconds of the monotonic clock, which nobody can set. */
  readonly monotonicMs: () => number;
  /** By how much the two differed when the daemon started. */
  readonly clockOffsetMs: number;
}

const toleranceMs = 60_000;
/** Before authsome existed. */
const earliestMs = Date.UTC(2025, 0, 1);

/** Whether the clock is plausible, and has not been set since the daemon started. */
export function clockCheck(options: ClockCheckOptions): Check {
  return check('clock', () => {
    const nowMs = options.nowMs();
    const driftMs = Math.abs(nowMs - options.monotonicMs() - options.clockOffsetMs);
    if (nowMs < earliestMs) {
      return { status: 'fail', message: 'the clock is years behind', fix: 'Set the clock.' };
    }
    return driftMs <= toleranceMs
      ? ok('clock OK')
      : {
          status: 'warn',
          message: `the clock was moved by ${Math.round(driftMs / 1000)} s since the daemon started`,
          fix: 'authsome daemon restart',
        };
  });
}
