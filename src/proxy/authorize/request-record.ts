import type { DecisionEvent } from '../../audit/index.ts';
import { AuthsomeError, type ErrorCode } from '../../errors.ts';
import type { PeerCheck } from '../../peers/index.ts';
import type { DecisionSink } from '../contract.ts';
import { decisionEvent, type Refusal, type RequestFacts, type Trace } from '../decide/index.ts';
import type { PlacedPhantom } from '../phantoms/index.ts';
import type { Problem } from '../refusal/index.ts';
import type { LiveRun } from '../runs/index.ts';

const pending: Trace = { reason: 'no decision yet', considered: [], route: undefined, rule: undefined };

/** Where decisions go, and the next one's `dec_…`. */
export interface Decisions {
  readonly decisions: DecisionSink;
  readonly nextDecisionId: () => string;
}

/**
 * The audit record of one request. It is written exactly once, whatever happens to the request, but not before it is known
 * whose process asks: what another user sends is nothing of the run's.
 */
export class RequestRecord {
  readonly id: string;
  readonly run: LiveRun | undefined;
  /** With the phantoms in the head, and in the body where that was read before the decision. */
  facts: RequestFacts;
  trace: Trace = pending;
  /** Where the credential is placed. */
  placement: string | undefined;
  #recorded = false;
  readonly #decisions: DecisionSink;
  readonly #peer: PeerCheck;

  constructor(
    { decisions, nextDecisionId }: Decisions,
    peer: PeerCheck,
    run: LiveRun | undefined,
    facts: RequestFacts,
  ) {
    this.id = nextDecisionId();
    this.#decisions = decisions;
    this.#peer = peer;
    this.run = run;
    this.facts = facts;
  }

  /** Adds what was found after the head. */
  add(phantoms: readonly PlacedPhantom[]): void {
    if (phantoms.length === 0) return;
    this.facts = { ...this.facts, phantoms: [...(this.facts.phantoms ?? []), ...phantoms] };
  }

  allow(action: 'injected' | 'passed' | 'tunnelled'): void {
    this.#write(action, action);
  }

  /** For an intercepted tunnel: each request in it has a record of its own. */
  leaveUnrecorded(): void {
    this.#recorded = true;
  }

  /** Records the refusal; returns what the agent reads about it. */
  refuse(refusal: Refusal): Problem {
    if (!this.#recorded) this.trace = refusal.trace;
    return this.#problem(refusal.code, refusal.detail, refusal.hint);
  }

  fail(error: AuthsomeError): Problem {
    if (!this.#recorded) this.trace = { ...this.trace, reason: error.message };
    return this.#problem(error.code, error.message, error.hint);
  }

  /** The client has disconnected. */
  abandon(): void {
    if (this.#recorded) return;
    this.trace = {
      ...this.trace,
      reason: 'the client disconnected, or the run ended, before there was a response',
    };
    this.#write('refused', 'Cancelled');
  }

  #problem(code: ErrorCode, detail: string, hint: string | undefined): Problem {
    if (this.#recorded) this.#failed(code, detail);
    else this.#write('refused', code);
    const fallback = new AuthsomeError(code, detail).hint ?? `Run: authsome explain ${this.id}`;
    return { code, detail, hint: hint ?? fallback, decision: this.id };
  }

  /** Records how a request failed after it was sent. The decision about it stands. */
  #failed(outcome: ErrorCode, detail: string): void {
    if (this.#peer.allowed !== true) return;
    const { route } = this.trace;
    const spec = this.run?.spec;
    this.#decisions.failed({
      event: 'answer.failed',
      decision: this.id,
      ...(route === undefined ? {} : { provider: route.provider, connection: route.connection }),
      ...(spec === undefined ? {} : { identity: spec.identity, run: spec.id }),
      outcome,
      detail,
    });
  }

  #write(action: 'injected' | 'passed' | 'tunnelled' | 'refused', outcome: string): void {
    if (this.#recorded) return;
    this.#recorded = true;
    const spec = this.run?.spec;
    const event = decisionEvent({
      id: this.id,
      requester: spec === undefined ? undefined : { identity: spec.identity, run: spec.id },
      facts: this.facts,
      trace: this.trace,
      action,
      outcome,
      placement: action === 'injected' ? this.placement : undefined,
    });
    if (this.#peer.allowed === true) this.#decisions.record(event);
    else void this.#recordOnceKnown(event);
  }

  async #recordOnceKnown(event: DecisionEvent): Promise<void> {
    const isAllowed = await this.#peer.settled;
    this.#decisions.record(isAllowed ? event : { ...event, outcome: 'PeerNotAllowed' });
  }
}
