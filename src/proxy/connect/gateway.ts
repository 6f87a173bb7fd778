import type { Socket } from 'node:net';
import { asAuthsomeError } from '../../errors.ts';
import type { PeerCheck } from '../../peers/index.ts';
import type { RequestRecord } from '../authorize/index.ts';
import type { Context, Owner } from '../context.ts';
import {
  notApproved,
  phantomMisplaced,
  plainToRoute,
  type Refusal,
  refuse,
  unrouted,
} from '../decide/index.ts';
import {
  type Authority,
  Field,
  hostHeaderOf,
  parseTarget,
  type RequestHead,
  stride,
  valueAt,
} from '../http1/index.ts';
import {
  Http1Session,
  Origin,
  OriginRequest,
  type RequestHandler,
  relay,
  relayIdleMs,
} from '../http1-relay/index.ts';
import { rewriteRequestHead } from '../inject/index.ts';
import { type PlacedPhantom, phantomsInHead, withoutPhantoms } from '../phantoms/index.ts';
import type { Live, Monitored } from '../runs/index.ts';
import { forbidden } from '../upstream/index.ts';
import { intercept } from './interception.ts';
import { otherUser, refuseOnceKnown } from './other-user.ts';

const established = Buffer.from('HTTP/1.1 200 Connection established\r\n\r\n', 'latin1');
const httpPort = 80;
const noFacts = { method: '', host: '', port: 0, path: '' };

/** Serves one client connection to the proxy's port: CONNECT, and requests in absolute form. */
export function admit(client: Socket, context: Context): void {
  // Begins now, so that it is known by the time of the first credential.
  const peer = context.checkPeer(client);
  const handler: RequestHandler = {
    peer,
    handle: (session, request) => handle(session, request, peer),
    unread(session, refusal) {
      const record = session.open(undefined, noFacts);
      refuseOnceKnown(session, peer, record, () => session.refuse(record.refuse(refusal)));
    },
  };
  new Http1Session(client, context, handler);
}

/**
 * Waits until the decision can be recorded, since a queue of refusals would grow without bound, and until it is known
 * whose process asks. CONNECT need not wait for that: what goes into a tunnel does.
 */
function handle(session: Http1Session, request: RequestHead, peer: PeerCheck): void {
  const { decisions } = session.context;
  const isPeerKnown = peer.allowed !== undefined || request.method === 'CONNECT';
  if (!decisions.congested && isPeerKnown) {
    handleNow(session, request, peer);
    return;
  }
  Promise.all([decisions.congested && decisions.drained(), isPeerKnown || peer.settled]).then(
    () => {
      if (!session.closed) handleNow(session, request, peer);
    },
    () => session.cut(),
  );
}

function handleNow(session: Http1Session, request: RequestHead, peer: PeerCheck): void {
  const { context } = session;
  const owner = context.owners.find(proxyAuthorizationOf(request));
  const target = parseTarget(request.method, request.target);
  const authority =
    target?.form === 'absolute' || target?.form === 'authority' ? target.authority : undefined;
  const path = target?.form === 'absolute' ? target.path : '';
  // The head of a CONNECT goes nowhere.
  const finder = target?.form === 'absolute' ? owner?.run.finder : undefined;
  const phantoms = finder === undefined ? undefined : phantomsInHead(finder, request);
  const record = session.open(owner, {
    method: request.method,
    host: authority?.host ?? '',
    port: authority?.port ?? 0,
    path: withoutPhantoms(path, phantoms),
    methodOverride: request.methodOverride,
    pathOverride: request.pathOverride,
    phantoms,
    sentPath: path,
  });
  const turnAway = (answer: () => void): void => refuseOnceKnown(session, peer, record, answer);
  if (owner === undefined || peer.allowed === false) {
    turnAway(() => session.refuse(record.refuse(unknownRun)));
    return;
  }
  session.belongTo(owner);
  if (target === undefined || authority === undefined) {
    turnAway(() => session.refuse(record.refuse(request.method === 'CONNECT' ? wrongAuthority : wrongForm)));
  } else if (context.dialer.isOwn(authority)) {
    turnAway(() => session.refuse(record.fail(forbidden(authority))));
  } else if (target.form === 'absolute' && target.scheme === 'http') {
    const { path, query } = target;
    passPlain(session, record, owner, { request, authority, path, query });
  } else {
    const refusal = refusalForRun(owner, authority, context.options.nowMs());
    if (refusal !== undefined) {
      turnAway(() => session.refuse(record.refuse(refusal)));
    } else if (target.form === 'absolute') {
      const { path, query } = target;
      const origin = new Origin(owner, authority, context.dialer);
      const sent = { request, method: request.method, path, query, host: origin.hostField };
      new OriginRequest(session, record, origin, sent).send();
    } else {
      connect(session, record, owner, { authority, peer });
    }
  }
}

const unknownRun = refuse('ProxyAuthenticationRequired', 'this proxy serves only runs that authsome started');
const wrongForm = refuse(
  'MalformedRequest',
  'a proxy takes CONNECT, or a target in absolute form (RFC 9112 §3.2.2)',
);
const wrongAuthority = refuse(
  'MalformedRequest',
  'CONNECT takes a host and a port, such as example.com:443 (RFC 9110 §9.3.6)',
);
const startAgain = { hint: 'Start the run again: authsome run -- <command>' };

function proxyAuthorizationOf(request: RequestHead): string | undefined {
  let found: string | undefined;
  for (let mark = 0; mark < request.marks.length; mark += stride) {
    if (request.marks[mark + 4] !== Field.proxyAuthorization) continue;
    if (found !== undefined) return undefined;
    found = valueAt(request, mark);
  }
  return found;
}

function passPlain(
  session: Http1Session,
  record: RequestRecord,
  owner: Owner,
  plain: {
    readonly request: RequestHead;
    readonly authority: Authority;
    readonly path: string;
    readonly query: string;
  },
): void {
  const { request, authority, path, query } = plain;
  const stray = strayPhantom(owner, record, authority.host);
  if (stray !== undefined) {
    session.refuse(record.refuse(phantomMisplaced(stray, { kind: 'plain-http' })));
    return;
  }
  const refusal = plainToRoute(owner.run.routes, authority.host);
  if (refusal !== undefined) {
    session.refuse(record.refuse(refusal));
    return;
  }
  record.trace = { ...record.trace, reason: unrouted.plain };
  const own = { method: request.method, path, query, host: hostHeaderOf(authority, httpPort) };
  session.forward(
    record,
    {
      key: `plain ${authority.host}:${authority.port}`,
      connection: undefined,
      pool: owner.pool,
      dial: (signal) => session.context.dialer.plain({ authority, allowPrivateAddress: false, signal }),
    },
    {
      head: rewriteRequestHead(request, own, undefined),
      lineFor: undefined,
      renewable: false,
      scrub: undefined,
    },
  );
}

/** A phantom that has no business at this host: to its own, `PlainHttpRefused` says all there is to say. */
function strayPhantom({ run }: Owner, { facts }: RequestRecord, host: string): PlacedPhantom | undefined {
  return facts.phantoms?.find(({ phantom }) => {
    const own = phantom.isInRun ? run.routes.forConnection(phantom.connection) : undefined;
    return own?.routes.some(({ pattern }) => own.hasHost(host, pattern.port)) !== true;
  });
}

interface TunnelTarget {
  readonly authority: Authority;
  readonly peer: PeerCheck;
}

/** Why a run gets no credential for a host of its routes, in whichever form it names its target. */
function refusalForRun({ run }: Owner, authority: Authority, nowMs: number): Refusal | undefined {
  if (!run.routes.hasHost(authority.host, authority.port)) return undefined;
  if (!run.authority.covers(authority.host)) {
    const unapproved = run.routes.unapprovedAt(authority.host, authority.port);
    if (unapproved.length > 0)
      return notApproved(authority.host, { routes: unapproved, considered: unapproved });
    const detail = `the route for ${authority.host} was added after this run started`;
    return refuse('OperationNotAllowed', detail, startAgain);
  }
  if (nowMs < run.authority.expiresAtMs) return undefined;
  return refuse('RunEnded', "this run's certificate authority has expired", startAgain);
}

function connect(session: Http1Session, record: RequestRecord, owner: Owner, target: TunnelTarget): void {
  const { run } = owner;
  const { authority, peer } = target;
  if (!run.routes.hasHost(authority.host, authority.port)) {
    void tunnelFor(session, record, owner, target);
    return;
  }
  const { client, context } = session;
  record.leaveUnrecorded();
  const early = session.handOver();
  client.write(established);
  intercept({ client, context, owner, authority, peer }, early);
}

/** Opens a blind tunnel, once it is known whose process asks for it. */
async function tunnelFor(
  session: Http1Session,
  record: RequestRecord,
  owner: Owner,
  { authority, peer }: TunnelTarget,
): Promise<void> {
  const isAllowed = peer.allowed ?? (await peer.settled);
  if (session.closed) return;
  session.guard(() => {
    if (isAllowed) tunnel(session, record, owner, authority);
    else session.refuse(record.refuse(otherUser));
  });
}

/** A blind tunnel: the address is checked, then bytes pass unread. */
function tunnel(session: Http1Session, record: RequestRecord, owner: Owner, authority: Authority): void {
  const { client, context } = session;
  record.trace = { ...record.trace, reason: unrouted.https };
  const leaving = new AbortController();
  client.once('close', () => leaving.abort());
  context.dialer.plain({ authority, allowPrivateAddress: false, signal: leaving.signal }).then(
    (upstream) => {
      if (session.closed || owner.run.ended) {
        upstream.on('error', () => {});
        upstream.destroy();
        return;
      }
      record.allow('tunnelled');
      const early = session.handOver();
      client.write(established);
      if (early !== undefined) client.unshift(early);
      openTunnel(client, upstream, context, owner);
    },
    (error: unknown) => {
      if (!session.closed) session.refuse(record.fail(asAuthsomeError(error)));
    },
  );
}

function openTunnel(client: Socket, upstream: Socket, context: Context, owner: Owner): void {
  const cut = (): void => {
    client.destroy();
    upstream.destroy();
  };
  const open: Live & Monitored = {
    connection: undefined,
    cut,
    progress: () => client.bytesRead + upstream.bytesRead - client.writableLength - upstream.writableLength,
    idleMs: () => relayIdleMs(client, upstream, context.timeouts),
    onIdle: cut,
  };
  const closed = (): void => {
    if (!client.closed || !upstream.closed) return;
    context.idleMonitor.remove(open);
    owner.run.remove(open);
  };
  client.on('close', closed);
  upstream.on('close', closed);
  context.idleMonitor.add(open);
  owner.run.add(open);
  upstream.setKeepAlive(true, 60_000);
  relay(client, upstream);
}
