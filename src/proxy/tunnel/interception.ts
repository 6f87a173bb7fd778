import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { Docket } from '../hearing/index.ts';
import { type Authority, looksLikeRequest, type RequestHead } from '../http1/index.ts';
import { refuse, targetWithin } from '../judge/index.ts';
import type { Live } from '../runs/index.ts';
import type { Context, Tenant } from './context.ts';
import { type Bench, Exchange } from './exchange.ts';
import type { Watched } from './idle.ts';
import { hostFieldOf, OriginRequest } from './origin.ts';

const handshakeRecord = 0x16;

/** A tunnel to a routed host that was opened by CONNECT, until it is known what the client speaks in it. */
export interface Interception {
  readonly client: Socket;
  readonly context: Context;
  readonly tenant: Tenant;
  readonly authority: Authority;
}

/**
 * Ends the client's TLS here and judges every request in it. What is not TLS is answered as plain HTTP with a refusal,
 * or closed: a credential never goes into it.
 */
export function intercept(interception: Interception, early: Buffer | undefined): void {
  const { client, context, tenant } = interception;
  const opening: Live & Watched = {
    connection: undefined,
    cut: () => client.destroy(),
    progress: () => client.bytesRead,
    silenceMs: () => context.patience.headMs,
    silent: () => client.destroy(),
  };
  const settled = (): void => {
    context.watch.remove(opening);
    tenant.run.remove(opening);
    client.off('data', first).off('close', settled);
  };
  const first = (chunk: Buffer): void => {
    client.pause();
    settled();
    begin(interception, chunk);
  };
  client.on('error', () => {});
  client.on('close', settled);
  context.watch.add(opening);
  tenant.run.add(opening);
  if (early !== undefined) client.unshift(early);
  client.on('data', first);
  client.resume();
}

function begin(interception: Interception, chunk: Buffer): void {
  if (chunk[0] === handshakeRecord) {
    interception.client.unshift(chunk);
    terminate(interception);
  } else if (looksLikeRequest(chunk)) {
    interception.client.unshift(chunk);
    refusePlain(interception);
  } else {
    record(interception, 'MalformedRequest', 'the first bytes in the tunnel are neither TLS nor HTTP');
    interception.client.end();
  }
}

function terminate(interception: Interception): void {
  const { client, context, tenant, authority } = interception;
  const tls = new TLSSocket(client, {
    isServer: true,
    secureContext: tenant.run.authority.contextFor(authority.host),
    ALPNProtocols: ['http/1.1'],
  });
  let established = false;
  const handshake: Live & Watched = {
    connection: undefined,
    cut: () => tls.destroy(),
    progress: () => client.bytesRead,
    silenceMs: () => context.patience.headMs,
    silent: () => tls.destroy(),
  };
  const settled = (): void => {
    context.watch.remove(handshake);
    tenant.run.remove(handshake);
  };
  context.watch.add(handshake);
  tenant.run.add(handshake);
  tls.on('error', () => tls.destroy());
  // Once its handshake is over, a server socket of our own making reports errors only here.
  tls.on('_tlsError', () => tls.destroy());
  tls.on('close', () => {
    settled();
    client.destroy();
    if (!established) {
      record(
        interception,
        'UpstreamUntrusted',
        'the client did not complete the TLS handshake: it may not trust the run’s certificate authority',
      );
    }
  });
  tls.on('secure', () => {
    established = true;
    settled();
    client.setNoDelay(true);
    new Exchange(tls, context, benchFor(interception, tls), { tenant, raw: client });
  });
}

function benchFor({ tenant, authority }: Interception, tls: TLSSocket): Bench {
  const host = hostFieldOf(authority);
  const serverName = nameOf(tls);
  const isNamed = serverName === undefined || serverName === authority.host;
  const subject = { method: '', ...authority, path: '' };
  return {
    unread: { tenant, subject },
    judge(exchange, request) {
      const target = targetWithin(request, authority, host);
      const refusal = 'kind' in target ? target : isNamed ? undefined : nameMismatch;
      const path = 'kind' in target ? '' : target.path;
      const docket = exchange.open(tenant, { method: request.method, ...authority, path });
      if ('kind' in target || refusal !== undefined) {
        exchange.refuse(docket.refuse(refusal ?? nameMismatch));
        return;
      }
      const { query } = target;
      new OriginRequest(exchange, docket, tenant, request, authority, { path, query, host }).send();
    },
  };
}

const plainInTunnel = refuse('PlainHttpRefused', 'plain HTTP was sent in a tunnel to a routed host');
const nameMismatch = refuse(
  'TargetMismatch',
  'the TLS server name is not the host that the tunnel was opened for',
);

/** The server name that the client asked for (RFC 6066 §3), canonical; `undefined` when it sent none. */
function nameOf(tls: TLSSocket): string | undefined {
  const { servername } = tls as TLSSocket & { readonly servername?: string | false | null };
  return typeof servername === 'string' && servername !== ''
    ? servername.toLowerCase().replace(/\.$/, '')
    : undefined;
}

function refusePlain({ client, context, tenant, authority }: Interception): void {
  const bench: Bench = {
    unread: { tenant, subject: { method: '', ...authority, path: '' } },
    judge(exchange: Exchange, request: RequestHead) {
      const docket = exchange.open(tenant, { method: request.method, ...authority, path: '' });
      exchange.refuse(docket.refuse(plainInTunnel));
    },
  };
  new Exchange(client, context, bench, { tenant });
  client.resume();
}

function record(
  { context, tenant, authority }: Interception,
  code: 'MalformedRequest' | 'UpstreamUntrusted',
  reason: string,
): void {
  const docket = new Docket(context.nextDecisionId(), context.decisions, tenant.run, {
    method: 'CONNECT',
    ...authority,
    path: '',
  });
  docket.refuse(refuse(code, reason));
}
