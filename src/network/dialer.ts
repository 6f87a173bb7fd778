import { lookup as lookupName } from 'node:dns/promises';
import { isIP, type Socket } from 'node:net';
import { AuthsomeError } from '../errors.ts';
import { parseAddress, refusalOf } from './address.ts';
import type { Dialer, DialOptions } from './contract.ts';
import { connectFailure } from './failure.ts';
import { askProxy, proxyFailure } from './proxy-handshake.ts';
import { connectFirst } from './tcp.ts';
import { createTlsHandshake } from './tls.ts';
import { type ProxyRules, proxyFor, type UpstreamProxy } from './upstream-proxy.ts';

/** One entry of `AUTHSOME_RESOLVE`: the address that a person gives for a host and port. */
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
  /** From the lookup of the name to the end of the handshake. */
  readonly connectTimeoutMs?: number;
  /** Addresses of a name, in order of preference. */
  readonly lookup?: (host: string) => Promise<readonly string[]>;
}

/** Names of cloud metadata services, for when a proxy does the lookup and no address can be checked here. */
const metadataNames = new Set([
  'metadata',
  'metadata.google.internal',
  'instance-data',
  'instance-data.ec2.internal',
]);

/** Where to connect, after overrides and proxies. */
interface DialTarget {
  readonly host: string;
  readonly port: number;
  readonly addresses: () => Promise<readonly string[]>;
  readonly proxy: UpstreamProxy | undefined;
  /** The error for a lookup or connection that failed. */
  readonly failure: (error: unknown) => AuthsomeError;
}

/** A dialer over the real network. Its roots are read at the first TLS connection. */
export function createDialer(options: DialerOptions = {}): Dialer {
  const { connectTimeoutMs = 10_000, lookup = lookUp } = options;
  const overrides = new Map(
    (options.overrides ?? []).map((override) => [`${hostOf(override.host)}:${override.port}`, override]),
  );
  const handshake = createTlsHandshake(options.extraRoots ?? []);

  const targetOf = (host: string, port: number, allowPrivateAddress: boolean): DialTarget => {
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

  const open = async (target: DialTarget, signal: AbortSignal): Promise<Socket> => {
    const { host, port, proxy } = target;
    if (proxy === undefined) return connectTcp(target, signal);
    // With socks5:// the lookup stays here, and with it the check; the other kinds leave it to the proxy.
    const asked = proxy.protocol === 'socks5' ? ((await resolve(target, signal))[0] ?? host) : host;
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
      await askProxy(hop, proxy, { host: asked, port }, signal);
      return hop;
    } catch (error) {
      hop.destroy();
      throw error;
    }
  };

  const bounded = async <T>(
    dial: DialOptions,
    work: (target: DialTarget, signal: AbortSignal) => Promise<T>,
  ): Promise<T> => {
    const { port, allowPrivateAddress, signal } = dial;
    const host = hostOf(dial.host);
    if (!isDialable(host)) throw new AuthsomeError('AddressForbidden', 'invalid host name');
    const controller = new AbortController();
    const cancel = (): void =>
      controller.abort(new AuthsomeError('Cancelled', `the connection to ${host} was cancelled`));
    const timer = setTimeout(() => controller.abort(late(host, port, connectTimeoutMs)), connectTimeoutMs);
    signal?.addEventListener('abort', cancel, { once: true });
    if (signal?.aborted === true) cancel();
    try {
      return await work(targetOf(host, port, allowPrivateAddress), controller.signal);
    } catch (error) {
      if (dial.isStrangers !== true || !isForbidden(error)) throw error;
      throw new AuthsomeError(error.code, error.message);
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', cancel);
    }
  };

  return {
    connect: (dial) => bounded(dial, open),
    connectTls: (dial) =>
      bounded(dial, async (target, signal) =>
        handshake(
          await open(target, signal),
          { host: target.host, port: dial.port, alpn: dial.alpn },
          signal,
        ),
      ),
  };
}

async function resolve(
  target: Pick<DialTarget, 'addresses' | 'failure'>,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const abandoned = new Promise<never>((_, reject) => {
    if (signal.aborted) reject(signal.reason as Error);
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
  try {
    return await Promise.race([target.addresses(), abandoned]);
  } catch (error) {
    throw error instanceof AuthsomeError ? error : target.failure(error);
  }
}

async function connectTcp(
  target: Pick<DialTarget, 'port' | 'addresses' | 'failure'>,
  signal: AbortSignal,
): Promise<Socket> {
  const addresses = await resolve(target, signal);
  try {
    return await connectFirst(addresses, target.port, signal);
  } catch (error) {
    throw error instanceof AuthsomeError ? error : target.failure(error);
  }
}

/** The addresses that may be connected to. Throws when some were found and none of them may. */
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

/** A host as it is compared, looked up and verified: lower case, no brackets, no trailing dot. */
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

function isForbidden(error: unknown): error is AuthsomeError {
  return error instanceof AuthsomeError && error.code === 'AddressForbidden';
}

function forbidden(host: string, port: number, kind: string, address?: string): AuthsomeError {
  const verb = address === host ? 'is' : 'resolves to';
  const where = address === undefined || address === host ? '' : ` (${address})`;
  const entry = `${bracketed(host)}:${port}:${address === undefined ? '<address>' : bracketed(address)}`;
  return new AuthsomeError(
    'AddressForbidden',
    `${host} ${verb} ${/^u/.test(kind) ? 'an' : 'a'} ${kind} address${where}; connection refused by policy`,
    {
      hint: `If that is intended, allow it with: AUTHSOME_RESOLVE=${entry}, then authsome daemon restart`,
    },
  );
}

/** As a host is written before a port, which `AUTHSOME_RESOLVE` needs too. */
function bracketed(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

function late(host: string, port: number, timeoutMs: number): AuthsomeError {
  return new AuthsomeError(
    'UpstreamTimeout',
    `no connection to ${host}:${port} within ${timeoutMs / 1000} seconds`,
  );
}
