/**
 * Asks a corporate proxy for a connection to a host, and reads its reply. One of three small HTTP/1 readers, which stay
 * apart: `run` starts with `client/response-reader`, and `cli/run/agent-tunnel` is loaded into other programs. This one
 * reads a stranger's bytes inside the daemon, so it takes a status and refuses the rest.
 */
import type { Socket } from 'node:net';
import { AuthsomeError } from '../errors.ts';
import { parseAddress } from './address.ts';
import { connectFaultOf } from './failure.ts';
import { readSocket, type SocketReader } from './socket-reader.ts';
import type { ProxyCredentials, UpstreamProxy } from './upstream-proxy.ts';

const longestHead = 16 * 1024;

export interface ProxyTarget {
  readonly host: string;
  readonly port: number;
}

/**
 * Makes `socket`, which is connected to `proxy`, a connection to `target`: HTTP CONNECT (RFC 9110 §9.3.6) or SOCKS 5
 * (RFC 1928, RFC 1929). Throws `UpstreamUnreachable` with what the proxy said, never with what was sent to it.
 */
export async function askProxy(
  socket: Socket,
  proxy: UpstreamProxy,
  target: ProxyTarget,
  signal: AbortSignal,
): Promise<void> {
  const reader = readSocket(socket, signal);
  try {
    if (proxy.protocol === 'http' || proxy.protocol === 'https') {
      await askHttpProxy(socket, reader, proxy, target);
    } else {
      await askSocksProxy(socket, reader, proxy, target);
    }
  } catch (error) {
    if (error instanceof AuthsomeError || signal.aborted) throw error;
    throw unreachable(proxy, 'it closed the connection', undefined, error);
  } finally {
    reader.release();
  }
}

async function askHttpProxy(
  socket: Socket,
  reader: SocketReader,
  proxy: UpstreamProxy,
  target: ProxyTarget,
): Promise<void> {
  const authority = authorityOf(target);
  const credentials = proxy.credentials?.();
  const authorization =
    credentials === undefined ? '' : `Proxy-Authorization: Basic ${basicOf(credentials)}\r\n`;
  socket.write(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n${authorization}\r\n`);
  const head = (await reader.through('\r\n\r\n', longestHead)).toString('latin1');
  const status = /^HTTP\/1\.[01] (\d{3})[ \r]/.exec(head)?.[1];
  if (status === undefined) throw unreachable(proxy, 'it does not speak HTTP');
  if (status === '407') throw unauthorized(proxy);
  if (!status.startsWith('2')) {
    throw unreachable(proxy, `it refuses to connect to ${authority} (status ${status})`);
  }
}

async function askSocksProxy(
  socket: Socket,
  reader: SocketReader,
  proxy: UpstreamProxy,
  target: ProxyTarget,
): Promise<void> {
  const credentials = proxy.credentials?.();
  socket.write(Buffer.from(credentials === undefined ? [5, 1, 0] : [5, 2, 0, 2]));
  const [version, method] = await reader.exactly(2);
  if (version !== 5) throw unreachable(proxy, 'it does not speak SOCKS 5');
  if (method === 2 && credentials !== undefined) {
    socket.write(
      Buffer.concat([Buffer.from([1]), counted(credentials.username), counted(credentials.password)]),
    );
    const [, outcome] = await reader.exactly(2);
    if (outcome !== 0) throw unauthorized(proxy);
  } else if (method !== 0) {
    throw unauthorized(proxy);
  }
  const address = parseAddress(target.host);
  const destination =
    address === undefined
      ? Buffer.concat([Buffer.from([3]), counted(target.host)])
      : Buffer.from([address.length === 4 ? 1 : 4, ...address]);
  socket.write(
    Buffer.concat([Buffer.from([5, 1, 0]), destination, Buffer.from([target.port >> 8, target.port & 0xff])]),
  );
  const [, reply = 1, , boundType] = await reader.exactly(4);
  if (reply !== 0) {
    const reason = socksReasons[reply] ?? `reply ${reply}`;
    throw unreachable(proxy, `it cannot connect to ${authorityOf(target)} (${reason})`);
  }
  const [length = 0] = boundType === 3 ? await reader.exactly(1) : [boundType === 4 ? 16 : 4];
  await reader.exactly(length + 2);
}

/** Replies of RFC 1928 §6. */
const socksReasons: Readonly<Record<number, string>> = {
  1: 'general failure',
  2: 'not allowed by its rules',
  3: 'network unreachable',
  4: 'host unreachable',
  5: 'connection refused',
  6: 'time to live expired',
  7: 'command not supported',
  8: 'address type not supported',
};

function authorityOf({ host, port }: ProxyTarget): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

function basicOf({ username, password }: ProxyCredentials): string {
  return Buffer.from(`${username}:${password}`).toString('base64');
}

function counted(text: string): Buffer {
  const bytes = Buffer.from(text);
  if (bytes.length > 255) throw new Error('too long for SOCKS');
  return Buffer.concat([Buffer.from([bytes.length]), bytes]);
}

function unauthorized(proxy: UpstreamProxy): AuthsomeError {
  const why =
    proxy.credentials === undefined ? 'it asks for a user name and a password' : 'it rejects the password';
  return unreachable(
    proxy,
    why,
    'Put the user name and password into the proxy variable (http://user:password@host:port), then run: authsome daemon restart',
  );
}

/** `UpstreamUnreachable` for a lookup of the proxy, or a connection to it, that failed. */
export function proxyFailure(proxy: UpstreamProxy, error: unknown): AuthsomeError {
  return unreachable(proxy, connectFaultOf(error), undefined, error);
}

function unreachable(proxy: UpstreamProxy, why: string, hint?: string, cause?: unknown): AuthsomeError {
  const name = authorityOf(proxy);
  return new AuthsomeError('UpstreamUnreachable', `cannot connect through proxy ${name}: ${why}`, {
    hint: hint ?? 'Check HTTPS_PROXY, ALL_PROXY and NO_PROXY in the shell that started the daemon.',
    cause,
  });
}
