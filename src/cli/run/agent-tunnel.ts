/**
 * Leads Node's agents through the proxy of a run. One of three small HTTP/1 readers: this one is loaded into other
 * people's programs at their start, so it imports nothing of authsome.
 */

import type { Agent } from 'node:http';
import { connect, type Socket } from 'node:net';
import type { Environment } from '../../environment.ts';

type Created = (error: Error | null, socket?: Socket) => void;

interface ConnectionOptions {
  readonly host?: string;
  readonly port?: number | string;
  readonly defaultPort?: number;
  readonly socketPath?: string;
}

interface ConnectingAgent {
  readonly options?: { readonly proxyEnv?: unknown };
  createConnection(options: unknown, created?: unknown, ...more: readonly unknown[]): Socket | undefined;
}

interface HttpProxy {
  readonly host: string;
  readonly port: number;
  /** Of the `Proxy-Authorization` header. */
  readonly authorization: string | undefined;
}

/** Far above any response to a CONNECT. */
const maxHeadBytes = 64 * 1024;

/**
 * Makes agents with this prototype reach their hosts through the proxy in the environment. Skips agents that Node itself
 * connects through it (`proxyEnv`), and those with a connection method of their own. `isSecure`: `https.Agent`, not
 * `http.Agent`.
 */
export function tunnelThroughProxy(prototype: Agent, isSecure: boolean, environment: Environment): void {
  const agents = prototype as unknown as ConnectingAgent;
  const connectDirectly = agents.createConnection;
  agents.createConnection = function createConnection(...args) {
    const [options, created] = args;
    const isAsked =
      typeof options === 'object' &&
      options !== null &&
      typeof created === 'function' &&
      this.options?.proxyEnv === undefined;
    const proxy = isAsked ? proxyFor(options, isSecure, environment) : undefined;
    if (proxy === undefined) return connectDirectly.apply(this, args);
    const done = created as Created;
    openTunnel(proxy, authorityOf(targetOf(options as ConnectionOptions, isSecure)), (error, socket) => {
      if (socket === undefined || !isSecure) {
        done(error, socket);
        return;
      }
      // The TLS socket notices by the end of the connection.
      socket.on('error', () => {});
      // Node does the rest: its options say whom to trust, and for which name.
      done(null, connectDirectly.call(this, { ...(options as object), socket }));
    });
    return undefined;
  };
}

/** The proxy for a connection; `undefined` where it is to be direct. */
export function proxyFor(
  options: ConnectionOptions,
  isSecure: boolean,
  environment: Environment,
): HttpProxy | undefined {
  if (options.socketPath != null || 'socket' in options) return undefined;
  const url = urlOf(
    isSecure
      ? (environment.https_proxy ?? environment.HTTPS_PROXY)
      : (environment.http_proxy ?? environment.HTTP_PROXY),
  );
  if (url?.protocol !== 'http:') return undefined;
  const target = targetOf(options, isSecure);
  const port = Number(url.port || 80);
  // A program that speaks to the proxy by itself.
  if (target.host === url.hostname && target.port === port) return undefined;
  if (isExempt(target, environment.no_proxy ?? environment.NO_PROXY ?? '')) return undefined;
  const credentials = Buffer.from(`${decoded(url.username)}:${decoded(url.password)}`);
  return {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port,
    authorization: credentials.length === 1 ? undefined : `Basic ${credentials.toString('base64')}`,
  };
}

function urlOf(text: string | undefined): URL | undefined {
  try {
    return text === undefined ? undefined : new URL(text);
  } catch {
    return undefined;
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

interface Target {
  /** In lower case, an IPv6 address in brackets. */
  readonly host: string;
  readonly port: number;
}

function targetOf(options: ConnectionOptions, isSecure: boolean): Target {
  const { host, port, defaultPort } = options;
  return {
    host: bracketed((host ?? 'localhost').toLowerCase()),
    port: Number(port ?? defaultPort ?? (isSecure ? 443 : 80)),
  };
}

function bracketed(host: string): string {
  return /^[^[]*:.*:/.test(host) ? `[${host}]` : host;
}

function authorityOf({ host, port }: Target): string {
  return `${host}:${port}`;
}

/** Follows undici's rules for `fetch`: a name means itself alone, one that begins with a dot or star its end. */
function isExempt(target: Target, noProxy: string): boolean {
  return noProxy
    .toLowerCase()
    .split(/[\s,]+/)
    .some((entry) => {
      if (entry === '' || entry === '*') return entry === '*';
      const [, name = '', port] = /^(.*?)(?::(\d+))?$/.exec(bracketed(entry)) ?? [];
      if (port !== undefined && Number(port) !== target.port) return false;
      return /^[.*]/.test(name) ? target.host.endsWith(name.replace(/^\*/, '')) : target.host === name;
    });
}

/** A connection to `authority` through the proxy (RFC 9110 §9.3.6). */
function openTunnel(proxy: HttpProxy, authority: string, opened: Created): void {
  const socket = connect({ host: proxy.host, port: proxy.port, noDelay: true });
  let head = Buffer.alloc(0);
  const finish = (error: Error | null): void => {
    socket.off('data', read).off('error', finish).off('close', onClose);
    if (error === null) {
      opened(null, socket);
      return;
    }
    socket.on('error', () => {}).destroy();
    opened(error);
  };
  const onClose = (): void => finish(noTunnel(authority, 'it closed the connection'));
  const read = (bytes: Buffer): void => {
    head = Buffer.concat([head, bytes]);
    const end = head.indexOf('\r\n\r\n');
    if (end < 0) {
      if (head.length > maxHeadBytes) finish(noTunnel(authority, 'its response is unreadable'));
      return;
    }
    const [statusLine = ''] = head.toString('latin1', 0, end).split('\r\n', 1);
    const isOpen = /^HTTP\/1\.[01] 2\d\d(?: |$)/.test(statusLine);
    if (!isOpen) finish(noTunnel(authority, statusLine.replace(/^HTTP\/1\.[01] /, '')));
    else if (head.length > end + 4) finish(noTunnel(authority, 'it sent data before the tunnel was used'));
    else finish(null);
  };
  socket.on('data', read).once('error', finish).once('close', onClose);
  const authorization =
    proxy.authorization === undefined ? '' : `Proxy-Authorization: ${proxy.authorization}\r\n`;
  socket.write(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n${authorization}\r\n`);
}

/** With the code that Node itself gives it. */
function noTunnel(authority: string, why: string): Error {
  const error = new Error(`the proxy opened no tunnel to ${authority}: ${why}`);
  return Object.assign(error, { code: 'ERR_PROXY_TUNNEL' });
}
