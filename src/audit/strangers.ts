import type { AuditEvent } from './event.ts';

/** Refusals that anybody can cause, without access to this home. */
export type StrangerKind = 'other-user';

const descriptions: Readonly<Record<StrangerKind, { readonly outcome: string; readonly what: string }>> = {
  'other-user': { outcome: 'PeerNotAllowed', what: 'requests by other users of this machine' },
};

export interface StrangersOptions {
  readonly append: (event: AuditEvent) => void;
  readonly windowMs?: number;
}

/**
 * Counts what strangers cause. Each second that had any becomes one event of each kind: nobody fills the disk, or pushes
 * the owner's events out of sight, by trying again.
 */
export class Strangers {
  readonly #append: (event: AuditEvent) => void;
  readonly #windowMs: number;
  readonly #counts = new Map<StrangerKind, number>();
  #timer: NodeJS.Timeout | undefined;

  constructor({ append, windowMs = 1_000 }: StrangersOptions) {
    this.#append = append;
    this.#windowMs = windowMs;
  }

  note(kind: StrangerKind): void {
    this.#counts.set(kind, (this.#counts.get(kind) ?? 0) + 1);
    this.#timer ??= setTimeout(() => this.flush(), this.#windowMs).unref();
  }

  /** Appends what was counted so far. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const [kind, count] of this.#counts) {
      const { outcome, what } = descriptions[kind];
      this.#append({ event: 'strangers.refused', outcome, count, detail: `${count} ${what}` });
    }
    this.#counts.clear();
  }
}
