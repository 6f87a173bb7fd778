/** Nonces of the last minute or so, bounded. */
export interface NonceMemory {
  /** Whether `nonce` is new; it is then remembered until `expiresAtMs`. */
  remember(nonce: string, expiresAtMs: number): boolean;
}

/**
 * A replay cache for one process. When it is full of live nonces it refuses new ones rather than forget an old
 * one, because forgetting would let that request be replayed.
 */
export function createNonceMemory(options: {
  readonly now: () => number;
  readonly capacity?: number;
}): NonceMemory {
  const { now, capacity = 65_536 } = options;
  const expiries = new Map<string, number>();
  let sweepAtMs = 0;

  const sweep = (nowMs: number): void => {
    sweepAtMs = nowMs + 10_000;
    for (const [nonce, expiresAtMs] of expiries) if (expiresAtMs <= nowMs) expiries.delete(nonce);
  };

  return {
    remember(nonce, expiresAtMs) {
      const nowMs = now();
      if (nowMs >= sweepAtMs) sweep(nowMs);
      if (expiries.has(nonce) || expiries.size >= capacity) return false;
      expiries.set(nonce, expiresAtMs);
      return true;
    },
  };
}
