import { signInLine } from '../../command-line.ts';
import { AuthsomeError, asAuthsomeError } from '../../errors.ts';
import { placementName, placementsFor, type Route } from '../../providers/index.ts';
import { type CaptureUse, captureUse } from '../capture/index.ts';
import { type ContentPlace, contentPlacesOf } from '../content/index.ts';
import type { Credential, DecisionSink, UpstreamRefusal } from '../contract.ts';
import { decide, decideCapture, phantomMisplaced, type Refusal, refuse } from '../decide/index.ts';
import { type Fill, type Injection, isAt, isUsable } from '../inject/index.ts';
import type { Needles } from '../needles/index.ts';
import type { PlacedPhantom } from '../phantoms/index.ts';
import type { CompiledRoute, LiveRun } from '../runs/index.ts';
import { decisionInputOf } from './decision-input.ts';
import type { RequestRecord } from './request-record.ts';
import { sitesIn } from './sites.ts';

/** The credential that a request may carry, and how to get a newer one when the upstream rejects it. */
export interface CredentialUse {
  readonly route: Route;
  /** `provider/connection`. */
  readonly connection: string;
  readonly injection: Injection;
  /** Where in WebSocket messages a phantom may be, and what puts the secret there: that of the newest credential. */
  messages(): MessagePlaces;
  /** The secrets that the response must not contain. */
  needles(): Needles;
  /** Advice about an upstream's 401 or 403, fit for a header field of the response; `undefined` when there is none. */
  advise(status: number, field: UpstreamRefusal['field']): string | undefined;
  /**
   * What `write` makes of the injection of a newer credential, or `undefined` when there is none that fits. From then on
   * `needles` are those of the newer credential: the request must be sent again. Rejects with what `write` throws.
   */
  renew<Written>(write: (injection: Injection) => Written): Promise<Written | undefined>;
}

export interface MessagePlaces {
  readonly places: readonly ContentPlace[];
  readonly fill: Fill;
}

/** A request to an https origin that waits for its authorization. One of its methods is called, once, now or later. */
export interface PendingRequest {
  readonly record: RequestRecord;
  /** The client has left, or a response has begun: no method may be called any more. */
  readonly settled: boolean;
  /** WebSocket messages may follow. */
  readonly sendsMessages: boolean;
  inject(use: CredentialUse): void;
  pass(allowPrivateAddress: boolean): void;
  /** A program signs in by itself: its request is read to its end and answered here. */
  capture(use: CaptureUse): void;
  refuse(refusal: Refusal): void;
  fail(error: AuthsomeError): void;
}

interface Acquired {
  readonly connection: string;
  readonly credential: Credential;
}

/**
 * Authorizes a request by the current routes and policy. On a warm route it is done before it returns: no promise, no
 * query, no decryption.
 */
export function authorize(pending: PendingRequest, run: LiveRun, decisions: DecisionSink): void {
  if (!decisions.congested) {
    authorizeNow(pending, run, undefined);
    return;
  }
  // A request that cannot be recorded must not be sent.
  decisions.drained().then(
    () => authorizeNow(pending, run, undefined),
    (error: unknown) => pending.fail(asAuthsomeError(error)),
  );
}

/**
 * Decides again on the requests in progress, by the current routes and policy. A request that would no longer get the
 * credential that it carries is cut, however long ago it began. The others do not notice.
 */
export function reauthorize(run: LiveRun): void {
  for (const { live, connection, facts } of run.carrying()) {
    const decision = decide(decisionInputOf(run), facts);
    // The phantom was in its place when the request was sent: the place has gone.
    if (decision.kind === 'refuse' && decision.code !== 'PhantomMisplaced')
      live.cut(new AuthsomeError(decision.code, decision.detail));
    else if (decision.kind !== 'inject' || run.compiled(decision.route).connection !== connection)
      live.cut(rerouted);
  }
}

const rerouted = new AuthsomeError('OperationNotAllowed', 'its route has been removed');

/** `acquired` was fetched for this request. The decision is made again after that wait, since rules may have changed. */
function authorizeNow(pending: PendingRequest, run: LiveRun, acquired: Acquired | undefined): void {
  if (pending.settled) return;
  const { record } = pending;
  if (run.ended) {
    pending.refuse(refuse('RunEnded', 'this run has ended'));
    return;
  }
  const { spec } = run;
  const input = decisionInputOf(run);
  const decision = decideCapture(input, record.facts) ?? decide(input, record.facts);
  record.trace = decision.trace;
  if (decision.kind === 'refuse') {
    pending.refuse(decision);
    return;
  }
  if (decision.kind === 'pass') {
    pending.pass(decision.allowPrivateAddress);
    return;
  }
  if (decision.kind === 'capture') {
    const { capture } = spec;
    if (capture === undefined) throw new TypeError('a run with captured endpoints that nobody answers');
    pending.capture(captureUse(record, decision.route, capture));
    return;
  }
  const compiled = run.compiled(decision.route);
  const { connection, places } = compiled;
  if (record.facts.phantoms === undefined && !places.some(isUsable)) {
    passWithout(pending, decision.route);
    return;
  }
  const credential =
    spec.credentials.peek(connection) ??
    (acquired?.connection === connection ? acquired.credential : undefined);
  if (credential !== undefined) {
    injectCredential(pending, run, compiled, credential);
    return;
  }
  spec.credentials.acquire(connection).then(
    (fresh) => authorizeNow(pending, run, { connection, credential: fresh }),
    (error: unknown) => {
      if (!pending.settled) pending.fail(asAuthsomeError(error));
    },
  );
}

/** Where the route has a credential only in place of a phantom, and there is none: for a session token of the agent's. */
function passWithout(pending: PendingRequest, route: Route): void {
  const { record } = pending;
  const why = 'no phantom is where the route places its credential, so nothing was added';
  const { reason } = record.trace;
  record.trace = { ...record.trace, reason: reason === '' ? why : `${reason}; ${why}` };
  pending.pass(route.allowPrivateAddress);
}

function injectCredential(
  pending: PendingRequest,
  run: LiveRun,
  { route, connection }: CompiledRoute,
  credential: Credential,
): void {
  const { record } = pending;
  const sites = sitesIn(record.facts);
  const injection = run.injectionFor(route, credential)?.at(sites);
  if (injection === undefined) {
    pending.refuse(
      refuse(
        'CredentialMissing',
        `the credential of ${connection} cannot be written where the route ${route.id} places it`,
        {
          hint: `Sign in again with: ${signInLine({ provider: route.provider, connection: route.connection, baseUrl: route.baseUrl, force: true })}`,
          trace: record.trace,
        },
      ),
    );
    return;
  }
  const left = phantomLeftBy(injection, record);
  if (left !== undefined) {
    pending.refuse(phantomMisplaced(left, { kind: 'other-place', route }, record.trace.considered));
    return;
  }
  const placement = placementOf(injection, pending);
  if (placement === undefined) {
    passWithout(pending, route);
    return;
  }
  record.placement = placement;
  let current = credential;
  let wasRenewed = false;
  pending.inject({
    route,
    connection,
    injection,
    messages: () => messagePlaces(run, route, run.spec.credentials.peek(connection) ?? current),
    needles: () => run.needlesFor(route, current),
    advise: (status, field) => {
      // This 401 stands, since its request was not kept. Renew the credential for the next request.
      if (status === 401 && !wasRenewed) void renewed(run, connection, credential);
      const advice = run.spec.advise?.({ decision: record.id, connection, status, field });
      return advice !== undefined && fitsField.test(advice) ? advice : undefined;
    },
    renew: async (write) => {
      wasRenewed = true;
      const newer = await renewed(run, connection, credential);
      const injection = newer === undefined ? undefined : run.injectionFor(route, newer)?.at(sites);
      if (newer === undefined || injection === undefined) return undefined;
      if (phantomLeftBy(injection, record) !== undefined) return undefined;
      const written = write(injection);
      // Only now: where the newer one cannot be written, the response to the older one stands, and may contain that.
      current = newer;
      return written;
    },
  });
}

/** How the credential is placed, for the audit; `undefined` where it is nowhere. */
function placementOf(
  { isBlank, content, placement }: Injection,
  { sendsMessages, record }: PendingRequest,
): string | undefined {
  const isInBody = record.facts.phantoms?.some(({ place }) => place.kind === 'body') === true;
  if (!isBlank || isInBody) return placement;
  const inMessages = sendsMessages ? content.filter(({ kind }) => kind === 'websocket') : [];
  return inMessages.length === 0 ? undefined : inMessages.map(placementName).join(', ');
}

function messagePlaces(run: LiveRun, route: Route, credential: Credential): MessagePlaces {
  const injection = run.injectionFor(route, credential);
  const placements = injection === undefined ? [] : placementsFor(route, credential.secret).flat();
  return {
    places: contentPlacesOf('websocket', placements),
    fill: (bytes, values) => (injection === undefined ? bytes : injection.fill(bytes, values)),
  };
}

/** The phantom that would go out, since this credential is of a shape that goes elsewhere on its route. */
function phantomLeftBy(
  { names, parameters, replacesPath, content }: Injection,
  { facts }: RequestRecord,
): PlacedPhantom | undefined {
  return facts.phantoms?.find(({ place }) => {
    if (place.kind === 'header') return !names.includes(place.name);
    if (place.kind === 'path') return !replacesPath;
    if (place.kind === 'body') return place.at === undefined || !isAt(content, place.at);
    return place.kind !== 'query' || place.name === undefined || !parameters.includes(place.name);
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
