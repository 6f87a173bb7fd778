import type { AuditEvent, RecordedEvent } from './event.ts';

/** Refusals that anybody can cause, without access to this home. */
export type StrangerKind = 'other-user' | 'other-site' | 'callback' | 'no-run';

const descriptions: Readonly<Record<StrangerKind, { readonly outcome: string; readonly what: string }>> = {
  'other-user': {
    outcome: 'PeerNotAllowed',
    what: 'requests by other users of this machine, or by programs that left at once',
  },
  'other-site': { outcome: 'OperationNotAllowed', what: 'requests that other sites caused' },
  callback: { outcome: 'StateMismatch', what: 'callbacks that belong to no sign-in' },
  'no-run': { outcome: 'ProxyAuthenticationRequired', what: 'requests to the proxy without a run' },
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

/** Whether anybody could have caused an event, without a part in this home. */
export function isByStranger(event: RecordedEvent): boolean {
  if (event.event === 'decision') return event.run === undefined;
  return event.event === 'strangers.refused' || event.event === 'identity.refused';
}
