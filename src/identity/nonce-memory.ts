/** Nonces that were used, bounded. */
export interface NonceMemory {
  /** Whether `nonce` is new; it is then remembered until `expiresAtMs` at least. */
  remember(nonce: string, expiresAtMs: number): boolean;
}

const betweenSweepsMs = 10_000;

/**
 * A replay cache for one process. When it is full of live nonces it refuses new ones rather than forget an old
 * one, because forgetting would let that request be replayed. Expired ones stay until room is needed: a clock that is
 * set back makes their signatures fresh again.
 */
export function createNonceMemory(options: {
  readonly now: () => number;
  readonly capacity?: number;
  /** Up to this many, nothing is forgotten. */
  readonly ample?: number;
}): NonceMemory {
  const { now, capacity = 65_536, ample = 8_192 } = options;
  const expiries = new Map<string, number>();
  let sweptAtMs = Number.NEGATIVE_INFINITY;

  const sweep = (nowMs: number): void => {
    sweptAtMs = nowMs;
    for (const [nonce, expiresAtMs] of expiries) if (expiresAtMs <= nowMs) expiries.delete(nonce);
  };

  return {
    remember(nonce, expiresAtMs) {
      if (expiries.has(nonce)) return false;
      if (expiries.size >= ample) {
        const nowMs = now();
        if (Math.abs(nowMs - sweptAtMs) >= betweenSweepsMs) sweep(nowMs);
        if (expiries.size >= capacity) return false;
      }
      expiries.set(nonce, expiresAtMs);
      return true;
    },
  };
}
