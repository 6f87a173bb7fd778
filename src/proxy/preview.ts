import type { DecisionEvent } from '../audit/index.ts';
import { AuthsomeError } from '../errors.ts';
import { canonicalHost, type Route } from '../providers/index.ts';
import type { Proxy as ProxyServer } from './contract.ts';
import {
  type Decision,
  type DecisionInput,
  decide,
  decisionEvent,
  plainToRoute,
  type RequestFacts,
  refuse,
  type Trace,
  unrouted,
} from './decide/index.ts';
import { parseTarget, type Target } from './http1/index.ts';
import { compileInjection } from './inject/index.ts';
import { forbidden } from './upstream/index.ts';

export interface PreviewedRequest {
  readonly method: string;
  /** As a person writes it: `http`, `https`, `ws` or `wss`. The path is taken as it stands, dot segments included. */
  readonly url: string;
}

export interface PreviewOptions extends DecisionInput {
  readonly isOwn: ProxyServer['isOwn'];
}

/** What the proxy would decide about a request, without an id: nobody has made it. */
export type DecisionPreview = Omit<DecisionEvent, 'event' | 'id'> & { readonly hint: string | undefined };

/**
 * What the proxy would do with a request of a run, told from its routes and rules alone: no name is looked up, no credential
 * is acquired, and nothing is recorded. Throws `Usage` for a URL or a method that no client sends.
 */
export function previewDecision(options: PreviewOptions, request: PreviewedRequest): DecisionPreview {
  const { method } = request;
  if (!/^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,64}$/.test(method) || method.toUpperCase() === 'CONNECT') {
    throw new AuthsomeError('Usage', `not a method of a request: ${method}`, {
      hint: 'For example: authsome explain --url https://api.github.com/user --method POST',
    });
  }
  const { scheme, authority, path } = targetOf(request.url);
  const facts: RequestFacts = { method, ...authority, path };
  if (options.isOwn(authority)) {
    const { code, message } = forbidden(authority);
    return told(facts, refuse(code, message));
  }
  if (scheme === 'http') {
    const refusal = plainToRoute(options.routes, authority.host);
    return refusal === undefined ? passed(facts, 'passed', unrouted.plain) : told(facts, refusal);
  }
  if (!options.routes.hasHost(authority.host, authority.port))
    return passed(facts, 'tunnelled', unrouted.https);
  return told(facts, decide(options, facts));
}

/**
 * Where a route puts a credential, in the words of the audit: `header authorization`. Where that depends on the shape of the
 * key, each of the places, since the key is not read.
 */
export function placementText({ placements, shapes = [] }: Pick<Route, 'placements' | 'shapes'>): string {
  const places = [...shapes.map((shape) => shape.placements), placements].map(
    (each) => compileInjection(each, standIn)?.placement ?? 'not placed',
  );
  return [...new Set(places)].join(' or ');
}

/** For the credential, whose value does not show in the text. */
const standIn = 'x';

type AbsoluteTarget = Extract<Target, { readonly form: 'absolute' }>;

function targetOf(url: string): AbsoluteTarget {
  // The host is read apart, since it may be an international name, which goes out in punycode.
  const parts = /^(http|https|ws|wss):\/\/([^/?#\\@]+)([^#]*)/i.exec(url);
  const [, scheme = '', authority = '', rest = ''] = parts ?? [];
  const bare = `http://${authority}/`;
  const isOne = /^[^\s\p{Cc}]+$/u.test(url) && /^[\x21-\x7e]*$/.test(rest);
  if (parts === null || !isOne || !URL.canParse(bare)) throw notUrl();
  const { port } = new URL(bare);
  const secure = /^(?:https|wss)$/i.test(scheme);
  const named = canonicalHost(new URL(bare).hostname);
  // `URL` leaves out port 80, which is the usual one of http alone.
  const isPort80 = port === '' && /:0*80$/.test(authority);
  const target = parseTarget(
    'GET',
    `${secure ? 'https' : 'http'}://${named}${isPort80 ? ':80' : port === '' ? '' : `:${port}`}${rest}`,
  );
  if (named === undefined || target?.form !== 'absolute') throw notUrl();
  return target;
}

/** Without the URL, which may contain a password. */
function notUrl(): AuthsomeError {
  return new AuthsomeError('Usage', 'this is not the URL of a request that a client can send', {
    hint: 'Write it in full, without a user name, and with escapes where a URL needs them: https://api.github.com/user',
  });
}

function passed(facts: RequestFacts, action: 'passed' | 'tunnelled', reason: string): DecisionPreview {
  return preview(facts, { reason, considered: [], route: undefined, rule: undefined }, { action });
}

function told(facts: RequestFacts, decision: Decision): DecisionPreview {
  switch (decision.kind) {
    case 'refuse':
      return preview(facts, decision.trace, {
        action: 'refused',
        outcome: decision.code,
        hint: decision.hint,
      });
    case 'pass':
      return preview(facts, decision.trace, { action: 'passed' });
    case 'inject':
      return preview(facts, decision.trace, {
        action: 'injected',
        placement: placementText(decision.route),
      });
  }
}

function preview(
  facts: RequestFacts,
  trace: Trace,
  end: {
    readonly action: DecisionEvent['action'];
    readonly outcome?: string;
    readonly placement?: string;
    readonly hint?: string | undefined;
  },
): DecisionPreview {
  const { action, outcome = action, placement, hint } = end;
  const recorded = { id: '', requester: undefined, facts, trace, action, outcome, placement };
  const { event: _event, id: _id, ...rest } = decisionEvent(recorded);
  return { ...rest, hint };
}
