import type { Connection } from '../records/index.ts';

const earlyMs = 300_000;
const skewMs = 60_000;

/** When a connection's credential should be replaced, and until when it works. `Infinity`: never, forever. */
export interface Lifetime {
  /** From then on a refresh is due, though the credential still works. */
  readonly refreshAtMs: number;
  /** From then on it is used only when no newer one can be had: our clock may be behind. */
  readonly staleAtMs: number;
  readonly endsAtMs: number;
}

export function lifetimeOf(connection: Connection): Lifetime {
  const { expiresAtMs, obtainedAtMs, refreshable } = connection;
  // A short-lived token is not refreshed from its first second on: at half its life at the earliest.
  const lifetimeMs = expiresAtMs === undefined ? Number.POSITIVE_INFINITY : expiresAtMs - obtainedAtMs;
  const endsAtMs = expiresAtMs ?? Number.POSITIVE_INFINITY;
  return {
    refreshAtMs: refreshable ? endsAtMs - Math.min(earlyMs, lifetimeMs / 2) : Number.POSITIVE_INFINITY,
    staleAtMs: endsAtMs - Math.min(skewMs, lifetimeMs / 4),
    endsAtMs,
  };
}
