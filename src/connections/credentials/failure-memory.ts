import type { AuthsomeError } from '../../errors.ts';
import { isFinal } from './unusable-connection.ts';

const firstBackOffMs = 1_000;
const maxBackOffMs = 60_000;
/** While the connection is idle. */
const maxIdleBackOffMs = 3_600_000;

interface Failure {
  readonly error: AuthsomeError;
  readonly count: number;
  readonly atMs: number;
  /** How long the provider wants to be left alone. */
  readonly wantedMs: number;
}

/** The last failures of refreshes, by connection: the provider is not asked again for a while, longer after each. */
export class FailureMemory {
  readonly #failures = new Map<string, Failure>();
  readonly #nowMs: () => number;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  add(key: string, error: AuthsomeError, wantedMs = 0): void {
    const count = (this.#failures.get(key)?.count ?? 0) + 1;
    this.#failures.set(key, { error, count, atMs: this.#nowMs(), wantedMs });
  }

  forget(key: string): void {
    this.#failures.delete(key);
  }

  /** The failure after which it is too early to try again. */
  recent(key: string): AuthsomeError | undefined {
    const failure = this.#failures.get(key);
    if (failure === undefined) return undefined;
    const isRecent = isWithin(failure.atMs, this.#nowMs(), backOffMs(failure, maxBackOffMs));
    return isRecent ? failure.error : undefined;
  }

  /** When a connection that may be idle may be tried again: `Infinity` once only a person can help. */
  quietUntilMs(key: string): number {
    const failure = this.#failures.get(key);
    if (failure === undefined) return Number.NEGATIVE_INFINITY;
    if (isFinal(failure.error)) return Number.POSITIVE_INFINITY;
    const idleMs = backOffMs(failure, maxIdleBackOffMs);
    return isWithin(failure.atMs, this.#nowMs(), idleMs) ? failure.atMs + idleMs : Number.NEGATIVE_INFINITY;
  }
}

/** Whether less than `ms` have passed since `thenMs`. A clock that was set back in between ends the wait. */
export function isWithin(thenMs: number, nowMs: number, ms: number): boolean {
  return thenMs <= nowMs && nowMs < thenMs + ms;
}

function backOffMs({ count, wantedMs }: Failure, maxMs: number): number {
  return Math.max(wantedMs, Math.min(firstBackOffMs * 2 ** (count - 1), maxMs));
}
