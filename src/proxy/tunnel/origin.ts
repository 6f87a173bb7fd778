import { asAuthsomeError } from '../../errors.ts';
import type { Route } from '../../providers/index.ts';
import { type Authority, hostHeaderOf, type Plan, type RequestHead } from '../http1/index.ts';
import { type ForwardTarget, type Injection, rewriteRequestHead } from '../inject/index.ts';
import { judgeRequest, refuse, type Subject, type Trace } from '../judge/index.ts';
import type { Credential } from '../proxy.ts';
import type { Tenant } from './context.ts';
import type { Destination, Docket, Exchange } from './exchange.ts';

const httpsPort = 443;
const pending: Trace = { reason: 'not judged yet', considered: [], route: undefined, rule: undefined };

/** A request to an https origin, once it is sure which one: what both interceptions and absolute-form requests come to. */
export interface OriginRequest {
  readonly exchange: Exchange;
  readonly tenant: Tenant;
  readonly request: RequestHead;
  readonly authority: Authority;
  readonly target: ForwardTarget;
  readonly docket: Docket;
}

/** Judges the request against the routes of this moment, and sends it on its way with or without a credential. */
export function sendToOrigin(origin: OriginRequest): void {
  const { exchange, docket, tenant } = origin;
  const { decisions } = exchange.context;
  if (decisions.congested) {
    // Nothing is done that cannot be put on record.
    decisions.drained().then(
      () => judgeNow(origin, undefined),
      (error: unknown) => exchange.refuseWith(docket, asAuthsomeError(error)),
    );
    return;
  }
  if (tenant.run.ended) exchange.refuse(docket, 'RunEnded', 'this run has ended', undefined);
  else judgeNow(origin, undefined);
}

/** `acquired` is a credential that was fetched for this request; the judgement is made again after the wait for it. */
function judgeNow(
  origin: OriginRequest,
  acquired: { readonly connection: string; readonly credential: Credential } | undefined,
): void {
  const { exchange, tenant, docket } = origin;
  if (exchange.gone) return;
  const { run } = tenant;
  const { spec } = run;
  const judgement = judgeRequest(
    { identity: spec.identity, routes: run.routes, decide: spec.decide },
    docket.subject,
  );
  docket.trace = judgement.trace;
  switch (judgement.kind) {
    case 'refuse':
      exchange.refuseFor(docket, judgement);
      return;
    case 'pass':
      exchange.forward(docket, destinationOf(origin, undefined, judgement.allowPrivateAddress), {
        head: rewriteRequestHead(origin.request, origin.target, undefined),
        lineFor: undefined,
        renewable: false,
        transformFor: undefined,
      });
      return;
    case 'inject':
      break;
  }
  const { route } = judgement;
  const { connection } = run.use(route);
  const credential =
    spec.credentials.peek(connection) ??
    (acquired?.connection === connection ? acquired.credential : undefined);
  if (credential !== undefined) {
    inject(origin, route, connection, credential);
    return;
  }
  spec.credentials.acquire(connection).then(
    (fresh) => judgeNow(origin, { connection, credential: fresh }),
    (error: unknown) => exchange.refuseWith(docket, asAuthsomeError(error)),
  );
}

function inject(origin: OriginRequest, route: Route, connection: string, credential: Credential): void {
  const { exchange, docket, tenant } = origin;
  const injection = tenant.run.injectionFor(route, credential);
  if (injection === undefined) {
    exchange.refuseFor(
      docket,
      refuse(
        'CredentialMissing',
        `the credential of ${connection} cannot be written where ${route.id} says it goes`,
        {
          hint: `Run: authsome login ${route.provider} --force`,
          trace: docket.trace,
        },
      ),
    );
    return;
  }
  exchange.forward(
    docket,
    destinationOf(origin, connection, route.allowPrivateAddress),
    planFor(origin, injection, docket.id),
    {
      placement: injection.placement,
      renewal: () => renewed(origin, route, connection, credential),
    },
  );
}

function planFor(origin: OriginRequest, injection: Injection, decisionId: string): Plan {
  return {
    head: rewriteRequestHead(origin.request, origin.target, injection),
    lineFor: (status) =>
      status === 401 || status === 403 ? `Authsome-Decision: ${decisionId}\r\n` : undefined,
    renewable: true,
    transformFor: undefined,
  };
}

async function renewed(
  origin: OriginRequest,
  route: Route,
  connection: string,
  rejected: Credential,
): Promise<Buffer | undefined> {
  const { run } = origin.tenant;
  const credential = await run.spec.credentials.renew(connection, rejected);
  if (credential === undefined || run.ended) return undefined;
  const injection = run.injectionFor(route, credential);
  return injection === undefined ? undefined : rewriteRequestHead(origin.request, origin.target, injection);
}

function destinationOf(
  { exchange, authority }: OriginRequest,
  connection: string | undefined,
  allowPrivateAddress: boolean,
): Destination {
  return {
    key: `${connection ?? ''} ${authority.host}:${authority.port}`,
    connection,
    dial: (signal) => exchange.context.way.tls({ authority, allowPrivateAddress, signal }, ['http/1.1']),
  };
}

export function hostFieldOf(authority: Authority): string {
  return hostHeaderOf(authority, httpsPort);
}

export function openDocket(exchange: Exchange, tenant: Tenant | undefined, subject: Subject): Docket {
  return exchange.open(tenant, subject, pending);
}
