import type { Candidate, DecisionEvent } from '../../audit/index.ts';
import type { Route } from '../../providers/index.ts';
import type { RequestFacts, Trace } from './decision.ts';

export interface RecordedDecision {
  readonly id: string;
  readonly requester: Requester | undefined;
  readonly facts: RequestFacts;
  readonly trace: Trace;
  readonly action: DecisionEvent['action'];
  /** The refusal's error code; the action itself otherwise. */
  readonly outcome: string;
  /** Where the credential is placed, if there is one. */
  readonly placement: string | undefined;
}

export interface Requester {
  readonly identity: string;
  readonly run: string;
}

/** The audit event of one decision. It is built from safe fields only, so nothing has to be removed from it. */
export function decisionEvent(decision: RecordedDecision): DecisionEvent {
  const { id, requester, facts, trace, placement } = decision;
  const { route, rule } = trace;
  // Field by field, since spreading optional fields costs more than everything else here.
  const event: Mutable<DecisionEvent> = {
    event: 'decision',
    id,
    action: decision.action,
    outcome: decision.outcome,
    reason: trace.reason,
    request: {
      method: shownMethod(facts),
      host: facts.host,
      port: facts.port,
      path: facts.path,
    },
    candidates: candidatesOf(trace),
  };
  if (requester !== undefined) {
    event.identity = requester.identity;
    event.run = requester.run;
  }
  if (route !== undefined) {
    event.route = route.id;
    event.provider = route.provider;
    event.connection = route.connection;
  } else if (trace.phantom !== undefined) {
    const slash = trace.phantom.indexOf('/');
    event.provider = trace.phantom.slice(0, slash);
    event.connection = trace.phantom.slice(slash + 1);
  }
  if (rule !== undefined) event.rule = rule;
  if (placement !== undefined) event.placement = placement;
  return event;
}

/** A phantom that is short enough could be a method. */
function shownMethod({ method, phantoms }: RequestFacts): string {
  return phantoms?.some(({ place }) => place.kind === 'method') === true ? '' : method;
}

type Mutable<Type> = { -readonly [Key in keyof Type]: Type[Key] };

const none: readonly Candidate[] = [];
const known = new WeakMap<
  readonly Route[],
  {
    readonly route: Route | undefined;
    readonly competing: readonly Route[] | undefined;
    readonly phantom: string | undefined;
    readonly list: readonly Candidate[];
  }
>();

/** A route table returns the same list of routes for many requests, so each list's candidates are made once. */
function candidatesOf(trace: Trace): readonly Candidate[] {
  const { considered, route: taken, competingRoutes: competing, phantom } = trace;
  if (considered.length === 0) return none;
  const before = known.get(considered);
  if (
    before !== undefined &&
    before.route === taken &&
    before.competing === competing &&
    before.phantom === phantom
  )
    return before.list;
  const list = considered.map((route) => ({
    route: route.id,
    connection: route.connection,
    matched: route === taken,
    reason:
      competing?.includes(route) === true
        ? 'another route matches this request, too'
        : reasonFor(route, taken, phantom),
  }));
  known.set(considered, { route: taken, competing, phantom, list });
  return list;
}

function reasonFor(route: Route, taken: Route | undefined, phantom: string | undefined): string {
  if (!route.isApproved) return 'the connection is not approved for this host';
  if (route === taken) {
    return phantom === undefined
      ? 'the most specific route for this host and path'
      : `the request has the phantom of ${phantom}`;
  }
  return taken === undefined
    ? 'does not cover this path'
    : 'another route is more specific, or it does not cover this path';
}

const idBytes = 12;
const batch = 256;

/** Makes `dec_…` ids of 96 random bits, drawn in batches. */
export function createDecisionIds(randomBytes: (size: number) => Uint8Array): () => string {
  let pool = Buffer.alloc(0);
  let position = 0;
  return () => {
    if (position >= pool.length) {
      pool = Buffer.from(randomBytes(idBytes * batch));
      position = 0;
    }
    const id = `dec_${pool.toString('hex', position, position + idBytes)}`;
    position += idBytes;
    return id;
  };
}
