import { approveHostsLine, shellWord } from '../../command-line.ts';
import type { ErrorCode } from '../../errors.ts';
import type { PolicyDecision, PolicyRequest } from '../../policy/index.ts';
import { type ConnectionRoutes, type Route, type RouteTable, readPath } from '../../providers/index.ts';
import { type Authority, parseAuthority, parseTarget, type RequestHead } from '../http1/index.ts';
import type { PlacedPhantom } from '../phantoms/index.ts';

/** What the record says about a request. `path` has no query, and `{secret}` for phantoms. */
export interface RequestFacts {
  readonly method: string;
  readonly host: string;
  readonly port: number;
  readonly path: string;
  /** The methods that method-override headers ask for, as a list. */
  readonly methodOverride?: string | undefined;
  /** The path that a path-override header asks for. */
  readonly pathOverride?: string | undefined;
  /** The run's phantoms in the head, where there are any. */
  readonly phantoms?: readonly PlacedPhantom[] | undefined;
  /** The path as it was sent, where there are phantoms. */
  readonly sentPath?: string | undefined;
}

/** How a decision was reached: what `explain` shows. */
export interface Trace {
  readonly reason: string;
  readonly considered: readonly Route[];
  readonly route: Route | undefined;
  readonly rule: string | undefined;
  /** For an ambiguous request: the routes that match it. */
  readonly competingRoutes?: readonly Route[];
  /** The `provider/connection` of the phantom that decided it, if one did. */
  readonly phantom?: string | undefined;
}

export interface Refusal {
  readonly kind: 'refuse';
  readonly code: ErrorCode;
  readonly detail: string;
  readonly hint: string | undefined;
  readonly trace: Trace;
}

export type Decision =
  | { readonly kind: 'inject'; readonly route: Route; readonly trace: Trace }
  | { readonly kind: 'pass'; readonly allowPrivateAddress: boolean; readonly trace: Trace }
  | Refusal;

export interface DecisionInput {
  readonly identity: string;
  readonly routes: RouteTable;
  readonly decide: (request: PolicyRequest) => PolicyDecision;
}

const nothing: readonly Route[] = [];

export function refuse(
  code: ErrorCode,
  detail: string,
  more: { readonly hint?: string; readonly trace?: Partial<Trace> } = {},
): Refusal {
  const trace = { reason: detail, considered: nothing, route: undefined, rule: undefined, ...more.trace };
  return { kind: 'refuse', code, detail, hint: more.hint, trace };
}

/** The path and query of a request whose target is the tunnel's authority. */
export interface OwnTarget {
  readonly path: string;
  readonly query: string;
}

/**
 * The path and query of a request in a tunnel to `authority`, or the refusal. CONNECT, `Host` and an absolute-form target
 * must all name the same host and port, over https.
 */
export function targetWithin(
  head: RequestHead,
  authority: Authority,
  hostHeader: string,
): OwnTarget | Refusal {
  if (head.host !== undefined && head.host !== hostHeader) {
    const named = parseAuthority(head.host, 443);
    if (named === undefined) return refuse('MalformedRequest', 'the Host field is not a host and a port');
    if (!isSame(named, authority))
      return refuse('TargetMismatch', 'Host names a different host than the tunnel was opened for');
  }
  const target = parseTarget(head.method, head.target);
  if (target === undefined)
    return refuse('MalformedRequest', 'the request target has none of the forms of RFC 9112 §3.2');
  switch (target.form) {
    case 'origin':
      return target;
    case 'asterisk':
      return { path: '*', query: '' };
    case 'authority':
      return refuse('MalformedRequest', 'CONNECT cannot be used inside a tunnel');
    case 'absolute':
      if (target.scheme !== 'https') {
        return refuse('PlainHttpRefused', 'an http:// target was requested inside an https tunnel');
      }
      return isSame(target.authority, authority)
        ? target
        : refuse(
            'TargetMismatch',
            'the request target names a different host than the tunnel was opened for',
          );
  }
}

function isSame(a: Authority, b: Authority): boolean {
  return a.host === b.host && a.port === b.port;
}

/** Which routes a request is matched against: those of the run, or those of the connection that its phantom names. */
export interface Matching {
  readonly routes: ConnectionRoutes;
  /** The `provider/connection` that a phantom names. */
  readonly phantom?: string | undefined;
}

/** The decision by these routes. The path is read as it will be sent. */
export function decideOn(input: DecisionInput, facts: RequestFacts, matching: Matching): Decision {
  const { host, port, path } = facts;
  if (path === '*') return pass(nothing, host, port, 'OPTIONS * concerns the server, not a path of a route');
  const match = matching.routes.match(host, port, path);
  const { considered } = match;
  switch (match.kind) {
    case 'none':
      return pass(considered, host, port, 'no route covers this path');
    case 'ambiguous': {
      const claims = match.routes.map((route) => `${route.provider}/${route.connection}`).join(', ');
      return refuse('RouteAmbiguous', `more than one connection matches this request: ${claims}`, {
        hint: chooseOne(match.routes),
        trace: { considered, competingRoutes: match.routes },
      });
    }
    case 'unapproved':
      return notApproved(host, match);
    case 'refused':
      return match.reason === 'malformed'
        ? refuse('MalformedRequest', 'the path is malformed', { trace: { considered } })
        : refuse(
            'TargetMismatch',
            'servers may read this path in different ways, and it may lead elsewhere',
            {
              hint: 'Send the path without dot segments, broken escapes, and encoded separators or control characters.',
              trace: { considered },
            },
          );
    case 'route':
      break;
  }
  const matched = { considered, route: match.route, phantom: matching.phantom };
  const decision = decideOnRoute(input, facts, matched);
  if (facts.pathOverride === undefined || decision.kind === 'refuse') return decision;
  return (
    refusalByOtherPath(input, facts, facts.pathOverride, { ...matched, routes: matching.routes }) ?? decision
  );
}

/** The refusal of a request to a host that a definition gained after the sign-in. */
export function notApproved(
  host: string,
  { routes, considered }: { readonly routes: readonly Route[]; readonly considered: readonly Route[] },
): Refusal {
  const claims = routes.map(({ provider, connection }) => `${provider}/${connection}`).join(', ');
  const lines = [...new Set(routes.map(approveHostsLine))];
  return refuse(
    'HostNotApproved',
    `${claims} may not be used at ${host}: the definition gained this host after the sign-in`,
    { hint: `A person can allow it with: ${lines.join(' or ')}`, trace: { considered } },
  );
}

interface Matched {
  readonly considered: readonly Route[];
  readonly route: Route;
  readonly phantom: string | undefined;
}

/** By policy, for each method that a server may read in the request. */
function decideOnRoute(input: DecisionInput, facts: RequestFacts, matched: Matched): Decision {
  const { considered, route, phantom } = matched;
  let first: PolicyDecision | undefined;
  for (const readAs of methodsOf(facts)) {
    if (readAs === 'TRACE') {
      return refuse('OperationNotAllowed', 'TRACE would send the credential back to the agent', {
        trace: { considered, route, phantom },
      });
    }
    const decided = policyDecisionOn(input, facts, readAs, route);
    const { rule, reason } = decided;
    if (!decided.allowed) {
      const asked = first === undefined ? '' : ' A method-override header asks for that method.';
      return refuse('PolicyDenied', `${reason}${asked}`, {
        trace: { considered, route, rule, reason, phantom },
      });
    }
    first ??= decided;
  }
  return {
    kind: 'inject',
    route,
    trace: { considered, route, rule: first?.rule, reason: first?.reason ?? '', phantom },
  };
}

/**
 * The refusal of a request whose header asks for a different path, which some servers take instead of the request's own.
 * That path must belong to the same route, and policy must allow it too.
 */
function refusalByOtherPath(
  input: DecisionInput,
  facts: RequestFacts,
  pathOverride: string,
  matched: Matched & Pick<Matching, 'routes'>,
): Refusal | undefined {
  const { considered, route, phantom } = matched;
  const trace = { considered, route, phantom };
  const path = pathNamedBy(pathOverride);
  const other = matched.routes.match(facts.host, facts.port, path);
  if (other.kind === 'refused' && other.reason === 'malformed') {
    return refuse('MalformedRequest', 'a path-override header does not contain one path', { trace });
  }
  if (other.kind !== 'route' || other.route !== route) {
    return refuse('TargetMismatch', 'a path-override header asks for a path outside this route', {
      hint: 'Send the request without X-Original-URL and X-Rewrite-URL.',
      trace,
    });
  }
  const decision = decideOnRoute(input, { ...facts, path }, matched);
  if (decision.kind !== 'refuse') return undefined;
  return refuse(decision.code, `${decision.detail} A path-override header asks for that path.`, {
    trace: decision.trace,
  });
}

/** Servers take a URL there, a path, or a path without its first slash. */
export function pathNamedBy(value: string): string {
  const path = value.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i, '');
  const [bare = ''] = path.split(/[?#]/, 1);
  return bare.startsWith('/') ? bare : `/${bare}`;
}

/**
 * The methods that a server may read in a request. Some servers ignore the case of a method, and some obey a
 * method-override header.
 */
function methodsOf({ method, methodOverride }: RequestFacts): readonly string[] {
  const own = method.toUpperCase();
  if (methodOverride === undefined) return [own];
  return [own, ...methodOverride.split(',').map((other) => other.trim().toUpperCase())];
}

/** A run has one connection for each provider, so naming one provider excludes the competing routes. */
function chooseOne(routes: readonly Route[]): string {
  const [first = '', ...others] = routes.map(({ provider, connection }) =>
    shellWord(connection === 'default' ? provider : `${provider}/${connection}`),
  );
  const instead = others.map((other) => `--provider ${other}`).join(' or ');
  return (
    'Start the run with one of them, and with each other provider that it needs: ' +
    `authsome run --provider ${first} -- <command> (or ${instead})`
  );
}

/** A path that servers may read in two ways must be allowed in both. */
function policyDecisionOn(
  input: DecisionInput,
  { host, path }: RequestFacts,
  method: string,
  route: Route,
): PolicyDecision {
  const { identity } = input;
  const { provider, connection } = route;
  const read = readPath(path);
  const canonical = read?.canonical ?? path;
  const decided = input.decide({ identity, provider, connection, method, host, path: canonical });
  if (!decided.allowed || read === undefined || read.resolved === canonical) return decided;
  return input.decide({ identity, provider, connection, method, host, path: read.resolved });
}

function pass(considered: readonly Route[], host: string, port: number, reason: string): Decision {
  const allowPrivateAddress = considered.some(
    (route) =>
      route.allowPrivateAddress &&
      route.pattern.kind === 'exact' &&
      route.pattern.host === host &&
      route.pattern.port === port,
  );
  return {
    kind: 'pass',
    allowPrivateAddress,
    trace: { reason, considered, route: undefined, rule: undefined },
  };
}
