interface Common {
  readonly provider?: string;
  readonly connection?: string;
  readonly identity?: string;
  readonly run?: string;
  /** `ok`, or the error code of the failure. */
  readonly outcome: string;
}

/** A route that was weighed for a request, and why it was or was not taken. */
export interface Candidate {
  readonly route: string;
  readonly connection: string;
  readonly matched: boolean;
  readonly reason: string;
}

/** What the proxy decided about one request. No query, header value or body, ever. */
export interface DecisionEvent extends Common {
  readonly event: 'decision';
  /** `dec_…`: the id that `explain` takes; also the id of the recorded event. */
  readonly id: string;
  /** `injected`, `passed`, `tunnelled`, `refused`. `outcome` repeats it, or gives the refusal's error code. */
  readonly action: 'injected' | 'passed' | 'tunnelled' | 'refused';
  readonly reason: string;
  readonly request: {
    readonly method: string;
    readonly host: string;
    readonly port: number;
    readonly path: string;
  };
  readonly route?: string;
  readonly rule?: string;
  /** How it was placed, e.g. `header authorization`; never the value. */
  readonly placement?: string;
  readonly candidates: readonly Candidate[];
}

/** A service refused a request for want of scopes, as it says itself. */
export interface ScopesMissingEvent extends Common {
  readonly event: 'scopes.missing';
  /** `dec_…`: the decision that let the request go. */
  readonly decision: string;
  readonly scopes: readonly string[];
  /** One sentence without secrets. */
  readonly detail: string;
  /** The command that mends it, or why none would. */
  readonly hint: string;
}

/** A request was let go, and then its exchange failed: the proxy gave an answer of its own, or cut the service's off. */
export interface AnswerFailedEvent extends Common {
  readonly event: 'answer.failed';
  /** `dec_…`: the decision that let the request go. */
  readonly decision: string;
  /** One sentence without secrets. */
  readonly detail: string;
}

/** What became of a request that was let go, where there is more to tell. */
export type Sequel = ScopesMissingEvent | AnswerFailedEvent;

export type AuditEvent =
  | (Common & {
      readonly event:
        | 'sign_in.started'
        | 'sign_in.completed'
        | 'sign_in.failed'
        | 'sign_in.state_mismatch'
        | 'token.refreshed'
        | 'token.refresh_failed'
        | 'connection.revoked'
        | 'connection.removed'
        | 'connection.replaced'
        | 'connection.default_changed'
        | 'secret.revealed'
        | 'secret.exported'
        | 'secret.compared'
        | 'provider.registered'
        | 'provider.removed'
        | 'rules.changed'
        | 'identity.admitted'
        | 'identity.refused'
        | 'run.started'
        | 'run.ended'
        | 'daemon.started'
        | 'daemon.stopped';
      /** One sentence without secrets. */
      readonly detail?: string;
    })
  | Sequel
  | DecisionEvent;

/** An event as stored: `id` is `evt_…` (or the decision's own), `at` ISO 8601 UTC. */
export type RecordedEvent = AuditEvent & {
  readonly sequence: number;
  readonly id: string;
  readonly at: string;
};

export interface EventFilter {
  readonly limit: number;
  /** Only events with a greater sequence number. */
  readonly after?: number;
  /** Only events with a smaller one. */
  readonly before?: number;
}

export interface AuditTrail {
  /** Queues the event; it is on disk after the next `flush`. Never throws, never drops. */
  append(event: AuditEvent): void;
  flush(): Promise<void>;
  /**
   * The newest `limit` events (or the newest before `before`, or the first `limit` after `after`), oldest first. Includes
   * what is queued and what is archived.
   */
  recent(filter: EventFilter): Promise<readonly RecordedEvent[]>;
  /** The decision with that id, or the newest for `last`. */
  decision(id: string): Promise<(DecisionEvent & RecordedEvent) | undefined>;
  /** What became of the request that a decision let go. */
  sequel(decision: Pick<RecordedEvent, 'id' | 'sequence'>): Promise<Sequel | undefined>;
  /** The sequence number of the first event that is no longer proven by the chain; `undefined` when all is well. */
  firstBrokenLink(): Promise<number | undefined>;
  /** How many events are queued: the proxy pauses reading when this grows (backpressure). */
  readonly pending: number;
}
