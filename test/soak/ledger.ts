import type { Keyring } from './keyring.ts';

/** What the upstream does with a request. */
export type Fate =
  | 'answer'
  | 'hint first'
  | 'stall'
  | 'dribble'
  | 'answer early'
  | 'announce close'
  | 'close in silence'
  | 'reset at the head'
  | 'reset before the answer'
  | 'reset in the head'
  | 'reset in the body'
  | 'end in the body'
  | 'break the session'
  | 'go away';

/** One request as the client means to send it, and the answer that it is to get. */
export interface Plan {
  readonly nonce: string;
  readonly host: string;
  readonly isHttp2: boolean;
  readonly method: string;
  readonly requestBytes: number;
  readonly responseBytes: number;
  readonly requestFraming: 'none' | 'length' | 'chunked';
  readonly responseFraming: 'none' | 'length' | 'chunked' | 'close';
  readonly status: number;
  readonly fate: Fate;
  /** The answer is text that begins with the credential that arrived. */
  readonly echoes: boolean;
  readonly gzip: boolean;
  readonly expectsContinue: boolean;
  readonly kind: 'message' | 'upgrade' | 'events' | 'call';
}

/** One arrival of a request at the upstream. */
export interface Attempt {
  readonly injected: boolean;
  /** Requests that this connection had carried before. */
  readonly before: number;
  end: 'open' | 'answered' | 'unauthorized' | 'harmed' | 'lost';
}

export interface Entry {
  readonly plan: Plan;
  readonly intercepted: boolean;
  /** The oldest credential that may still be used. */
  readonly floor: number;
  readonly startedAtMs: number;
  readonly seen: Attempt[];
  readonly decisions: string[];
  /** The client broke it off itself. */
  spoilt: boolean;
  outcome: 'whole' | 'broken' | 'problem' | undefined;
  /** What an answer of the proxy's own said. */
  problem: string | undefined;
  finishedAtMs: number;
}

const kept = 60;
const keptLate = 1_000;
const repeatable = new Set(['GET', 'HEAD']);

/** Whether it may go out again when its connection turned out to be dead (RFC 9110 §9.2.2). */
function mayRetry({ method, kind, requestFraming, isHttp2 }: Plan): boolean {
  return !isHttp2 && repeatable.has(method) && kind !== 'upgrade' && requestFraming === 'none';
}

/** Every request of a soak, from its sending to its line in the audit, and whatever broke a rule. */
export class Ledger {
  readonly violations: string[] = [];
  readonly counts = new Map<string, number>();
  /** Refused requests whose path nobody could read, as the clients counted them and as the audit tells them. */
  readonly namelessRefusals = { met: 0, audited: 0 };
  /** Heads that a client broke off: refused as cut off, or never read. */
  halfHeads = 0;
  readonly tunnels = { opened: 0, audited: 0 };
  begun = 0;
  /** Told of the first ones as they come. */
  onViolation: ((text: string) => void) | undefined;
  readonly #accused = new WeakSet<Entry>();
  readonly #entries = new Map<string, Entry>();
  /** Let go by the proxy, given up by the client, and not seen by the upstream yet. */
  readonly #late = new Map<string, Entry>();
  readonly #keyring: Keyring;

  constructor(keyring: Keyring) {
    this.#keyring = keyring;
  }

  get open(): readonly Entry[] {
    return [...this.#entries.values()];
  }

  count(what: string): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1);
  }

  violation(text: string): void {
    this.count('violation');
    if (this.violations.length >= kept) return;
    this.violations.push(text);
    this.onViolation?.(text);
  }

  begin(plan: Plan, intercepted: boolean): Entry {
    const entry: Entry = {
      plan,
      intercepted,
      floor: this.#keyring.floor(plan.host),
      startedAtMs: performance.now(),
      seen: [],
      decisions: [],
      spoilt: false,
      outcome: undefined,
      problem: undefined,
      finishedAtMs: 0,
    };
    this.begun += 1;
    this.#entries.set(plan.nonce, entry);
    return entry;
  }

  /** The upstream read this request's head, with these values where a credential would be. */
  arrived(
    nonce: string,
    host: string,
    credential: readonly string[],
    before: number,
  ): { readonly entry: Entry; readonly attempt: Attempt } | undefined {
    const entry = this.#entries.get(nonce) ?? this.#late.get(nonce);
    this.#late.delete(nonce);
    if (entry === undefined) {
      this.violation(`a request arrived that nobody sent, or again: ${nonce}`);
      return undefined;
    }
    const { plan } = entry;
    if (host !== plan.host) this.violation(`${nonce} was for ${plan.host} and arrived for ${host}`);
    const injected = this.#keyring.isReal(host, credential);
    const fault = this.#keyring.faultOf(entry, credential);
    if (fault !== undefined) this.violation(`${nonce} at ${host}: ${fault}`);
    const last = entry.seen.at(-1);
    if (last !== undefined && !this.#mayRepeat(entry, last)) {
      this.violation(
        `${nonce} (${plan.method}, ${plan.fate}) arrived again after ${JSON.stringify(entry.seen)}`,
      );
    }
    const attempt: Attempt = { injected, before, end: 'open' };
    entry.seen.push(attempt);
    this.count(entry.seen.length === 1 ? 'arrived' : 'arrived again');
    return { entry, attempt };
  }

  #mayRepeat({ plan, seen }: Entry, last: Attempt): boolean {
    if (last.end === 'unauthorized')
      return seen.length === 1 || (seen.length === 2 && seen[0]?.end === 'harmed');
    return seen.length === 1 && mayRetry(plan) && last.end === 'harmed' && last.before > 0;
  }

  /** The proxy answered by itself, with this problem's code, or its status where there is no body. */
  refused(entry: Entry, code: string): void {
    entry.problem = code;
    this.count(`problem: ${code}`);
  }

  /** The client's side of a request is over. */
  finish(entry: Entry, outcome: 'whole' | 'broken' | 'problem', detail = ''): void {
    if (entry.outcome !== undefined) return;
    entry.outcome = outcome;
    entry.finishedAtMs = performance.now();
    this.count(outcome);
    const { plan } = entry;
    if (outcome !== 'whole' && !this.#isExcused(entry)) {
      const attempts = JSON.stringify(entry.seen);
      this.violation(
        `${plan.nonce} lost its answer (${outcome} ${entry.problem ?? detail}): ${JSON.stringify(plan)} ${attempts}`,
      );
    }
    this.#settle(entry);
  }

  #isExcused(entry: Entry): boolean {
    const { plan } = entry;
    if (entry.spoilt || entry.seen.some(({ end }) => end === 'harmed')) return true;
    if (this.#keyring.wasCut(plan.host, plan.isHttp2, entry.startedAtMs, entry.finishedAtMs)) return true;
    if (entry.seen.length === 0 && this.#keyring.isWithout(entry)) return true;
    // Its connection may have been closed in silence: only what may be repeated survives that.
    return this.#keyring.isFlaky(plan.host) && !mayRetry(plan);
  }

  /** The audit tells what became of a request. */
  decided(nonce: string, action: string): void {
    const entry = this.#entries.get(nonce);
    if (entry === undefined) {
      this.violation(`the audit tells of a request that nobody sent, or again: ${nonce}`);
      return;
    }
    entry.decisions.push(action);
    this.count(`audit: ${action}`);
    this.#settle(entry);
  }

  #settle(entry: Entry): void {
    if (entry.outcome === undefined || (entry.intercepted && entry.decisions.length === 0)) return;
    if (entry.seen.some(({ end }) => end === 'open')) return;
    this.#entries.delete(entry.plan.nonce);
    if (entry.seen.length === 0) this.#expectLate(entry);
    if (!entry.intercepted && entry.decisions.length > 0) {
      this.violation(`${entry.plan.nonce} went through a blind tunnel and is in the audit`);
    }
    const first = entry.seen[0];
    const expected = first === undefined ? undefined : first.injected ? 'injected' : 'passed';
    if (entry.intercepted && expected !== undefined && entry.decisions[0] !== expected) {
      this.violation(`${entry.plan.nonce} was ${expected}; the audit says ${entry.decisions.join()}`);
    }
  }

  #expectLate(entry: Entry): void {
    this.#late.set(entry.plan.nonce, entry);
    for (const [nonce] of this.#late) {
      if (this.#late.size <= keptLate) break;
      this.#late.delete(nonce);
    }
  }

  /** The upstream is done with an arrival. */
  left(nonce: string, attempt: Attempt, end: Exclude<Attempt['end'], 'open'>): void {
    if (attempt.end === 'open') attempt.end = end;
    const entry = this.#entries.get(nonce);
    if (entry !== undefined) this.#settle(entry);
  }

  /** Tells of requests that have been waiting for so long for an end. */
  accuseStuck(ms: number): void {
    for (const entry of this.#entries.values()) {
      if (
        entry.outcome !== undefined ||
        this.#accused.has(entry) ||
        performance.now() - entry.startedAtMs < ms
      )
        continue;
      this.#accused.add(entry);
      this.violation(`stuck: ${JSON.stringify(entry)}`);
    }
  }

  /** Once everything is over: what still has no line in the audit although it was carried, or no outcome. */
  close(): void {
    for (const entry of this.#entries.values()) {
      const { plan, outcome, seen, intercepted, decisions } = entry;
      const carried = seen.length > 0 || outcome === 'whole' || outcome === 'problem';
      if (outcome === undefined) this.violation(`${plan.nonce} has no outcome: ${JSON.stringify(entry)}`);
      else if (intercepted && decisions.length === 0 && carried) {
        this.violation(`${plan.nonce} is not in the audit: ${JSON.stringify(entry)}`);
      }
    }
    const { met, audited } = this.namelessRefusals;
    if (audited < met || audited > met + this.halfHeads) {
      this.violation(`${met} unreadable requests, ${this.halfHeads} cut off, and ${audited} in the audit`);
    }
    if (this.tunnels.opened !== this.tunnels.audited) {
      this.violation(`${this.tunnels.opened} blind tunnels, and ${this.tunnels.audited} in the audit`);
    }
  }
}
