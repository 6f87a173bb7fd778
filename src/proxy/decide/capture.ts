import { type CaptureRoute, readPath } from '../../providers/index.ts';
import {
  type DecisionInput,
  pathNamedBy,
  type Refusal,
  type RequestFacts,
  refuse,
  type Trace,
} from './decision.ts';

/** A program signs in by itself: what it would get is stored as a connection, and it gets phantoms. */
export interface CaptureDecision {
  readonly kind: 'capture';
  readonly route: CaptureRoute;
  readonly trace: Trace;
}

/**
 * The decision about a request to an endpoint whose sign-ins are taken over; `undefined` for every other request. A request
 * that a server may take for one to the endpoint is refused: its answer would give the program the real tokens.
 */
export function decideCapture(
  input: DecisionInput,
  facts: RequestFacts,
): CaptureDecision | Refusal | undefined {
  const { captures } = input.routes;
  if (captures === undefined) return undefined;
  const { host, port, path, pathOverride, methodOverride } = facts;
  const match = captures.match(host, port, path);
  if (match === undefined) {
    if (pathOverride === undefined || captures.match(host, port, pathNamedBy(pathOverride)) === undefined)
      return undefined;
    return refuse('TargetMismatch', 'a path-override header asks for an endpoint of a sign-in');
  }
  const { route } = match;
  if (match.kind === 'refused' || pathOverride !== undefined) {
    return refuse('TargetMismatch', `servers may take this path for ${route.endpoint.pattern.pathPrefix}`, {
      hint: 'Send the path as the service documents it.',
    });
  }
  if (route.kind === 'refused') {
    return refuse('OperationNotAllowed', `this would give the program a secret of ${route.provider}`, {
      hint: 'Sign in to the provider of such keys: authsome list --all',
    });
  }
  if (facts.method !== 'POST' || methodOverride !== undefined) {
    return refuse('OperationNotAllowed', 'an endpoint of a sign-in takes POST only');
  }
  const canonical = readPath(path)?.canonical ?? path;
  const { identity } = input;
  const { provider } = route;
  const decided = input.decide({ identity, provider, connection: '', method: 'POST', host, path: canonical });
  const { rule, reason } = decided;
  if (!decided.allowed) return refuse('PolicyDenied', reason, { trace: { rule, reason } });
  const what =
    route.kind === 'token'
      ? `a sign-in to ${provider}: authsome keeps the tokens, and the program gets phantoms`
      : `the end of a sign-in to ${provider}: the connection stays until a person ends it`;
  return { kind: 'capture', route, trace: { reason: what, considered: [], route: undefined, rule } };
}
