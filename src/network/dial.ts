import { lookup as lookupName } from 'node:dns/promises';
import { isIP, type Socket } from 'node:net';
import { AuthsomeError } from '../errors.ts';
import { parseAddress, refusalOf } from './address.ts';
import type { Dialer, DialOptions } from './dialer.ts';
import { connectFailure } from './failure.ts';
import { askProxy, proxyFailure } from './proxy-handshake.ts';
import { connectFirst } from './tcp.ts';
import { createTlsHandshake } from './tls.ts';
import { type ProxyRules, proxyFor, type UpstreamProxy } from './upstream-proxy.ts';

/** `AUTHSOME_RESOLVE`, one entry: where a person says that a host and port are. */
export interface AddressOverride {
  readonly host: string;
  readonly port: number;
  readonly address: string;
  readonly targetPort: number;
}

export interface DialerOptions {
  readonly overrides?: readonly AddressOverride[];
  /** PEM texts with roots to trust besides Node's own. */
  readonly extraRoots?: readonly string[];
  readonly proxies?: ProxyRules;
  /** For everything from the look-up of the name to the end of the handshake. */
  readonly connectTimeoutMs?: number;
  /** Addresses of a name, in order of preference. */
  readonly lookup?: (host: string) => Promise<readonly string[]>;
}

/** Names of cloud metadata services, for where a proxy does the look-up and no address can be checked here. */
const metadataNames = new Set([
  'metadata',
  'metadata.google.internal',
  'instance-data',
  'instance-data.ec2.internal',
]);

/** Where to connect, after overrides and proxies. */
interface Way {
  readonly host: string;
  readonly port: number;
  readonly addresses: () => Promise<readonly string[]>;
  readonly proxy: UpstreamProxy | undefined;
  /** What to say of a look-up or connection that failed. */
  readonly failure: (error: unknown) => AuthsomeError;
}

/** A dialler over the real network. Its roots are read at the first TLS connection. */
export function createDialer(options: DialerOptions = {}): Dialer {
  const { connectTimeoutMs = 10_000, lookup = lookUp } = options;
  const overrides = new Map(
    (options.overrides ?? []).map((override) => [`${hostOf(override.host)}:${override.port}`, override]),
  );
  const handshake = createTlsHandshake(options.extraRoots ?? []);

  const wayTo = (host: string, port: number, allowPrivateAddress: boolean): Way => {
    const override = overrides.get(`${host}:${port}`);
    const failureAt = (port: number) => (error: unknown) => connectFailure(host, port, error);
    if (override !== undefined) {
      const { address, targetPort } = override;
      const addresses = async (): Promise<readonly string[]> => [address];
      return { host, port: targetPort, addresses, proxy: undefined, failure: failureAt(targetPort) };
    }
    const check = (found: readonly string[]): readonly string[] =>
      permitted(host, port, found, allowPrivateAddress);
    const literal = parseAddress(host) === undefined ? undefined : check([host]);
    const resolved = async (): Promise<readonly string[]> => literal ?? check(await lookup(host));
    const proxy = options.proxies === undefined ? undefined : proxyFor(options.proxies, host, port);
    if (proxy !== undefined && literal === undefined && metadataNames.has(host))
      throw forbidden(host, port, 'metadata');
    return { host, port, addresses: resolved, proxy, failure: failureAt(port) };
  };

  const open = async (way: Way, signal: AbortSignal): Promise<Socket> => {
    const { host, port, proxy } = way;
    if (proxy === undefined) return connectTcp(way, signal);
    // With socks5:// the look-up stays here, and with it the check; the other kinds leave it to the proxy.
    const target = proxy.protocol === 'socks5' ? ((await resolve(way, signal))[0] ?? host) : host;
    const tcp = await connectTcp(
      {
        port: proxy.port,
        addresses: () => lookup(proxy.host),
        failure: (error) => proxyFailure(proxy, error),
      },
      signal,
    );
    const hop =
      proxy.protocol === 'https'
        ? await handshake(tcp, { host: proxy.host, port: proxy.port, alpn: [] }, signal)
        : tcp;
    try {
      await askProxy(hop, proxy, { host: target, port }, signal);
      return hop;
    } catch (error) {
      hop.destroy();
      throw error;
    }
  };

  const bounded = async <T>(
    dial: DialOptions,
    work: (way: Way, signal: AbortSignal) => Promise<T>,
  ): Promise<T> => {
    const { port, allowPrivateAddress, signal } = dial;
    const host = hostOf(dial.host);
    if (!isDialable(host)) throw new AuthsomeError('AddressForbidden', 'that is not the name of a host');
    const controller = new AbortController();
    const cancel = (): void =>
      controller.abort(new AuthsomeError('Cancelled', `the connection to ${host} was cancelled`));
    const timer = setTimeout(() => controller.abort(late(host, port, connectTimeoutMs)), connectTimeoutMs);
    signal?.addEventListener('abort', cancel, { once: true });
    if (signal?.aborted === true) cancel();
    try {
      return await work(wayTo(host, port, allowPrivateAddress), controller.signal);
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', cancel);
    }
  };

  return {
    connect: (dial) => bounded(dial, open),
    connectTls: (dial) =>
      bounded(dial, async (way, signal) =>
        handshake(await open(way, signal), { host: way.host, port: dial.port, alpn: dial.alpn }, signal),
      ),
  };
}

async function resolve(
  way: Pick<Way, 'addresses' | 'failure'>,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const abandoned = new Promise<never>((_, reject) => {
    if (signal.aborted) reject(signal.reason as Error);
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
  try {
    return await Promise.race([way.addresses(), abandoned]);
  } catch (error) {
    throw error instanceof AuthsomeError ? error : way.failure(error);
  }
}

async function connectTcp(
  way: Pick<Way, 'port' | 'addresses' | 'failure'>,
  signal: AbortSignal,
): Promise<Socket> {
  const addresses = await resolve(way, signal);
  try {
    return await connectFirst(addresses, way.port, signal);
  } catch (error) {
    throw error instanceof AuthsomeError ? error : way.failure(error);
  }
}

/** The addresses that may be connected to; throws when there is none among those found. */
function permitted(
  host: string,
  port: number,
  found: readonly string[],
  allowPrivate: boolean,
): readonly string[] {
  const allowed = found.filter((address) => refusalOf(address, allowPrivate) === undefined);
  const [first] = found;
  if (allowed.length === 0 && first !== undefined) {
    throw forbidden(host, port, refusalOf(first, allowPrivate) ?? 'unreadable', first);
  }
  return allowed;
}

async function lookUp(host: string): Promise<readonly string[]> {
  if (isIP(host) !== 0) return [host];
  const found = await lookupName(host, { all: true, verbatim: true });
  return interleaved(found.map(({ address }) => address));
}

/** Both families in turn, the first one's first (RFC 8305 §4). */
export function interleaved(addresses: readonly string[]): readonly string[] {
  const family = isIP(addresses[0] ?? '');
  const first = addresses.filter((address) => isIP(address) === family);
  const second = addresses.filter((address) => isIP(address) !== family);
  const longest = Math.max(first.length, second.length);
  return Array.from({ length: longest }, (_, index) => [first[index], second[index]])
    .flat()
    .filter((address) => address !== undefined);
}

/** A host as it is compared, asked for and verified: lower case, no brackets, no trailing dot. */
function hostOf(text: string): string {
  return text
    .toLowerCase()
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/\.$/, '');
}

/** A name or an address. Names that end in a number are old spellings of an address, which resolvers understand. */
function isDialable(host: string): boolean {
  if (parseAddress(host) !== undefined) return true;
  return /^[a-z0-9_]([a-z0-9_.-]{0,251}[a-z0-9_])?$/.test(host) && !/(^|\.)(\d+|0x[0-9a-f]*)$/.test(host);
}

function forbidden(host: string, port: number, kind: string, address?: string): AuthsomeError {
  const where = address === undefined || address === host ? '' : ` (${address})`;
  const entry = `${bracketed(host)}:${port}:${address === undefined ? '<address>' : bracketed(address)}`;
  return new AuthsomeError(
    'AddressForbidden',
    `${host} is at ${/^u/.test(kind) ? 'an' : 'a'} ${kind} address${where}, where nothing is sent`,
    {
      hint: `If that is where it should be, say so: AUTHSOME_RESOLVE=${entry}, then authsome daemon restart`,
    },
  );
}

/** As it stands before a port: `AUTHSOME_RESOLVE` could not be read otherwise. */
function bracketed(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

function late(host: string, port: number, timeoutMs: number): AuthsomeError {
  return new AuthsomeError(
    'UpstreamTimeout',
    `no connection to ${host}:${port} within ${timeoutMs / 1000} seconds`,
  );
}
