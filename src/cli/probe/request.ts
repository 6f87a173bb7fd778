import { readFileSync } from 'node:fs';
import { type IncomingMessage, request as requestHttp } from 'node:http';
import type { Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import type { RunDocument } from '../../client/index.ts';
import { parseJson } from '../../json.ts';

export interface ProbeRequest {
  readonly url: string;
  readonly method: string;
}

/** What came back: from the service, or from the proxy, which then has refused. A body leaves this file as JSON only. */
export type ProbeResponse =
  | { readonly from: 'service'; readonly status: number; readonly document: unknown }
  | { readonly from: 'proxy'; readonly code: string; readonly detail: string };

const mostBytes = 256 * 1024;

/**
 * One request through a run's proxy, as any program in the run would make it. Follows no redirect. Rejects with an `Error`
 * whose message is a system's code, or `timeout`.
 */
export async function requestThrough(
  run: Pick<RunDocument, 'proxy_url' | 'ca_file'>,
  { url, method }: ProbeRequest,
  timeoutMs: number,
): Promise<ProbeResponse> {
  const target = new URL(url);
  const signal = AbortSignal.timeout(timeoutMs);
  const tunnel = await openTunnel(new URL(run.proxy_url), target, signal);
  if (!('socket' in tunnel)) return tunnel;
  const secure = connectTls({
    socket: tunnel.socket,
    servername: target.hostname,
    ca: readFileSync(run.ca_file),
    ALPNProtocols: ['http/1.1'],
  });
  try {
    return await ask(secure, target, method, signal);
  } finally {
    secure.destroy();
  }
}

type Tunnel = { readonly socket: Socket } | Extract<ProbeResponse, { readonly from: 'proxy' }>;

function openTunnel(proxy: URL, target: URL, signal: AbortSignal): Promise<Tunnel> {
  const credentials = Buffer.from(`${proxy.username}:${proxy.password}`).toString('base64');
  return new Promise((resolve, reject) => {
    const authority = `${target.hostname}:${target.port || 443}`;
    const connecting = requestHttp({
      host: proxy.hostname.replace(/^\[|\]$/g, ''),
      port: Number(proxy.port),
      method: 'CONNECT',
      path: authority,
      headers: { host: authority, 'proxy-authorization': `Basic ${credentials}` },
      agent: false,
      signal,
    });
    connecting.once('connect', (response, socket) => {
      if (response.statusCode === 200) {
        resolve({ socket });
        return;
      }
      socket.destroy();
      // The reason phrase has the code: `Forbidden (HostNotApproved: authsome explain dec_…)`.
      const code = /\((\w+):/.exec(response.statusMessage ?? '')?.[1] ?? String(response.statusCode);
      resolve({ from: 'proxy', code, detail: 'it opened no connection' });
    });
    connecting.once('error', (error) => reject(failureOf(error, signal)));
    connecting.end();
  });
}

function ask(socket: TLSSocket, target: URL, method: string, signal: AbortSignal): Promise<ProbeResponse> {
  return new Promise((resolve, reject) => {
    const fail = (error: unknown): void => reject(failureOf(error, signal));
    socket.once('error', fail);
    const options = {
      createConnection: () => socket,
      method,
      path: `${target.pathname}${target.search}`,
      headers: {
        host: target.host,
        accept: 'application/json',
        'accept-encoding': 'identity',
        // Some services refuse a request without one.
        'user-agent': 'authsome-probe',
        ...(method === 'POST' ? { 'content-length': '0' } : {}),
      },
      signal,
    };
    const request = requestHttp(options, (response) => {
      void read(response).then((text) => resolve(responseOf(response, text)), fail);
    });
    request.once('error', fail);
    request.end();
  });
}

/** As much as it takes to find one field. */
async function read(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > mostBytes) break;
  }
  return Buffer.concat(chunks).toString('utf8');
}

function responseOf(response: IncomingMessage, text: string): ProbeResponse {
  const document = parseJson(text);
  const { statusCode: status = 0, headers } = response;
  const isProblem = headers['content-type'] === 'application/problem+json';
  if (headers['authsome-decision'] !== undefined && isProblem) {
    const { code, detail } = (document ?? {}) as { readonly code?: unknown; readonly detail?: unknown };
    return { from: 'proxy', code: String(code), detail: String(detail) };
  }
  return { from: 'service', status, document };
}

function failureOf(error: unknown, signal: AbortSignal): Error {
  if (signal.aborted) return new Error('timeout');
  return new Error((error as NodeJS.ErrnoException).code ?? 'unreadable response');
}
