import { signInLine } from '../../command-line.ts';
import { AuthsomeError, asAuthsomeError } from '../../errors.ts';
import type { Route } from '../../providers/index.ts';
import type { Credential, DecisionSink, UpstreamRefusal } from '../contract.ts';
import { judgeRequest, type Law, type Refusal, refuse } from '../decide/index.ts';
import type { Injection } from '../inject/index.ts';
import type { LiveRun } from '../runs/index.ts';
import type { Needles } from '../scrub/index.ts';
import type { Docket } from './request-record.ts';

/** What a request is allowed to carry, and how to get something newer when the upstream rejects it. */
export interface Grant {
  readonly route: Route;
  /** `provider/connection`. */
  readonly connection: string;
  readonly injection: Injection;
  /** What must not come back in the answer. */
  needles(): Needles;
  /** What to say of an upstream's 401 or 403, fit for a field of the answer; `undefined` when nothing is known. */
  advise(status: number, field: UpstreamRefusal['field']): string | undefined;
  /** The injection of a newer credential, or `undefined` when there is none. Never rejects. */
  renew(): Promise<Injection | undefined>;
}

/** A request that asks to go to an https origin. Exactly one of the answers is called, once, now or later. */
export interface Petition {
  readonly docket: Docket;
  /** Nobody waits for the answer any more. */
  readonly gone: boolean;
  inject(grant: Grant): void;
  pass(allowPrivateAddress: boolean): void;
  refuse(refusal: Refusal): void;
  fail(error: AuthsomeError): void;
}

interface Acquired {
  readonly connection: string;
  readonly credential: Credential;
}

/**
 * Hears a petition against the routes and the policy of this moment. On a warm route it answers before it returns: no
 * promise, no query, no decryption.
 */
export function hear(petition: Petition, run: LiveRun, decisions: DecisionSink): void {
  if (!decisions.congested) {
    judge(petition, run, undefined);
    return;
  }
  // Nothing is done that cannot be put on record.
  decisions.drained().then(
    () => judge(petition, run, undefined),
    (error: unknown) => petition.fail(asAuthsomeError(error)),
  );
}

/**
 * Judges again what is under way, by the routes and the policy of this moment: a request that would not be given the
 * credential which it carries is cut, however long ago it began. The others do not notice.
 */
export function hearAgain(run: LiveRun): void {
  for (const { live, connection, subject } of run.carrying()) {
    const judgement = judgeRequest(lawOf(run), subject);
    if (judgement.kind === 'refuse') live.cut(new AuthsomeError(judgement.code, judgement.detail));
    else if (judgement.kind === 'pass' || run.use(judgement.route).connection !== connection)
      live.cut(rerouted);
  }
}

const rerouted = new AuthsomeError('OperationNotAllowed', 'its route was taken away meanwhile');

function lawOf({ spec, routes }: LiveRun): Law {
  return { identity: spec.identity, routes, decide: spec.decide };
}

/** `acquired` was fetched for this request; the judgement is made again after the wait for it. */
function judge(petition: Petition, run: LiveRun, acquired: Acquired | undefined): void {
  if (petition.gone) return;
  const { docket } = petition;
  if (run.ended) {
    petition.refuse(refuse('RunEnded', 'this run has ended'));
    return;
  }
  const { spec } = run;
  const judgement = judgeRequest(lawOf(run), docket.subject);
  docket.trace = judgement.trace;
  if (judgement.kind === 'refuse') {
    petition.refuse(judgement);
    return;
  }
  if (judgement.kind === 'pass') {
    petition.pass(judgement.allowPrivateAddress);
    return;
  }
  const { route } = judgement;
  const { connection } = run.use(route);
  const credential =
    spec.credentials.peek(connection) ??
    (acquired?.connection === connection ? acquired.credential : undefined);
  if (credential !== undefined) {
    grant(petition, run, route, connection, credential);
    return;
  }
  spec.credentials.acquire(connection).then(
    (fresh) => judge(petition, run, { connection, credential: fresh }),
    (error: unknown) => {
      if (!petition.gone) petition.fail(asAuthsomeError(error));
    },
  );
}

function grant(
  petition: Petition,
  run: LiveRun,
  route: Route,
  connection: string,
  credential: Credential,
): void {
  const { docket } = petition;
  const injection = run.injectionFor(route, credential);
  if (injection === undefined) {
    petition.refuse(
      refuse(
        'CredentialMissing',
        `the credential of ${connection} cannot be written where ${route.id} says it goes`,
        {
          hint: `Run: ${signInLine({ provider: route.provider, connection: route.connection, baseUrl: route.baseUrl, force: true })}`,
          trace: docket.trace,
        },
      ),
    );
    return;
  }
  docket.placement = injection.placement;
  let current = credential;
  let wasRenewed = false;
  petition.inject({
    route,
    connection,
    injection,
    needles: () => run.needlesFor(route, current),
    advise: (status, field) => {
      // This answer stands, its request being no longer at hand to be sent again. The next one should fare better.
      if (status === 401 && !wasRenewed) void renewed(run, connection, credential);
      const advice = run.spec.advise?.({ decision: docket.id, connection, status, field });
      return advice !== undefined && fitsField.test(advice) ? advice : undefined;
    },
    renew: async () => {
      wasRenewed = true;
      const newer = await renewed(run, connection, credential);
      if (newer === undefined) return undefined;
      current = newer;
      return run.injectionFor(route, newer);
    },
  });
}

const fitsField = /^[\x20-\x7e]{1,2000}$/;

async function renewed(
  run: LiveRun,
  connection: string,
  rejected: Credential,
): Promise<Credential | undefined> {
  try {
    const credential = await run.spec.credentials.renew(connection, rejected);
    return run.ended ? undefined : credential;
  } catch {
    // The upstream's own 401 says more than a failed renewal.
    return undefined;
  }
}
