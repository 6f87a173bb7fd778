import { AuthsomeError, type ErrorCode } from '../../errors.ts';
import type { DecisionSink } from '../contract.ts';
import { decisionEvent, type Refusal, type RequestFacts, type Trace } from '../decide/index.ts';
import type { Problem } from '../refusal/index.ts';
import type { LiveRun } from '../runs/index.ts';

const pending: Trace = { reason: 'not judged yet', considered: [], route: undefined, rule: undefined };

/** One request's record in the making. It is written exactly once, whatever happens to the request. */
export class RequestRecord {
  readonly id: string;
  readonly run: LiveRun | undefined;
  readonly facts: RequestFacts;
  trace: Trace = pending;
  /** How the credential is placed, for the record. */
  placement: string | undefined;
  #recorded = false;
  readonly #decisions: DecisionSink;

  constructor(id: string, decisions: DecisionSink, run: LiveRun | undefined, facts: RequestFacts) {
    this.id = id;
    this.#decisions = decisions;
    this.run = run;
    this.facts = facts;
  }

  allow(action: 'injected' | 'passed' | 'tunnelled'): void {
    this.#write(action, action);
  }

  /** For a tunnel that is intercepted: the requests in it go on record one by one. */
  leaveUnrecorded(): void {
    this.#recorded = true;
  }

  /** Puts the refusal on record; returns what the agent reads of it. */
  refuse(refusal: Refusal): Problem {
    if (!this.#recorded) this.trace = refusal.trace;
    return this.#problem(refusal.code, refusal.detail, refusal.hint);
  }

  fail(error: AuthsomeError): Problem {
    if (!this.#recorded) this.trace = { ...this.trace, reason: error.message };
    return this.#problem(error.code, error.message, error.hint);
  }

  /** Nobody is left to answer. */
  abandon(): void {
    if (this.#recorded) return;
    this.trace = { ...this.trace, reason: 'the client left, or the run ended, before there was a response' };
    this.#write('refused', 'Cancelled');
  }

  #problem(code: ErrorCode, detail: string, hint: string | undefined): Problem {
    if (this.#recorded) this.#failed(code, detail);
    else this.#write('refused', code);
    const fallback = new AuthsomeError(code, detail).hint ?? `Run: authsome explain ${this.id}`;
    return { code, detail, hint: hint ?? fallback, decision: this.id };
  }

  /** The request had been let go by then: that decision stands, and this is what came of it. */
  #failed(outcome: ErrorCode, detail: string): void {
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
    this.#decisions.record(
      decisionEvent(
        this.id,
        spec === undefined ? undefined : { identity: spec.identity, run: spec.id },
        this.facts,
        this.trace,
        { action, outcome, placement: action === 'injected' ? this.placement : undefined },
      ),
    );
  }
}
