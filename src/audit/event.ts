interface Common {
  readonly provider?: string;
  readonly connection?: string;
  readonly identity?: string;
  readonly run?: string;
  /** The principal that the event belongs to; without it, the first principal or the daemon itself. */
  readonly principal?: string;
  /** `ok`, or the error code of the failure. */
  readonly outcome: string;
}

/** Where something was asked for. Empty where nothing of it is known. */
export interface Origin {
  readonly run?: string;
  /** The process that asked, or that ran the command line which did: its number and its program's name. */
  readonly pid?: number;
  readonly program?: string;
}

/** A route that was considered for a request, and why it was or was not chosen. */
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

/** A service refused a request and said which scopes are missing. */
export interface ScopesMissingEvent extends Common {
  readonly event: 'scopes.missing';
  /** `dec_…`: the decision that let the request through. */
  readonly decision: string;
  readonly scopes: readonly string[];
  /** One sentence without secrets. */
  readonly detail: string;
  /** The command that fixes it, or why none can. */
  readonly hint: string;
}

/** A request was let through and failed afterwards: the proxy sent a response of its own, or cut the service's short. */
export interface AnswerFailedEvent extends Common {
  readonly event: 'answer.failed';
  /** `dec_…`: the decision that let the request through. */
  readonly decision: string;
  /** One sentence without secrets. */
  readonly detail: string;
}

/** What strangers caused within a second: other users, other sites, programs without a run. */
export interface StrangersEvent extends Common {
  readonly event: 'strangers.refused';
  readonly count: number;
  /** One sentence. */
  readonly detail: string;
}

/** What happened to a request that was let through, where the decision does not say it. */
export type Sequel = ScopesMissingEvent | AnswerFailedEvent;

export type AuditEvent =
  | (Common & {
      readonly event:
        | 'sign_in.started'
        | 'sign_in.completed'
        | 'sign_in.failed'
        | 'sign_in.state_mismatch'
        | 'sign_in.issuer_unconfirmed'
        | 'sign_in.other_browser'
        | 'token.refreshed'
        | 'token.refresh_failed'
        | 'connection.revoked'
        | 'connection.removed'
        | 'connection.replaced'
        | 'connection.default_changed'
        | 'connection.hosts_approved'
        | 'secret.revealed'
        | 'secret.exported'
        | 'secret.compared'
        | 'vault.passphrase_set'
        | 'vault.passphrase_removed'
        | 'provider.registered'
        | 'provider.removed'
        | 'rules.changed'
        | 'identity.admitted'
        | 'identity.refused'
        | 'call.refused'
        | 'run.started'
        | 'run.ended'
        | 'daemon.started'
        | 'daemon.stopped';
      /** One sentence without secrets. */
      readonly detail?: string;
      readonly pid?: number;
      readonly program?: string;
    })
  | StrangersEvent
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
  /** A principal's view: also what strangers caused. */
  readonly strangers?: boolean;
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
  /** The decision with that id, or the newest for `last`, of those that are wanted: all if nothing is said. */
  decision(
    id: string,
    isWanted?: (event: RecordedEvent) => boolean,
  ): Promise<(DecisionEvent & RecordedEvent) | undefined>;
  /** What happened to the request that a decision let through. */
  sequel(decision: Pick<RecordedEvent, 'id' | 'sequence'>): Promise<Sequel | undefined>;
  /** The sequence number of the first event that the chain does not prove; `undefined` when it proves all. */
  firstBrokenLink(): Promise<number | undefined>;
  /** How many events are queued. The proxy stops reading when this grows (backpressure). */
  readonly pending: number;
}
