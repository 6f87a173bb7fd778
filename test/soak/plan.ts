import { isBodyless } from './answer.ts';
import type { Fate, Plan } from './ledger.ts';
import type { Chance } from './payload.ts';

export const soakHosts = {
  /** Its key is replaced now and then. */
  rotated: 'rotated.soak.test',
  /** As the one above, and its upstream closes idle connections in silence. */
  flaky: 'flaky.soak.test',
  /** Revoked and signed in to again. */
  revoked: 'revoked.soak.test',
  /** OAuth: its tokens become stale, and are refreshed. */
  refreshed: 'api.acme.test',
  /** No route leads there. */
  stranger: 'stranger.soak.test',
  /** Over plain HTTP, where nothing is injected. */
  plain: 'plain.soak.test',
} as const;

export const secureHosts = [
  soakHosts.rotated,
  soakHosts.rotated,
  soakHosts.flaky,
  soakHosts.revoked,
  soakHosts.refreshed,
  soakHosts.refreshed,
  soakHosts.stranger,
] as const;

const gentle: readonly Fate[] = [
  'answer',
  'answer',
  'answer',
  'hint first',
  'stall',
  'dribble',
  'answer early',
];
const harmful: readonly Fate[] = [
  'reset at the head',
  'reset before the answer',
  'reset in the head',
  'reset in the body',
  'end in the body',
];
const largest = 3_000_000;

/** What an HTTP/1.1 client asks for next. */
export function planHttp1(chance: Chance, host: string, nonce: string, isPipelined = false): Plan {
  const kind = isPipelined
    ? 'message'
    : chance.pick(['message', 'message', 'message', 'message', 'events', 'upgrade'] as const);
  const fate = fateFor(chance, host, kind, 'close in silence');
  const reads = isPipelined || kind !== 'message' || chance.happens(0.5);
  const method = reads
    ? kind === 'message'
      ? chance.pick(['GET', 'GET', 'GET', 'HEAD'])
      : 'GET'
    : chance.pick(['POST', 'PUT', 'PATCH']);
  const status = kind === 'message' ? chance.pick([200, 200, 200, 200, 201, 204, 304, 404]) : 200;
  const requestFraming = reads ? 'none' : chance.pick(['length', 'length', 'chunked'] as const);
  const responseFraming = chance.pick(['length', 'length', 'chunked', 'chunked', 'close'] as const);
  return tidy({
    nonce,
    host,
    isHttp2: false,
    method,
    kind,
    fate,
    status,
    requestFraming,
    responseFraming: kind === 'events' && responseFraming === 'length' ? 'chunked' : responseFraming,
    requestBytes: reads && kind !== 'upgrade' ? 0 : sizeOf(chance, host),
    responseBytes: sizeOf(chance, host),
    echoes: kind === 'message' && chance.happens(0.15),
    gzip: chance.happens(0.5),
    expectsContinue: !reads && chance.happens(0.2),
  });
}

/** What an HTTP/2 client asks for next. */
export function planHttp2(chance: Chance, host: string, nonce: string): Plan {
  const kind = chance.pick(['message', 'message', 'message', 'events', 'call'] as const);
  const reads = kind === 'events' || (kind === 'message' && chance.happens(0.5));
  const method = kind === 'call' ? 'POST' : reads ? chance.pick(['GET', 'GET', 'HEAD']) : 'POST';
  return tidy({
    nonce,
    host,
    isHttp2: true,
    method: kind === 'events' ? 'GET' : method,
    kind,
    fate: fateFor(chance, host, kind, 'go away'),
    status: kind === 'message' ? chance.pick([200, 200, 200, 204, 304, 404]) : 200,
    requestFraming: reads ? 'none' : 'length',
    responseFraming: kind === 'message' ? chance.pick(['length', 'none'] as const) : 'none',
    requestBytes: reads ? 0 : sizeOf(chance, host),
    responseBytes: sizeOf(chance, host),
    echoes: kind === 'message' && chance.happens(0.15),
    gzip: chance.happens(0.5),
    expectsContinue: false,
  });
}

function sizeOf(chance: Chance, host: string): number {
  // A body that is small enough to be kept is what a stale token asks for, mostly.
  const limit = host === soakHosts.refreshed && chance.happens(0.8) ? 20_000 : largest;
  return chance.size(limit);
}

function fateFor(chance: Chance, host: string, kind: Plan['kind'], closing: Fate): Fate {
  if (host === soakHosts.flaky && chance.happens(0.2)) return closing;
  if (chance.happens(0.07)) return kind === 'events' ? 'reset before the answer' : chance.pick(harmful);
  if (chance.happens(0.05)) return 'announce close';
  return kind === 'message' || kind === 'call' ? chance.pick(gentle) : 'answer';
}

/** Takes out what cannot be together. */
function tidy(plan: Plan): Plan {
  let { fate, responseFraming, expectsContinue, requestBytes } = plan;
  const breaks = fate === 'reset in the body' || fate === 'end in the body';
  if (plan.kind === 'upgrade' && (fate === 'end in the body' || fate === 'announce close')) fate = 'answer';
  if (plan.kind === 'upgrade' && fate === 'close in silence') fate = 'answer';
  if (breaks && (isBodyless(plan) || plan.responseBytes < 2)) fate = 'reset before the answer';
  // A connection's clean end is all that ends such a body.
  if (fate === 'end in the body' && responseFraming === 'close') responseFraming = 'chunked';
  // Such a body ends with the connection, which still waits for the request's.
  if (fate === 'answer early' && responseFraming === 'close') fate = 'answer';
  if (plan.status === 204) responseFraming = 'none';
  if (plan.requestFraming === 'none') expectsContinue = false;
  if (plan.requestFraming !== 'none') requestBytes = Math.max(1, requestBytes);
  return { ...plan, fate, responseFraming, expectsContinue, requestBytes };
}
