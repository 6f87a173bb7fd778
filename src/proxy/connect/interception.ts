import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { PeerCheck } from '../../peers/index.ts';
import { RequestRecord } from '../authorize/index.ts';
import type { Context, Owner } from '../context.ts';
import { type Refusal, refuse, targetWithin } from '../decide/index.ts';
import { Accumulator, type Authority, looksLikeRequest, type RequestHead } from '../http1/index.ts';
import {
  Http1Session,
  hostFieldOf,
  Origin,
  OriginRequest,
  type RequestHandler,
} from '../http1-relay/index.ts';
import { phantomsInHead, withoutPhantoms } from '../phantoms/index.ts';
import type { Live, Monitored } from '../runs/index.ts';
import { handshakeRecord, maxHelloBytes, parseClientHello } from './client-hello.ts';
import { otherUser, refuseOnceKnown } from './other-user.ts';

/** A tunnel to a routed host, opened by CONNECT. */
export interface Interception {
  readonly client: Socket;
  readonly context: Context;
  readonly owner: Owner;
  readonly authority: Authority;
  /** Known before anything in the tunnel is answered, recorded or sent, the TLS handshake of HTTP/1.1 apart. */
  readonly peer: PeerCheck;
}

/**
 * Terminates the client's TLS, so that every request in the tunnel is decided on. Plain HTTP gets a refusal, and anything
 * else is closed: no credential ever goes into either.
 */
export function intercept(interception: Interception, early: Buffer | undefined): void {
  const { client } = interception;
  const settle = monitor(interception, () => client.destroy());
  const received = new Accumulator();
  const onData = (chunk: Buffer): void => {
    received.push(chunk);
    const bytes = received.peek();
    if (bytes[0] !== handshakeRecord) {
      client.off('data', onData);
      settle();
      client.pause();
      client.unshift(bytes);
      oncePeerKnown(interception, () => acceptPlain(interception, bytes));
      return;
    }
    const hello = parseClientHello(bytes);
    if (hello === undefined && bytes.length <= maxHelloBytes) return;
    client.off('data', onData);
    client.pause();
    client.unshift(bytes);
    settle();
    acceptTls(interception, typeof hello === 'object' ? hello.protocols : []);
  };
  client.on('error', () => {});
  if (early !== undefined) client.unshift(early);
  client.on('data', onData);
  client.resume();
}

/** Limits the time of a connection that is being set up; call the result when it is. */
function monitor({ client, context, owner }: Interception, cut: () => void): () => void {
  const making: Live & Monitored = {
    connection: undefined,
    cut,
    progress: () => client.bytesRead,
    idleMs: () => context.timeouts.headMs,
    onIdle: cut,
  };
  const settle = (): void => {
    context.idleMonitor.remove(making);
    owner.run.remove(making);
    client.off('close', settle);
  };
  client.on('close', settle);
  context.idleMonitor.add(making);
  owner.run.add(making);
  return settle;
}

/** Takes the next step once it is known whose process is at the other end, unless that has left by then. */
function oncePeerKnown(interception: Interception, step: () => void): void {
  const { client, peer } = interception;
  if (peer.allowed !== undefined) {
    step();
    return;
  }
  const settle = monitor(interception, () => client.destroy());
  void peer.settled.then(() => {
    settle();
    if (!client.destroyed) step();
  });
}

function acceptPlain(interception: Interception, bytes: Buffer): void {
  const { client } = interception;
  if (looksLikeRequest(bytes)) {
    refusePlain(interception);
    return;
  }
  recordRefusal(interception, 'MalformedRequest', 'the first bytes in the tunnel are neither TLS nor HTTP');
  client.end();
  client.resume();
}

/** Chooses HTTP/1.1 if the client offers it, and HTTP/2 if it offers only that or the upstream supports only that. */
function acceptTls(interception: Interception, protocols: readonly string[]): void {
  const { context, authority } = interception;
  const offersBoth = protocols.includes('h2') && protocols.includes('http/1.1');
  const speaksHttp1 = isUnapproved(interception) || context.alpnCache.known(authority) === 'http/1.1';
  if (!protocols.includes('h2') || (offersBoth && speaksHttp1)) {
    acceptHttp1(interception, protocols);
  } else {
    oncePeerKnown(interception, () => chooseProtocol(interception, protocols, offersBoth));
  }
}

/** Another user is refused over HTTP/1.1: no upstream is asked, and no stream is opened, for that. */
function chooseProtocol(interception: Interception, protocols: readonly string[], offersBoth: boolean): void {
  const { client, peer } = interception;
  if (peer.allowed !== true) {
    acceptHttp1(interception, protocols);
    return;
  }
  const settle = monitor(interception, () => client.destroy());
  const accepting = offersBoth
    ? negotiate(interception, protocols)
    : acceptHttp2(interception, () => terminate(interception, ['http/1.1'], http2Only, () => {}));
  accepting.then(settle, () => client.destroy());
}

function acceptHttp1(interception: Interception, protocols: readonly string[]): void {
  const isUnknown = protocols.length > 0 && !http1Protocols.some((name) => protocols.includes(name));
  const { client, context, owner } = interception;
  terminate(interception, http1Protocols, isUnknown ? unknownProtocol : untrusted, (tls) => {
    oncePeerKnown(interception, () => {
      if (tls.destroyed) return;
      new Http1Session(tls, context, handlerFor(interception, tls), { owner, raw: client });
    });
  });
}

/** How long a client that offers both protocols waits for the upstream's choice. */
const probeMs = 5_000;

/** Asks the upstream for its protocol before the client's handshake, which fixes the client's. */
async function negotiate(interception: Interception, protocols: readonly string[]): Promise<void> {
  const { client, context, authority } = interception;
  const { alpnCache, dialer } = context;
  const target = {
    authority,
    allowPrivateAddress: isPersonal(interception),
    signal: AbortSignal.timeout(probeMs),
  };
  const protocol =
    alpnCache.known(authority) ?? (await alpnCache.probe(authority, (alpn) => dialer.tls(target, alpn)));
  if (client.destroyed) return;
  if (protocol !== 'h2') {
    acceptHttp1(interception, protocols);
    return;
  }
  await acceptHttp2(interception, () => {
    alpnCache.forget(authority);
    acceptHttp1(interception, protocols);
  });
}

/** Whether a person named this very host, and so may mean a private address. */
function isPersonal({ owner, authority }: Interception): boolean {
  return owner.run.routes.routes.some(
    ({ allowPrivateAddress, pattern }) =>
      allowPrivateAddress && pattern.host === authority.host && pattern.port === authority.port,
  );
}

/** Whether every request to this host will be refused, so that nobody has to ask the upstream anything. */
function isUnapproved({ owner, authority }: Interception): boolean {
  return owner.run.routes.unapprovedAt(authority.host, authority.port).length > 0;
}

/** Calls `otherwise` if the upstream does not support HTTP/2. */
async function acceptHttp2(interception: Interception, otherwise: () => void): Promise<void> {
  const { client, context, owner, authority } = interception;
  const { serveHttp2, sessionPoolOf } = await import('../http2/index.ts');
  const dial = (allowPrivateAddress: boolean) =>
    context.dialer.tls({ authority, allowPrivateAddress, signal: new AbortController().signal }, [
      'h2',
      'http/1.1',
    ]);
  const hostField = hostFieldOf(authority);
  let extendedConnect = false;
  if (!isUnapproved(interception)) {
    try {
      const upstream = await sessionPoolOf(owner.run, context).probe(
        `${authority.host}:${authority.port}`,
        () => dial(isPersonal(interception)),
      );
      if (upstream === undefined) {
        otherwise();
        return;
      }
      extendedConnect = upstream.allowsExtendedConnect;
    } catch {
      // Unreachable now: each stream gets a problem that says why.
    }
  }
  if (client.destroyed) return;
  terminate(interception, ['h2'], untrusted, (tls) => {
    serveHttp2(tls, {
      run: owner.run,
      peer: interception.peer,
      raw: client,
      authority,
      hostField,
      dial,
      decisions: context.decisions,
      nextDecisionId: context.nextDecisionId,
      timeouts: context.timeouts,
      idleMonitor: context.idleMonitor,
      refusal: refusalFor(interception, tls),
      extendedConnect,
    });
  });
}

/** `curl --http1.0` offers the second. */
const http1Protocols = ['http/1.1', 'http/1.0'];
const untrusted =
  "the client did not complete the TLS handshake: it may not trust the run's certificate authority";
const http2Only = 'the client supports only HTTP/2, and the upstream does not support it';
const unknownProtocol = 'the client supports neither HTTP/1 nor HTTP/2';

/** Terminates the client's TLS with the first of these protocols that it offers. Records `whyNot` if that fails. */
function terminate(
  interception: Interception,
  protocols: readonly string[],
  whyNot: string,
  onSecure: (tls: TLSSocket) => void,
): void {
  const { client, owner, authority } = interception;
  const tls = new TLSSocket(client, {
    isServer: true,
    secureContext: owner.run.authority.contextFor(authority.host),
    ALPNProtocols: [...protocols],
  });
  let established = false;
  const settle = monitor(interception, () => tls.destroy());
  tls.on('error', () => tls.destroy());
  // A server socket that was made by hand reports errors after its handshake only here.
  tls.on('_tlsError', () => tls.destroy());
  tls.on('close', () => {
    settle();
    client.destroy();
    if (!established) recordRefusal(interception, 'UpstreamUntrusted', whyNot);
  });
  tls.on('secure', () => {
    established = true;
    settle();
    onSecure(tls);
  });
}

function handlerFor(interception: Interception, tls: TLSSocket): RequestHandler {
  const { context, owner, authority, peer } = interception;
  const origin = new Origin(owner, authority, context.dialer);
  const { hostField } = origin;
  const { host, port } = authority;
  const refusalOfAll = refusalFor(interception, tls);
  return {
    peer,
    unread: (session, refusal) => refuseUnread(session, interception, refusal),
    handle(session, request) {
      const read = targetWithin(request, authority, hostField);
      const { path, query } = 'kind' in read ? noTarget : read;
      const refusal = refusalOfAll ?? ('kind' in read ? read : undefined);
      const { method, methodOverride, pathOverride } = request;
      const { finder } = owner.run;
      const phantoms = refusal === undefined ? phantomsInHead(finder, request) : undefined;
      const record = session.open(owner, {
        method,
        host,
        port,
        path: withoutPhantoms(path, phantoms),
        methodOverride,
        pathOverride,
        phantoms,
        sentPath: path,
      });
      if (refusal === undefined) {
        const target = { request, method, path, query, host: hostField };
        new OriginRequest(session, record, origin, target).send();
      } else {
        session.refuse(record.refuse(refusal));
      }
    },
  };
}

const noTarget = { path: '', query: '' };
const plainInTunnel = refuse('PlainHttpRefused', 'plain HTTP was sent in a tunnel to a routed host');
const nameMismatch = refuse(
  'TargetMismatch',
  'the TLS server name is not the host that the tunnel was opened for',
);

/** The refusal for every request of a tunnel. */
function refusalFor({ peer, authority }: Interception, tls: TLSSocket): Refusal | undefined {
  if (peer.allowed !== true) return otherUser;
  return isNamed(tls, authority) ? undefined : nameMismatch;
}

/** Whether the server name that the client sent, if any, is the tunnel's host (RFC 6066 §3). */
function isNamed(tls: TLSSocket, authority: Authority): boolean {
  const { servername } = tls as TLSSocket & { readonly servername?: string | false | null };
  if (typeof servername !== 'string' || servername === '') return true;
  return servername.toLowerCase().replace(/\.$/, '') === authority.host;
}

function refuseUnread(
  session: Http1Session,
  { owner, authority, peer }: Interception,
  refusal: Refusal,
): void {
  const record = session.open(owner, { method: '', ...authority, path: '' });
  refuseOnceKnown(session, peer, record, () => session.refuse(record.refuse(refusal)));
}

function refusePlain(interception: Interception): void {
  const { client, context, owner, authority, peer } = interception;
  const handler: RequestHandler = {
    peer,
    unread: (session, refusal) => refuseUnread(session, interception, refusal),
    handle(session: Http1Session, request: RequestHead) {
      const record = session.open(owner, { method: request.method, ...authority, path: '' });
      refuseOnceKnown(session, peer, record, () => session.refuse(record.refuse(plainInTunnel)));
    },
  };
  new Http1Session(client, context, handler, { owner });
  client.resume();
}

function recordRefusal(
  { context, owner, authority, peer }: Interception,
  code: 'MalformedRequest' | 'UpstreamUntrusted',
  reason: string,
): void {
  const facts = { method: 'CONNECT', ...authority, path: '' };
  new RequestRecord(context, peer, owner.run, facts).refuse(refuse(code, reason));
}
